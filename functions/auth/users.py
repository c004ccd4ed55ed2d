"""Accounts of people: opened, changed and closed by an Admin."""

from typing import Any
from uuid import UUID

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Page, http
from somos.modules.auth import queries, rules
from somos.modules.auth.actions.sessions import end_sessions
from somos.modules.auth.actions.users import hashed
from somos.modules.auth.rules import Standing
from somos.modules.auth.schemas import NewPassword, UserDraft, UserFilter, UserPatch, UserView
from somos.modules.auth.tables import User
from somos.policy.roles import Role


@http.get("/api/v1/users", allow="auth:read")
def users_list(filter: UserFilter, ctx: Context) -> Page[UserView]:
    """All accounts for the direction; one's own for everybody else."""
    return ctx.page(ctx.visible(User).where(*filter.clauses()), UserView)


@http.get("/api/v1/users/{id}", allow="auth:read")
def users_get(id: UUID, ctx: Context) -> UserView:
    """One account."""
    return ctx.show(ctx.get(User, id), UserView)


@http.post("/api/v1/users", allow="user.manage")
def users_create(draft: UserDraft, ctx: Context) -> UserView:
    """Open an account."""
    rules.check_standing(Standing(Role(draft.role), True, draft.client_company_id))
    _check_free(ctx, draft.email)
    password = hashed(ctx, draft.password.get_secret_value(), field="password", about=(draft.email, draft.name))
    values = draft.model_dump(exclude={"password"})
    return ctx.show(ctx.create(User, **values, password_hash=password), UserView)


@http.patch("/api/v1/users/{id}", allow="user.manage")
def users_patch(id: UUID, patch: UserPatch, ctx: Context) -> UserView:
    """Change an account; another role, company or state ends its sign-ins at once."""
    admins = queries.lock_admins(ctx.db)
    user = ctx.get(User, id, lock=True)
    before, after = _standing(user, None), _standing(user, patch)
    rules.check_change(before, after, other_admins=len(admins - {user.id}))
    if patch.email not in (None, user.email):
        _check_free(ctx, patch.email)
    if rules.ends_sessions(before, after):
        end_sessions(ctx, user)
    return ctx.show(ctx.change(user, patch), UserView)


@http.put("/api/v1/users/{id}/password", allow="user.manage")
def users_password(id: UUID, chosen: NewPassword, ctx: Context) -> UserView:
    """Set somebody's password; all their sign-ins end."""
    user = ctx.get(User, id, lock=True)
    password = hashed(ctx, chosen.password.get_secret_value(), field="password", about=(user.email, user.name))
    end_sessions(ctx, user)
    return ctx.show(ctx.change(user, password_hash=password), UserView)


def _standing(user: User, patch: UserPatch | None) -> Standing:
    """As the account is, or as the patch would have it."""
    values: dict[str, Any] = {"role": user.role, "active": user.active, "client_company_id": user.client_company_id}
    if patch is not None:
        values |= patch.model_dump(include=set(values), exclude_unset=True)
    return Standing(**values | {"role": Role(values["role"])})


def _check_free(ctx: Context, email: str) -> None:
    if queries.by_email(ctx.db, email) is not None:
        raise NotAllowed("Já existe uma conta com este e-mail", code="email-taken")
