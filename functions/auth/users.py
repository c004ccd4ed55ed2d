"""Accounts of people: opened, changed and closed by an Admin."""

from uuid import UUID

from somos.mesh import Conflict, Context, Invalid, Page, Problem, http
from somos.modules.auth import queries, rules
from somos.modules.auth.actions.sessions import end_sessions
from somos.modules.auth.actions.users import hashed
from somos.modules.auth.rules import Refused, Standing
from somos.modules.auth.schemas import NewPassword, UserChange, UserDraft, UserFilter, UserView
from somos.modules.auth.tables import User
from somos.policy.roles import Role


@http.get("/api/v1/users", allow="auth:read")
def users_list(filter: UserFilter, ctx: Context) -> Page[UserView]:
    """All accounts for the direction; one's own for everybody else."""
    return ctx.page(ctx.visible(User).where(*filter.clauses()), UserView)


@http.get("/api/v1/users/{id}", allow="auth:read")
def users_get(id: UUID, ctx: Context) -> UserView:
    """One account."""
    return UserView.model_validate(ctx.get(User, id))


@http.post("/api/v1/users", allow="user.manage")
def users_create(draft: UserDraft, ctx: Context) -> UserView:
    """Open an account."""
    standing = Standing(Role(draft.role), True, draft.client_company_id)
    try:
        rules.check_standing(standing)
    except Refused as refused:
        raise _problem(refused) from None
    _check_free(ctx, draft.email)
    user = User(
        email=draft.email,
        name=draft.name,
        role=draft.role,
        client_company_id=draft.client_company_id,
        password_hash=hashed(ctx, draft.password.get_secret_value(), field="password", about=(draft.email, draft.name)),
    )
    ctx.db.add(user)
    ctx.db.flush()
    return UserView.model_validate(user)


@http.patch("/api/v1/users/{id}", allow="user.manage")
def users_change(id: UUID, change: UserChange, ctx: Context) -> UserView:
    """Change an account; another role, company or state ends its sign-ins at once."""
    admins = queries.lock_admins(ctx.db)
    user = ctx.get(User, id, lock=True)
    given = change.model_fields_set
    before = _standing(user)
    after = Standing(
        role=Role(change.role) if change.role is not None else before.role,
        active=change.active if change.active is not None else before.active,
        client_company_id=change.client_company_id if "client_company_id" in given else before.client_company_id,
    )
    try:
        rules.check_change(before, after, other_admins=len(admins - {user.id}))
    except Refused as refused:
        raise _problem(refused) from None
    if change.email is not None and change.email != user.email:
        _check_free(ctx, change.email)
        user.email = change.email
    if change.name is not None:
        user.name = change.name
    if rules.ends_sessions(before, after):
        user.role, user.active, user.client_company_id = after.role.value, after.active, after.client_company_id
        end_sessions(ctx, user)
    return _written(ctx, user)


@http.put("/api/v1/users/{id}/password", allow="user.manage")
def users_set_password(id: UUID, chosen: NewPassword, ctx: Context) -> UserView:
    """Set somebody's password; all their sign-ins end."""
    user = ctx.get(User, id, lock=True)
    user.password_hash = hashed(
        ctx, chosen.password.get_secret_value(), field="password", about=(user.email, user.name)
    )
    end_sessions(ctx, user)
    return _written(ctx, user)


def _written(ctx: Context, user: User) -> UserView:
    ctx.db.flush()
    ctx.db.refresh(user)
    return UserView.model_validate(user)


def _standing(user: User) -> Standing:
    return Standing(Role(user.role), user.active, user.client_company_id)


def _check_free(ctx: Context, email: str) -> None:
    if queries.by_email(ctx.db, email) is not None:
        raise Conflict("Já existe uma conta com este e-mail", code="email-taken")


def _problem(refused: Refused) -> Problem:
    if refused.field is not None:
        return Invalid(refused.sentence, field=refused.field)
    return Conflict(refused.sentence, code=refused.code)
