"""The invented companies are consistent, clearly invented, and found by a sentence."""

import pytest
import requests

from infra.sandbox.people import TEMPERAMENTS, companies
from infra.sandbox.registry import valid
from infra.sandbox.serve import Sandbox

from .conftest import Call, World

QUESTION = "Agências de publicidade em São Paulo, 50+ funcionários"


def test_every_cnpj_has_valid_check_digits_and_one_has_letters() -> None:
    numbers = [c.cnpj for c in companies()]
    assert all(valid(n) for n in numbers)
    assert len(set(numbers)) == len(numbers) >= 24
    assert any(not n.isdigit() for n in numbers)


def test_the_check_digit_rule_agrees_with_the_published_vectors() -> None:
    assert valid("12ABC34501DE35")
    assert valid("11222333000181")
    assert not valid("11222333000182")
    assert not valid("00000000000000")


def test_every_temperament_lives_somewhere() -> None:
    assert {c.person.temperament for c in companies()} == set(TEMPERAMENTS)


def test_domains_and_phones_are_clearly_invented() -> None:
    assert all(c.domain.endswith("-exemplo.com.br") for c in companies())
    assert all("555501" in phone for c in companies() for phone in (c.fixed, c.mobile) if phone)


def names(search: Call, engine: str, query: str = QUESTION) -> list[str]:
    found: list[str] = []
    step = 10 if engine == "google" else 20
    for start in range(0, 100, step):
        key = "organic_results" if engine == "google" else "local_results"
        body = search(engine=engine, q=query, start=start, ll="@-23.55,-46.63,14z").json()
        found += [r["title"] for r in body.get(key, [])]
        if "serpapi_pagination" not in body:
            return found
    raise AssertionError("paging never ends")


def test_a_sentence_finds_the_agencies_of_the_city_in_a_stable_order(search: Call) -> None:
    web, maps = names(search, "google"), names(search, "google_maps")
    assert web[0].startswith("Horizonte Propaganda")
    assert len(maps) == 12
    assert not [n for n in web + maps if "Guanabara" in n or "Metalúrgica" in n]
    assert names(search, "google") == web
    assert names(search, "google", "agencia de publicidade sao paulo sp") == web


def test_the_same_company_is_spelled_differently_on_the_map(search: Call) -> None:
    web, maps = names(search, "google"), names(search, "google_maps")
    assert any(n.startswith("Horizonte Propaganda") for n in web)
    assert "Agência Horizonte" in maps


@pytest.mark.parametrize("query", ["padarias em Manaus", "agência de publicidade em Manaus", "50+ funcionários"])
def test_a_question_about_nobody_finds_nobody(search: Call, query: str) -> None:
    assert "error" in search(engine="google", q=query).json()


def test_a_question_about_another_city_or_trade_finds_those(search: Call) -> None:
    assert names(search, "google_maps", "agência de publicidade em Curitiba") == ["Araucária Comunicação"]
    assert names(search, "google_maps", "indústria metalúrgica São Paulo") == ["Metalúrgica Bandeirante"]


def test_the_registry_answers_in_the_shape_of_minha_receita(sandbox: Sandbox) -> None:
    record = requests.get(f"{sandbox.url}/cnpj/98000101000167").json()
    assert record["razao_social"] == "HORIZONTE PROPAGANDA E MARKETING LTDA"
    assert record["cnae_fiscal"] == 7311400
    assert record["descricao_situacao_cadastral"] == "ATIVA"
    assert (record["municipio"], record["uf"]) == ("SAO PAULO", "SP")
    assert record["ddd_telefone_1"] == "1155550101"
    assert record["qsa"][0]["nome_socio"] == "ANA BEATRIZ PRADO"
    assert {"nome_fantasia", "cnae_fiscal_descricao", "porte", "email"} <= record.keys()


def test_the_registry_takes_masks_and_letters_and_knows_closed_companies(sandbox: Sandbox) -> None:
    assert requests.get(f"{sandbox.url}/cnpj/98.000.101/0001-67").status_code == 200
    assert requests.get(f"{sandbox.url}/cnpj/9xtam007000188").json()["nome_fantasia"].startswith("TAMANDU")
    closed = requests.get(f"{sandbox.url}/cnpj/98000109000123").json()
    assert closed["descricao_situacao_cadastral"] == "BAIXADA"


def test_the_registry_tells_an_unknown_number_from_an_impossible_one(sandbox: Sandbox) -> None:
    unknown = requests.get(f"{sandbox.url}/cnpj/11222333000181")
    assert (unknown.status_code, unknown.json()) == (404, {"message": "CNPJ 11.222.333/0001-81 não encontrado."})
    assert requests.get(f"{sandbox.url}/cnpj/11222333000182").status_code == 400


def test_the_welcome_page_says_what_this_is(sandbox: Sandbox, world: World) -> None:
    page = requests.get(sandbox.url)
    assert page.headers["content-type"].startswith("text/html")
    assert "simulado" in page.text
    assert len(world.get("companies")) == len(companies())
