"""Every value keeps its source; the best source wins; exact keys recognise a company."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.modules.hunter.rules import extraction_rules, naming
from somos.modules.hunter.rules.extraction_rules import DEFAULTS, Rule
from somos.modules.hunter.rules.facts import (
    EVIDENCE_ONLY,
    FIELDS,
    ORIGINS,
    PRECEDENCE,
    Fact,
    chosen,
    exact_keys,
    fact,
    headcount,
    profile_of,
)

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)


def said(field, value, source="site", method="m", url="http://a.com.br/", rank=0, at=NOW):
    return fact(field, value, source, method, url, at, rank)


def test_the_registry_wins_for_the_law_and_loses_for_the_phone():
    facts = [
        *said("legal_name", "Lúmen Ltda", "site"),
        *said("legal_name", "LUMEN LTDA", "registry"),
        *said("phone", "(11) 3333-4444", "registry"),
        *said("phone", "(11) 95555-0101", "site"),
    ]
    best = chosen(facts)
    assert best["legal_name"].value == "LUMEN LTDA"
    assert best["phone"].value == "+5511955550101"


def test_a_person_wins_over_every_source():
    facts = [f for source in ORIGINS for f in said("company_name", f"Nome de {source}", source)]
    assert chosen(facts)["company_name"].value == "Nome de person"


def test_of_one_source_the_best_rank_wins_then_the_newest():
    facts = [
        *said("email", "b@a.com.br", rank=1),
        *said("email", "c@a.com.br", rank=0),
        *said("email", "d@a.com.br", rank=0, at=NOW + timedelta(days=1)),
    ]
    assert chosen(facts)["email"].value == "d@a.com.br"


@given(
    st.lists(
        st.builds(
            Fact,
            field=st.sampled_from(sorted(PRECEDENCE)),
            value=st.text(min_size=1, max_size=5),
            source=st.sampled_from(ORIGINS),
            method=st.just("m"),
            url=st.none(),
            seen_at=st.datetimes(timezones=st.just(UTC)),
            rank=st.integers(0, 3),
        ),
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_what_wins_does_not_depend_on_the_order_in_which_it_was_learnt(facts, random):
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert chosen(facts) == chosen(shuffled)


def test_every_field_knows_every_source():
    assert all(sorted(order) == sorted(ORIGINS) for order in PRECEDENCE.values())
    assert set(FIELDS) == set(PRECEDENCE) | set(EVIDENCE_ONLY)


def test_the_registrys_phone_and_email_are_no_keys_because_accountants_share_them():
    facts = [
        *said("phone", "(11) 3333-4444", "registry"),
        *said("email", "contador@contas.com.br", "registry"),
        *said("cnpj", "11.222.333/0001-81", "registry"),
    ]
    assert [(key.kind, key.value) for key in exact_keys(facts)] == [("cnpj", "11222333000181")]


def test_keys_are_cnpj_domain_phone_email_and_profile():
    facts = [
        *said("cnpj", "12.ABC.345/01DE-35"),
        *said("domain", "https://www.a.com.br/x"),
        *said("phone", "11 5555-0101"),
        *said("email", "Oi@A.com.br"),
        *said("instagram", "https://www.instagram.com/Agencia.A/"),
    ]
    assert {f"{key.kind}:{key.value}" for key in exact_keys(facts)} == {
        "cnpj:12ABC34501DE35",
        "domain:a.com.br",
        "phone:+551155550101",
        "email:oi@a.com.br",
        "profile:instagram:agencia.a",
    }


@pytest.mark.parametrize(
    ("field", "value"), [("phone", "123"), ("email", "oi@"), ("cnpj", "11222333000180"), ("domain", "wa.me/1"),
                         ("uf", "XX"), ("company_name", "  "), ("instagram", "https://instagram.com/p/abc")]
)  # fmt: skip
def test_a_value_that_cannot_be_one_is_no_fact(field, value):
    assert said(field, value) == []


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://www.instagram.com/agencia.x/", ("instagram", "agencia.x")),
        ("https://br.linkedin.com/company/agencia-x/about/", ("linkedin", "agencia-x")),
        ("https://www.linkedin.com/in/ana-prado", None),
        ("https://pt-br.facebook.com/AgenciaX?ref=1", ("facebook", "agenciax")),
        ("https://www.instagram.com/p/Cxyz/", None),
        ("https://agencia.com.br/instagram.com/x", None),
        ("http://[bad", None),
        (None, None),
    ],
)
def test_a_profile_is_a_companys_page_and_nothing_else(url, found):
    assert profile_of(url) == found


@pytest.mark.parametrize(
    ("sentence", "count"),
    [
        ("Somos mais de 64 profissionais de criação", 64),
        ("Nossa equipe tem 85 pessoas em um só endereço.", 85),
        ("Mais de 1.200 colaboradores", 1200),
        ("entre 50 e 100 funcionários", 50),
        ("51-200 funcionários", 51),
        ("time de 12 grandes talentos", 12),
        ("Desde 2009 em São Paulo", None),
        ("Mais de 40 professores", None),
        ("(11) 5555-0101", None),
        ("", None),
    ],
)
def test_a_headcount_is_a_number_of_people(sentence, count):
    assert headcount(sentence) == count


@pytest.mark.parametrize(("cell", "count"), [("80", "80"), ("50-100", "50"), ("51 a 200", "51"), ("50+", "50")])
def test_the_number_of_people_is_read_from_a_cell(cell, count):
    assert said("employees", cell)[0].value == count


def test_what_a_database_cannot_hold_is_left_out():
    (found,) = said("texto", "Olá\x00 mundo \ud800!", url="http://a.com.br/\x00")
    assert (found.value, found.url) == ("Olá mundo !", "http://a.com.br/")


# --- what administrators teach -------------------------------------------------------------------------


def test_ignored_addresses_are_left_out_and_preferred_ones_come_first():
    emails = ["ana@a.com.br", "no-reply@a.com.br", "contato@a.com.br", "lgpd@a.com.br"]
    assert extraction_rules.kept("email", emails, DEFAULTS) == ["contato@a.com.br", "ana@a.com.br"]
    own = [Rule("email", "ignore", "*@a.com.br"), Rule("phone", "ignore", "+5511*")]
    assert extraction_rules.kept("email", emails, own) == []
    assert extraction_rules.kept("phone", ["+551133334444", "+552133334444"], own) == ["+552133334444"]


def test_addresses_of_somebody_elses_domain_are_left_out():
    emails = ["suporte@agenciaweb.com.br", "agencia@gmail.com", "oi@a.com.br"]
    assert extraction_rules.own_first(emails, "a.com.br") == ["oi@a.com.br", "agencia@gmail.com"]


def test_mobiles_come_before_landlines():
    assert extraction_rules.mobile_first(["+551133334444", "+5511955550101"]) == ["+5511955550101", "+551133334444"]


@pytest.mark.parametrize("pattern", ["*", "**", "?", "a*b*c*d*e*f"])
def test_a_pattern_for_everything_or_with_too_many_stars_is_refused(pattern):
    assert extraction_rules.refuse_pattern(pattern)


@given(st.text(max_size=40), st.text(alphabet="ab*?.@", min_size=1, max_size=12))
def test_any_text_and_pattern_give_an_answer(value, pattern):
    extraction_rules.kept("email", [value], [Rule("email", "ignore", pattern)])


# --- names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "domain", "name"),
    [
        ("Horizonte Propaganda | Agência em São Paulo", "horizonte-exemplo.com.br", "Horizonte Propaganda"),
        ("Agência de publicidade | Horizonte Propaganda", "horizonte-exemplo.com.br", "Horizonte Propaganda"),
        ("Contato - Lúmen", "lumen.com.br", "Lúmen"),
        ("Gráfica Piratininga: impressos para agências", None, "Gráfica Piratininga"),
        ("Agência X (@agencia.x) • Fotos e vídeos do Instagram", None, "Agência X"),
        ("Home", None, "Home"),
    ],
)  # fmt: skip
def test_the_part_of_a_title_that_names_the_company_is_found(title, domain, name):
    assert naming.name_in_title(title, domain) == name


def test_people_introduced_with_a_role_are_found():
    text = (
        "Liderança\nAna Beatriz Prado, Diretora de Atendimento: ana@x.com.br\nFale com João da Silva | CEO\nDesde 2009"
    )
    assert naming.people_in(text) == [("Ana Beatriz Prado", "Diretora de Atendimento"), ("João da Silva", "CEO")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("MARIA DA SILVA", "Maria da Silva"), ("LUMEN S.A.", "Lumen S.A."), ("Lúmen Ltda", "Lúmen Ltda"), (None, None)],
)
def test_names_in_capitals_are_written_as_names(text, shown):
    assert naming.proper(text) == shown
