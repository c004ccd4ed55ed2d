"""API keys: made, listed and revoked by an Admin; the key itself is shown once."""

from datetime import timedelta
from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.auth import rules
from somos.modules.auth.schemas import CreatedKey, KeyDraft, KeyFilter, KeyView
from somos.modules.auth.tables import ApiKey
from somos.policy.keys import new_key


@http.get("/api/v1/api-keys", allow="api_key.manage")
def api_keys_list(filter: KeyFilter, ctx: Context) -> Page[KeyView]:
    """All keys, revoked ones too."""
    return ctx.page(ctx.visible(ApiKey).where(*filter.clauses()), KeyView)


@http.get("/api/v1/api-keys/{id}", allow="api_key.manage")
def api_keys_get(id: UUID, ctx: Context) -> KeyView:
    """One key."""
    return ctx.show(ctx.get(ApiKey, id), KeyView)


@http.post("/api/v1/api-keys", allow="api_key.manage", replays=False)
def api_keys_create(draft: KeyDraft, ctx: Context) -> CreatedKey:
    """Make a key. Its secret is in this answer and nowhere else."""
    rules.check_scopes(draft.scopes)
    generated = new_key()
    key = ctx.create(
        ApiKey,
        name=draft.name,
        hint=generated.hint,
        key_hash=generated.hash,
        scopes=sorted(set(draft.scopes)),
        per_minute=draft.per_minute,
        expires_at=ctx.now + timedelta(days=draft.days),
        created_by=ctx.principal.id,
    )
    return CreatedKey(**ctx.show(key, KeyView).model_dump(), secret=generated.secret)


@http.delete("/api/v1/api-keys/{id}", allow="api_key.manage")
def api_keys_delete(id: UUID, ctx: Context) -> None:
    """Revoke a key, at once and for good; revoking it again changes nothing."""
    key = ctx.get(ApiKey, id, lock=True)
    if key.revoked_at is None:
        ctx.change(key, revoked_at=ctx.now)
