"""After a restore everyone signs in again, and an Admin looks at the keys that came back."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from somos.mesh.clock import SAO_PAULO
from somos.modules.auth.tables import ApiKey, User


def after_restore(db: Session, taken_at: datetime, now: datetime) -> list[str]:
    """End every sign-in: one that was ended since the backup would live again. Says what to look at."""
    users = db.scalars(select(User).where(User.active).order_by(User.id).with_for_update()).all()
    for user in users:
        user.sessions_valid_from = now
    alive = select(func.count()).where(ApiKey.revoked_at.is_(None), ApiKey.expires_at > now)
    when = f"{taken_at.astimezone(SAO_PAULO):%d/%m/%Y %H:%M}"
    return [
        f"{len(users)} contas ativas entram de novo; confira as que foram fechadas ou mudadas desde {when}",
        f"{db.scalar(alive)} chaves de API valem; revogue de novo as que foram revogadas desde {when}",
    ]
