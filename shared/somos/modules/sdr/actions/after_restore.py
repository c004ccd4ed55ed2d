"""After a restore nothing leaves on an old word: people approve again what may have left since the backup."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.mesh.clock import SAO_PAULO
from somos.modules.sdr.actions.approvals import ask
from somos.modules.sdr.rules.machines import MESSAGE
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender

STATES = ("drafted", "awaiting_approval", "approved", "queued", "sending")


def after_restore(db: Session, taken_at: datetime, now: datetime) -> list[str]:
    """Void approvals not used yet; what was under way is for a person to settle. Says what waits."""
    check = f"O banco voltou de um backup de {taken_at.astimezone(SAO_PAULO):%d/%m/%Y %H:%M}"
    renewed = unknown = 0
    query = select(OutreachMessage).where(OutreachMessage.state.in_(STATES)).order_by(OutreachMessage.id)
    for message in db.scalars(query.with_for_update()):
        if message.state == "sending":
            message.state = MESSAGE.move(message.state, "unknown")
            message.waiting_for = f"{check}, feito durante este envio: confira na conversa e diga se saiu."
            unknown += 1
            continue
        if message.state in ("approved", "queued"):
            ask(db, message, db.get_one(Sender, message.sender_id), "restauração", now)
            renewed += 1
        # Also one that was only waiting for a yes may have been given it, and have left, since.
        message.waiting_for = f"{check}: confira na conversa se esta mensagem já saiu."
    return [
        f"{renewed} mensagens aprovadas esperam uma nova aprovação",
        f"{unknown} mensagens estavam em envio: uma pessoa diz se saíram",
    ]
