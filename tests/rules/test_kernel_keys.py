"""Phones, e-mails, domains and documents become one key however people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel import documents, emails, hosts, keys, phones


@pytest.mark.parametrize(
    "typed",
    [
        "(11) 98765-4321",
        "11 98765 4321",
        "011 98765-4321",
        "+55 (11) 98765-4321",
        "+55 011 98765-4321",
        "5511987654321",
        "0 15 11 98765-4321",
        "(0xx11) 98765-4321",
        "11 8765-4321",
        "551187654321",
        "+551187654321",
        "(11) 98765-4321 ramal 22",
        "(11) 98765-4321 / (11) 3333-4444",
        "11987654321 ou 11912345678",
    ],
)
def test_a_mobile_has_one_form_however_it_is_typed(typed: str):
    assert phones.normalise_phone(typed) == "+5511987654321"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("(11) 3333-4444", "+551133334444"),
        ("551133334444", "+551133334444"),
        ("+351 912 345 678", "+351912345678"),
        ("(31) 7123-4567", "+5531971234567"),
        ("(55) 3222-1234", "+555532221234"),
        ("55 99123-4567", "+5555991234567"),
    ],
)
def test_landlines_foreign_numbers_and_the_ddd_55_are_kept(typed: str, expected: str):
    assert phones.normalise_phone(typed) == expected


@pytest.mark.parametrize("typed", [None, "", "sem telefone", "123", "(20) 98765-4321", "00000000000", "a@b.com"])
def test_what_is_not_a_phone_is_none(typed: str | None):
    assert phones.normalise_phone(typed) is None


def test_both_forms_of_a_mobile_are_tried_and_a_landline_has_one():
    both = ("+5531987654321", "+553187654321")
    assert phones.phone_variants("+5531987654321") == both
    assert phones.phone_variants("+553187654321") == both
    assert phones.phone_variants("+551133334444") == ("+551133334444",)
    assert phones.phone_variants("+351912345678") == ("+351912345678",)


def test_a_mobile_newer_than_the_ninth_digit_has_one_form_as_its_old_form_would_be_a_landline():
    assert phones.phone_variants("+5511955550101") == ("+5511955550101",)
    assert phones.is_mobile("+5511955550101")
    assert phones.is_mobile("+553187654321")
    assert not phones.is_mobile("+551155550101")
    assert not phones.is_mobile("+351912345678")


@given(st.text(max_size=60) | st.text(alphabet="+0123456789()- x/", max_size=24))
def test_any_text_gives_a_phone_that_normalises_to_itself_or_nothing(text: str):
    phone = phones.normalise_phone(text)
    assert phone is None or phones.normalise_phone(phone) == phone


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (" Contato@Agencia.COM.br ", "contato@agencia.com.br"),
        ("mailto:oi@agencia.com.br?subject=x", "oi@agencia.com.br"),
        ("<oi@agencia.com.br>,", "oi@agencia.com.br"),
        ("oi@café.com.br", "oi@xn--caf-dma.com.br"),
        ("oi@agencia", None),
        ("oi @agencia.com", None),
        ("a@b@c.com", None),
        ("", None),
        (None, None),
    ],
)
def test_emails_are_lower_case_and_checked(typed: str | None, expected: str | None):
    assert emails.normalise_email(typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("https://www.Agencia.com.br/contato?x=1", "agencia.com.br"),
        ("agencia.com.br", "agencia.com.br"),
        ("http://agencia.com.br:8080/", "agencia.com.br"),
        ("contato@agencia.com.br", "agencia.com.br"),
        ("blog.agencia.com.br", "blog.agencia.com.br"),
        ("https://studio.wixsite.com/portfolio", "studio.wixsite.com"),
        ("https://agência.com.br", "xn--agncia-jva.com.br"),
        ("https://www.instagram.com/agencia", None),
        ("https://pt-br.facebook.com/agencia", None),
        ("https://linktr.ee/agencia", None),
        ("maria@gmail.com", None),
        ("https://wixsite.com", None),
        ("http://10.0.0.1/", None),
        ("http://[::1]/", None),
        ("javascript:alert(1)", None),
        ("ftp://agencia.com.br", None),
        ("nada", None),
        (None, None),
    ],
)
def test_a_domain_is_the_companys_own_or_none(typed: str | None, expected: str | None):
    assert hosts.domain_of(typed) == expected


@given(st.text(max_size=80) | st.text(alphabet="w.-ab:/@[]é", max_size=24))
def test_any_text_gives_a_domain_that_is_its_own_domain_or_nothing(text: str):
    domain = hosts.domain_of(text)
    assert domain is None or hosts.domain_of(domain) == domain


@pytest.mark.parametrize("cnpj", ["12ABC34501DE35", "11222333000181", "12.abc.345/01de-35", "11.222.333/0001-81"])
def test_numeric_and_alphanumeric_cnpj_pass_in_any_case_and_mask(cnpj: str):
    assert documents.normalise_cnpj(cnpj) == cnpj.replace(".", "").replace("/", "").replace("-", "").upper()


@pytest.mark.parametrize(
    "cnpj",
    [
        "12ABC34501DE36",
        "11222333000182",
        "00000000000000",
        "1122233300018",
        "12ABC34501DEA5",
        "1122233300018X",
        "",
        None,
    ],
)
def test_wrong_check_digits_lengths_and_repeated_characters_fail(cnpj: str | None):
    assert documents.normalise_cnpj(cnpj) is None


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=12, max_size=12), st.integers(0, 99))
def test_a_cnpj_has_exactly_one_pair_of_check_digits(root: str, other: int):
    valid = [f"{root}{pair:02d}" for pair in range(100) if documents.is_valid_cnpj(f"{root}{pair:02d}")]
    assert len(valid) == 1 or (len(set(root)) == 1 and not valid)
    assert documents.is_valid_cnpj(f"{root}{other:02d}") == (f"{root}{other:02d}" in valid)


def test_cpf_digits_are_checked():
    assert documents.normalise_cpf("529.982.247-25") == "52998224725"
    assert not documents.is_valid_cpf("52998224724")
    assert not documents.is_valid_cpf("11111111111")


def test_a_cnpj_is_shown_with_its_mask():
    assert documents.format_cnpj("12ABC34501DE35") == "12.ABC.345/01DE-35"


def test_both_forms_of_a_number_have_the_same_keyed_hash_and_another_secret_gives_another():
    person = keys.PersonKeys.of(phone="(31) 8765-4321", email="Ana@Agencia.com.br", company="agencia.com.br")
    assert person == keys.PersonKeys("+5531987654321", "ana@agencia.com.br", "agencia.com.br")
    assert person.hashes("s")[0] == keys.key_hash("s", "phone", "+553187654321")
    assert person.hashes("s") != person.hashes("t")
    assert len(person.hashes("s")) == 2
