"""The two small pages that people outside see; they hold no data of anybody and load nothing."""

from somos.mesh import Download

_PAGE = """<!doctype html>
<html lang="pt-BR">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Não receber mais mensagens</title>
<style>
body {{ font: 18px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1.5rem; color: #222 }}
button {{ font: inherit; padding: .6rem 1.4rem; border: 0; border-radius: .5rem; background: #222; color: #fff }}
</style>
</head>
<body><main>{body}</main></body>
</html>
"""
CONFIRM = """<h1>Não receber mais mensagens</h1>
<p>Ao confirmar, a Somos não escreve mais a você, em nenhum canal.</p>
<form method="post"><button type="submit">Confirmar</button></form>"""
DONE = """<h1>Pronto</h1>
<p>Você não receberá mais mensagens da Somos.</p>"""


def page(body: str) -> Download:
    """One of the pages, to be shown."""
    return Download(_PAGE.format(body=body).encode(), "text/html; charset=utf-8")
