"""What the pipeline asks of its tables. Other modules use `relationship` only."""

from somos.modules.crm.queries.relations import Relationship, relationship

__all__ = ["Relationship", "relationship"]
