"""`python -m gateway.local --port 8080`."""

import click

from gateway.local.serve import main


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
def run(host: str, port: int) -> None:
    """The development gateway."""
    main(host, port)


run()
