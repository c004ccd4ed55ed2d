"""Accounts and their passwords."""

from uuid import UUID

from sqlalchemy.orm import Session

from somos.mesh.context import Context
from somos.mesh.problems import Invalid
from somos.modules.auth import rules
from somos.modules.auth.queries import by_email
from somos.modules.auth.tables import User
from somos.policy.passwords import WeakPassword, check_strength, hash_password
from somos.policy.roles import Role


def ensure_account(
    db: Session,
    *,
    email: str,
    name: str,
    role: Role,
    password: str,
    cost: int,
    client_company_id: UUID | None = None,
) -> User:
    """The account of that address; opened when there is none, otherwise left exactly as it is."""
    user = by_email(db, email)
    if user is None:
        rules.check_standing(rules.Standing(role, True, client_company_id))
        user = User(
            email=email.strip().lower(),
            name=name,
            role=role.value,
            password_hash=hash_password(password, cost),
            client_company_id=client_company_id,
        )
        db.add(user)
        db.flush()
    return user


def hashed(ctx: Context, password: str, *, field: str, about: tuple[str, ...]) -> str:
    """The hash of a chosen password, or Invalid with the reason."""
    try:
        check_strength(password, about=about)
    except WeakPassword as error:
        raise Invalid(str(error), field=field) from None
    return hash_password(password, ctx.settings.bcrypt_cost)
