"""One lead with everything a person may ask of it: where each value is from, why the score, on what ground."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.hunter.queries.lead_scores import newest_score
from somos.modules.hunter.queries.lead_sources import COLUMNS
from somos.modules.hunter.rules.facts import Fact, chosen
from somos.modules.hunter.schemas.leads import (
    LabelView,
    LeadDetail,
    LeadView,
    LgpdView,
    ScoredView,
    ScoreView,
    SourceView,
)
from somos.modules.hunter.tables.lead_labels import LeadLabel
from somos.modules.hunter.tables.lead_sources import LeadSource
from somos.modules.hunter.tables.leads import Lead


def detail(db: Session, lead: Lead) -> LeadDetail:
    """The lead as its page shows it."""
    db.flush()
    score = newest_score(db, lead.id)
    labels = select(LeadLabel).where(LeadLabel.lead_id == lead.id).order_by(LeadLabel.id)
    return LeadDetail(
        **LeadView.model_validate(lead).model_dump(),
        **{name: getattr(lead, name) for name in COLUMNS if name not in LeadView.model_fields},
        sources=_sources(db, lead),
        score_detail=None
        if score is None
        else ScoreView(
            total=score.total,
            qualified=score.qualified,
            exclusion=score.exclusion,
            reason=score.reason,
            rubric_version=score.rubric_version,
            evidence_hash=score.evidence_hash,
            icp_number=score.icp_number,
            model=score.model,
            prompt_version=score.prompt_version,
            criteria=[ScoredView.model_validate(item) for item in score.criteria],
            created_at=score.created_at,
        ),
        labels=[LabelView.model_validate(row) for row in db.scalars(labels)],
        lgpd=LgpdView.model_validate(lead),
    )


def _sources(db: Session, lead: Lead) -> list[SourceView]:
    rows = list(db.scalars(select(LeadSource).where(LeadSource.lead_id == lead.id).order_by(LeadSource.id)))
    facts = [
        Fact(row.field, row.value, row.source, row.method, row.url, row.seen_at, row.rank, row.late)  # type: ignore[arg-type]
        for row in rows
    ]
    winners = {id(winner) for winner in chosen(facts).values()}
    return [
        SourceView(
            field=fact.field,
            value=fact.value,
            source=fact.source,
            method=fact.method,
            url=fact.url,
            seen_at=fact.seen_at,
            late=fact.late,
            wins=id(fact) in winners,
        )
        for fact in facts
    ]
