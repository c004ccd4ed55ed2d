"""The deal's state machine: what is allowed, what is refused, and with which words."""

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel.refusals import NotAllowed
from somos.modules.crm.rules import deals as rules
from somos.modules.crm.rules.deals import DealFacts

PIPELINE = uuid4()
FULL = frozenset({"value_cents", "company_id", "contact_id", "expected_close_date", "owner_id"})
CNPJ = "11222333000181"


def deal(state="open", present=FULL, lead_id=None):
    return DealFacts(state=state, pipeline_id=PIPELINE, present=frozenset(present), lead_id=lead_id)


def refused(check, *facts, **more):
    """What a check says no with."""
    with pytest.raises(NotAllowed) as refusal:
        check(*facts, **more)
    return refusal.value


def test_an_open_deal_moves_within_its_pipeline():
    rules.check_move(deal(), "Proposta", PIPELINE, ["value_cents"])


@pytest.mark.parametrize("state", ["won", "lost"])
def test_a_closed_deal_does_not_move(state):
    assert refused(rules.check_move, deal(state), "Proposta", PIPELINE, []).code == "deal-closed"


def test_a_stage_of_another_pipeline_is_refused():
    assert refused(rules.check_move, deal(), "Proposta", uuid4(), []).code == "stage-of-another-pipeline"


def test_a_refused_move_names_what_is_missing_in_portuguese():
    refusal = refused(rules.check_move, deal(present=()), "Proposta", PIPELINE, ["value_cents", "company_id"])
    assert refusal.detail == "Para entrar em Proposta, preencha: valor, empresa."


def test_winning_needs_value_date_company_with_document_and_a_budget_or_reason():
    refusal = refused(rules.check_win, deal(present=()), None, None, accepted_budget=False, override_reason=None)
    for words in ("valor", "data de fechamento", "empresa", "orçamento aceito"):
        assert words in refusal.detail


@pytest.mark.parametrize("document", [None, "", "11222333000180", "11111111111111", "123"])
def test_a_company_without_a_valid_document_wins_nothing(document):
    refusal = refused(rules.check_win, deal(), document, date(2026, 12, 1), True, None)
    assert "CNPJ ou CPF" in refusal.detail


@pytest.mark.parametrize("document", [CNPJ, "12ABC34501DE35", "52998224725"])
def test_cnpj_of_both_kinds_and_cpf_can_win(document):
    rules.check_win(deal(), document, date(2026, 12, 1), False, "Fechado por telefone")


def test_only_the_direction_reopens_a_won_deal_and_never_with_a_signed_contract():
    assert refused(rules.check_reopen, deal("won"), False, False).code == "reopen-won-forbidden"
    assert refused(rules.check_reopen, deal("won"), True, True).code == "contract-signed"
    rules.check_reopen(deal("won"), True, False)


def test_a_lost_deal_reopens_and_an_open_one_does_not():
    rules.check_reopen(deal("lost"), False, False)
    assert refused(rules.check_reopen, deal("open"), True, False).code == "deal-open"


def test_a_deal_born_of_an_answer_is_lost_with_a_reason_never_deleted():
    assert refused(rules.check_delete, deal(lead_id=uuid4())).code == "deal-from-lead"
    assert refused(rules.check_delete, deal("won")).code == "deal-closed"
    rules.check_delete(deal())


def allowed(check, *facts):
    try:
        check(*facts)
    except NotAllowed:
        return False
    return True


@given(st.sampled_from(rules.DEAL.states), st.booleans(), st.booleans(), st.frozensets(st.sampled_from(sorted(FULL))))
def test_no_transition_outside_the_machine_is_ever_allowed(state, direction, signed, present):
    facts = deal(state, present)
    moved = allowed(rules.check_move, facts, "Etapa", PIPELINE, [])
    won = allowed(rules.check_win, facts, CNPJ, date(2026, 1, 1), True, None)
    lost = allowed(rules.check_lose, facts)
    reopened = allowed(rules.check_reopen, facts, direction, signed)
    assert moved == lost == (state == "open")
    assert not won or (state == "open" and {"value_cents", "company_id"} <= present)
    assert reopened == (state == "lost" or (state == "won" and direction and not signed))
