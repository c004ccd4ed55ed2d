"""The people of the local stack: one account per role, and how a command signs in as one of them."""

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from somos.local.environment import FOLDER
from somos.local.secrets import kept
from somos.mesh import clock
from somos.policy.roles import Role

if TYPE_CHECKING:
    from urllib3.util import Retry

    from somos.mesh.runtime import Runtime


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in; the part before the @ is how commands call them."""

    login: str
    name: str
    role: Role

    @property
    def email(self) -> str:
        return f"{self.login}@somos.local"


PEOPLE = (
    Person("admin", "Teresa Nogueira", Role.Admin),
    Person("diretor", "Helena Prado", Role.Diretor),
    Person("comercial", "Bruno Reis", Role.Comercial),
    Person("comercial2", "Lia Campos", Role.Comercial),
    Person("cliente", "Otávio Serra", Role.Cliente),
)
# The company whose portal the client sees; of the CRM, which has none of this id until somebody makes it.
CLIENT_COMPANY = UUID("01940000-0000-7000-8000-000000000001")


def password() -> str:
    """Everybody's, made once for this folder."""
    import secrets

    return kept(FOLDER / "secrets", "people-password", lambda: secrets.token_urlsafe(12))


def settle(runtime: "Runtime") -> None:
    """Open the accounts that are not there yet."""
    from somos.mesh.database import Acting, transaction
    from somos.modules.auth.actions.users import ensure_account
    from somos.policy.principals import SYSTEM

    with transaction(runtime.engine, Acting(SYSTEM, "local-people")) as db:
        for person in PEOPLE:
            ensure_account(
                db,
                email=person.email,
                name=person.name,
                role=person.role,
                password=password(),
                cost=runtime.settings.bcrypt_cost,
                client_company_id=CLIENT_COMPANY if person.role is Role.Cliente else None,
            )


def sign_in(gateway: str, who: str, typed: str | None = None, again: "Retry | bool" = False) -> str:
    """An access token; one that is still good is used again, because signing in is rate limited.

    `again` says how patiently a gateway that does not answer is asked.
    """
    import click
    import urllib3

    email = who if "@" in who else f"{who}@somos.local"
    place = FOLDER / "run" / f"token-{email}"
    try:
        kept_token = place.read_text()
        if typed is None and _expires(kept_token) > clock.now().timestamp() + 30:
            return kept_token
    except (OSError, ValueError, KeyError):
        pass
    body = json.dumps({"email": email, "password": typed or password()})
    try:
        answer: Any = urllib3.request(
            "POST",
            f"{gateway}/api/v1/auth/login",
            body=body,
            headers={"Content-Type": "application/json"},
            retries=again,
        )
    except urllib3.exceptions.HTTPError:
        raise click.ClickException(f"o gateway em {gateway} não respondeu; está no ar? somos status") from None
    if answer.status != 200:
        raise click.ClickException(f"{email} não entrou: {answer.data.decode(errors='replace')[:300]}")
    token = str(answer.json()["access_token"])
    place.touch(mode=0o600)
    place.write_text(token)
    return token


def _expires(token: str) -> float:
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return float(claims["exp"])
