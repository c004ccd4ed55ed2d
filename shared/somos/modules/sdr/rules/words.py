"""The lists of words of outreach, each once: tables check them, schemas take them. States stand in `machines`."""

from typing import Literal

Channel = Literal["whatsapp", "email", "linkedin"]
MessageKind = Literal["first_contact", "follow_up", "second_channel", "reply"]
Author = Literal["agent", "person"]
Receipt = Literal["sent", "delayed", "delivered", "read", "opened", "failed"]
CampaignLeadState = Literal["wanted", "drafting", "drafted", "refused"]
# `unread`: it is known that somebody wrote, and not yet what.
ResponseState = Literal["stored", "unread", "unmatched", "matched", "classified", "handled"]
# A reaction and a deletion are kept and shown, and answer nothing.
ResponseKind = Literal["message", "reaction", "deletion"]
Classifier = Literal["rule", "model", "person"]
AddressKind = Literal["phone", "email"]
SuppressionReach = Literal["person", "address"]
SuppressionSource = Literal["word", "link", "list_unsubscribe", "complaint", "bounce", "manual", "erasure"]
SwitchScope = Literal["all", "channel:whatsapp", "channel:email", "channel:linkedin", "agent:sdr"]
