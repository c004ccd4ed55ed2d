"""Shapes of requests and answers about accounts, keys and signing in."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr

from somos.kernel.emails import normalise_email
from somos.mesh import Body, Filter, Model, OneOf, Patch, Record, View
from somos.modules.auth.rules import MAX_KEY_DAYS
from somos.modules.auth.tables import ApiKey, User
from somos.policy.passwords import MAX_LENGTH, MIN_LENGTH
from somos.policy.roles import HUMAN_ROLES

HumanRole = Annotated[str, OneOf([role.value for role in HUMAN_ROLES])]


def _email(text: str) -> str:
    email = normalise_email(text)
    if email is None:
        raise ValueError("Não é um e-mail válido")
    return email


Email = Annotated[str, Field(max_length=320, examples=["ana@somos.example"]), AfterValidator(_email)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
# Whatever is typed may be tried; only what is chosen has to be good.
TypedPassword = Annotated[SecretStr, Field(max_length=MAX_LENGTH)]
ChosenPassword = Annotated[SecretStr, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]


class Login(Body):
    """Who signs in."""

    email: str = Field(max_length=320)
    password: TypedPassword


class RefreshToken(Body):
    """The token that login or the last refresh gave."""

    refresh_token: str = Field(min_length=1, max_length=200)


class PasswordChange(Body):
    """Somebody's own password; the current one proves who asks."""

    current_password: TypedPassword
    new_password: ChosenPassword


class NewPassword(Body):
    """A password set for somebody else."""

    password: ChosenPassword


class UserFields(Model):
    email: Email
    name: Name
    role: HumanRole
    client_company_id: UUID | None = None


class UserDraft(UserFields, Body):
    """A new account."""

    password: ChosenPassword


class UserPatch(UserFields, Patch):
    """What of an account may change."""

    active: bool


class UserFilter(Filter):
    """Accounts, by role and state."""

    table: ClassVar[type[User]] = User
    sort: Literal["id", "-id", "name", "-name", "email", "-email"] = "name"
    role: HumanRole | None = None
    active: bool | None = None


class UserView(UserFields, Record):
    """An account, without what proves it."""

    active: bool
    last_login_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Me(View):
    """Who asks, and what they may do."""

    id: UUID
    kind: Literal["user", "api_key", "agent"]
    name: str
    role: str
    email: str | None
    client_company_id: UUID | None
    permissions: list[str]


class SignedIn(View):
    """A short access token for requests, and a refresh token that buys the next pair, once."""

    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    access_token: str = Field(repr=False)
    expires_at: datetime
    refresh_token: str = Field(repr=False)
    refresh_expires_at: datetime
    user: UserView


class KeyFields(Model):
    name: Name
    scopes: list[Annotated[str, Field(max_length=40)]] = Field(min_length=1, max_length=40, examples=[["hunter:read"]])
    per_minute: int = Field(60, ge=1, le=6000, description="Pedidos por minuto")


class KeyDraft(KeyFields, Body):
    """A new API key."""

    days: int = Field(90, ge=1, le=MAX_KEY_DAYS, description="Validade em dias")


class KeyFilter(Filter):
    """API keys."""

    table: ClassVar[type[ApiKey]] = ApiKey
    sort: Literal["id", "-id", "name", "-name"] = "-id"


class KeyView(KeyFields, View):
    """An API key, of which only the beginning can still be seen."""

    id: UUID
    hint: str
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_by: UUID
    created_at: datetime


class CreatedKey(KeyView):
    """The only answer that ever holds the key itself."""

    secret: str = Field(repr=False, description="A chave; guarde-a agora, não será mostrada de novo")
