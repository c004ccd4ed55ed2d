"""The tables of schema `hunter`. They belong to the house: the matrix alone says who reads and writes."""

from somos.modules.hunter.tables.credit_days import CreditDay
from somos.modules.hunter.tables.extraction_rules import ExtractionRule
from somos.modules.hunter.tables.icp_profiles import IcpProfile
from somos.modules.hunter.tables.icp_versions import IcpVersion
from somos.modules.hunter.tables.lead_keys import LeadKey
from somos.modules.hunter.tables.lead_labels import LeadLabel
from somos.modules.hunter.tables.lead_origins import LeadOrigin
from somos.modules.hunter.tables.lead_scores import LeadScore
from somos.modules.hunter.tables.lead_sources import LeadSource
from somos.modules.hunter.tables.leads import Lead
from somos.modules.hunter.tables.merge_suggestions import MergeSuggestion
from somos.modules.hunter.tables.search_pages import SearchPage
from somos.modules.hunter.tables.search_sessions import SearchSession

__all__ = [
    "CreditDay",
    "ExtractionRule",
    "IcpProfile",
    "IcpVersion",
    "Lead",
    "LeadKey",
    "LeadLabel",
    "LeadOrigin",
    "LeadScore",
    "LeadSource",
    "MergeSuggestion",
    "SearchPage",
    "SearchSession",
]
