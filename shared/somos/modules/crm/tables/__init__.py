"""The tables of schema `crm`.

Who sees what. A deal belongs to its owner. A company or contact is reached by its own owner and by the owner
of a deal that is about it, for reading and writing. What hangs on a deal (history, activities, tags) follows
it. Pipelines, stages, lost reasons and tags are the house's. Saved views are private unless shared; private
notes are their author's alone, for every role. The database refuses the rest.
"""

from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.company_contacts import CompanyContact
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deal_activities import DealActivity
from somos.modules.crm.tables.deal_stage_history import DealStageHistory
from somos.modules.crm.tables.deal_stages import DealStage
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.handovers import Handover
from somos.modules.crm.tables.imports import Import, ImportRow
from somos.modules.crm.tables.lost_reasons import LostReason
from somos.modules.crm.tables.merges import Merge
from somos.modules.crm.tables.pipelines import Pipeline
from somos.modules.crm.tables.private_notes import PrivateNote
from somos.modules.crm.tables.saved_views import SavedView
from somos.modules.crm.tables.taggings import Tagging
from somos.modules.crm.tables.tags import Tag

__all__ = [
    "Company",
    "CompanyContact",
    "Contact",
    "Deal",
    "DealActivity",
    "DealStage",
    "DealStageHistory",
    "Handover",
    "Import",
    "ImportRow",
    "LostReason",
    "Merge",
    "Pipeline",
    "PrivateNote",
    "SavedView",
    "Tag",
    "Tagging",
]
