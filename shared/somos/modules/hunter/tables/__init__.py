"""The tables of schema `hunter`. They belong to the house: the matrix alone says who reads and writes."""

from somos.modules.hunter.tables.leads import (
    Lead,
    LeadKey,
    LeadLabel,
    LeadOrigin,
    LeadScore,
    LeadSource,
    MergeSuggestion,
)
from somos.modules.hunter.tables.profiles import ExtractionRule, IcpProfile, IcpVersion
from somos.modules.hunter.tables.searches import CreditDay, SearchPage, SearchSession

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
