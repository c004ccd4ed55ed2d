"""`somos person`: an account opened from the server, as the first one of a house has to be."""

import click


@click.command()
@click.argument("email")
@click.option("--name", required=True, help="Nome completo.")
@click.option("--role", type=click.Choice(["Admin", "Diretor", "Comercial"]), default="Admin", show_default=True)
@click.password_option(help="Perguntada, sem aparecer, quando não é dita.")
def person(email: str, name: str, role: str, password: str) -> None:
    """Abre a conta de uma pessoa; a primeira Admin não tem quem a abra pela API."""
    from somos.cli.settings import runtime
    from somos.mesh.database import Acting, transaction
    from somos.modules.auth.actions.users import ensure_account
    from somos.modules.auth.queries import by_email
    from somos.policy.passwords import WeakPassword, check_strength
    from somos.policy.principals import SYSTEM
    from somos.policy.roles import Role

    current = runtime("database_url")
    try:
        check_strength(password, about=(email, name))
    except WeakPassword as weak:
        raise click.ClickException(str(weak)) from None
    with transaction(current.engine, Acting(SYSTEM, "somos-person")) as db:
        if by_email(db, email):
            raise click.ClickException(f"{email} já tem conta; outra senha: PUT /api/v1/users/ID/password")
        opened = ensure_account(
            db, email=email, name=name, role=Role(role), password=password, cost=current.settings.bcrypt_cost
        )
        click.echo(f"{opened.email} entra como {role}")
