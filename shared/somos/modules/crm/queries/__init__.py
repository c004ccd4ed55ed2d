"""What the pipeline asks of its tables. Other modules use `relationship` and `relationships` only."""

from somos.modules.crm.queries.relations import Relationship, relationship, relationships

__all__ = ["Relationship", "relationship", "relationships"]
