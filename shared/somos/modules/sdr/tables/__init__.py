"""Tables of outreach, in schema `sdr`."""

from somos.modules.sdr.tables.cadences import Cadence, CadenceStep, CadenceVersion, Enrolment
from somos.modules.sdr.tables.campaigns import CampaignLead, OutreachCampaign
from somos.modules.sdr.tables.messages import Approval, MessageReceipt, OutreachMessage
from somos.modules.sdr.tables.people import AcceptedLead, Reconsent, Suppression
from somos.modules.sdr.tables.responses import HiddenNumber, PhoneMessage, Response
from somos.modules.sdr.tables.senders import KillSwitch, Sender

__all__ = [
    "AcceptedLead",
    "Approval",
    "Cadence",
    "CadenceStep",
    "CadenceVersion",
    "CampaignLead",
    "Enrolment",
    "HiddenNumber",
    "KillSwitch",
    "MessageReceipt",
    "OutreachCampaign",
    "OutreachMessage",
    "PhoneMessage",
    "Reconsent",
    "Response",
    "Sender",
    "Suppression",
]
