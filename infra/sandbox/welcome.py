"""The page at `/`: says in plain words what this is and who lives here."""

from html import escape

from flask import Blueprint, Response

from infra.sandbox.people import companies, display_phone
from infra.sandbox.world import World

TEMPERAMENT_TEXTS = {
    "interested": "interessada(o)",
    "question": "faz uma pergunta",
    "later": "pede para falar depois",
    "no": "diz não",
    "optout": "responde PARAR",
    "out_of_office": "resposta automática",
    "silence": "não responde",
    "bounce": "e-mail volta, não tem WhatsApp",
    "wrong_person": "é a pessoa errada",
    "complaint": "reclama",
}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}"
    "code{background:#f3f3f3;padding:.1rem .3rem;border-radius:3px}"
)


def blueprint(world: World) -> Blueprint:
    bp = Blueprint("welcome", __name__)

    @bp.get("/")
    def welcome() -> Response:
        people = {p.id: p for p in world.people()}
        rows = "".join(
            f'<tr><td><a href="/_site/www.{c.domain}/">{escape(c.name)}</a></td><td>{escape(c.city)}</td>'
            f"<td>{escape(c.segment)}</td><td>{escape(people[c.person.id].name)}</td>"
            f"<td>{TEMPERAMENT_TEXTS[people[c.person.id].temperament]}</td>"
            f"<td>{display_phone(c.mobile or c.fixed)}</td></tr>"
            for c in companies()
        )
        return Response(
            f'<!doctype html><html lang="pt-BR"><meta charset="utf-8"><title>Mundo simulado</title>'
            f"<style>{STYLE}</style><h1>O mundo lá fora, simulado</h1>"
            "<p>Aqui respondem, pelo mesmo protocolo dos serviços reais: busca (<code>/serpapi</code>), WhatsApp "
            "(<code>/evolution</code>), e-mail (<code>/resend</code>), um modelo por regras escritas "
            "(<code>/openai/v1</code>), o cadastro de empresas (<code>/cnpj</code>) e os sites das empresas abaixo "
            "(por proxy). Empresas, pessoas, telefones e domínios são inventados; nada sai desta máquina. O modelo "
            "não é inteligência: segue as regras do README.</p>"
            '<p>Controles: <a href="/_world/sent">enviados</a> · <a href="/_world/webhooks">webhooks</a> · '
            '<a href="/_world/people">pessoas</a> · <a href="/_world/calls">chamadas</a> · '
            '<a href="/_world/faults">falhas planejadas</a></p>'
            "<table><tr><th>Empresa</th><th>Cidade</th><th>Segmento</th><th>Quem responde</th><th>Como</th>"
            f"<th>Telefone</th></tr>{rows}</table></html>",
            mimetype="text/html",
        )

    return bp
