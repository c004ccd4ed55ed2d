"""`somos call 'POST /api/v1/deals' --as diretor --data '{…}'`: one request through the gateway."""

import json
import sys
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("what")
@click.option("--as", "who", help="Uma pessoa da pilha local (diretor, comercial…) ou um e-mail.")
@click.option("--password", help="A senha, se não for de uma pessoa da pilha local.")
@click.option("--token", envvar="SOMOS_TOKEN", help="Um token ou uma chave de API no lugar de --as.")
@click.option("--data", help="O corpo em JSON; @arquivo lê de um arquivo, - da entrada.")
@click.option("--header", "headers", multiple=True, help="Um cabeçalho a mais, como 'If-Match: \"3\"'.")
def call(
    what: str,
    who: str | None,
    password: str | None,
    token: str | None,
    data: str | None,
    headers: tuple[str, ...],
) -> None:
    """Faz um pedido ao gateway: somos call 'GET /api/v1/deals' --as diretor."""
    from somos.cli.settings import runtime
    from somos.local.people import sign_in

    method, _, path = what.strip().rpartition(" ")
    url = runtime("gateway_url").settings.gateway_url
    sent = {name.strip(): value.strip() for name, _, value in (header.partition(":") for header in headers)}
    if who and not token:
        token = sign_in(url, who, password)
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if data is not None:
        sent["Content-Type"] = sent.get("Content-Type", "application/json")
    _show(url, method.upper() or ("GET" if data is None else "POST"), path, sent, _read(data))


def _show(url: str, method: str, path: str, headers: dict[str, str], body: bytes | None) -> None:
    import urllib3
    from rich.console import Console

    try:
        answer: Any = urllib3.request(method, url + path, headers=headers, body=body, retries=False, timeout=60)
    except urllib3.exceptions.HTTPError as error:
        raise click.ClickException(f"o gateway em {url} não respondeu ({error}); está no ar? somos status") from None
    click.echo(f"{answer.status} {answer.reason or ''}".strip(), err=True)
    if "json" in answer.headers.get("content-type", ""):
        console = Console()
        text = json.dumps(json.loads(answer.data), ensure_ascii=False, indent=2)
        console.print_json(text) if console.is_terminal else click.echo(text)
    else:
        sys.stdout.buffer.write(answer.data)
    if answer.status >= 400:
        sys.exit(1)


def _read(data: str | None) -> bytes | None:
    if data is None:
        return None
    if data == "-":
        return sys.stdin.buffer.read()
    return Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()
