"""The company registry: which answers mean what, and what a record becomes."""

from collections.abc import Callable
from datetime import date

import pytest

from somos.adapters.http import ResilientClient
from somos.adapters.minha_receita.company_registry import MinhaReceita
from somos.ports.company_registry import Activity, CompanyRegistry, Partner
from somos.ports.errors import OutsideError, Refused, Transient
from somos.wiring import Wiring
from tests.adapters.provider import Provider, Reply

Make = Callable[..., ResilientClient]

RECORD = {
    "cnpj": "33683111000280",
    "identificador_matriz_filial": 2,
    "razao_social": "SERVICO FEDERAL DE EXEMPLOS ",
    "nome_fantasia": "",
    "situacao_cadastral": 2,
    "descricao_situacao_cadastral": "ATIVA",
    "data_situacao_cadastral": "2004-05-22",
    "data_inicio_atividade": "1967-06-30",
    "cnae_fiscal": 111301,
    "cnae_fiscal_descricao": "Cultivo de arroz",
    "cnaes_secundarios": [{"codigo": 6201501, "descricao": "Desenvolvimento"}, {"codigo": 0, "descricao": ""}],
    "descricao_tipo_de_logradouro": "AVENIDA",
    "logradouro": "L2 SGAN",
    "numero": "601",
    "complemento": "",
    "bairro": "ASA NORTE",
    "cep": "70836900",
    "uf": "DF",
    "municipio": "BRASILIA",
    "ddd_telefone_1": "6155550101",
    "ddd_telefone_2": "",
    "email": None,
    "capital_social": 1234.565,
    "porte": "DEMAIS",
    "natureza_juridica": "Empresa Pública",
    "opcao_pelo_simples": None,
    "opcao_pelo_mei": False,
    "qsa": [{"nome_socio": "ANA", "qualificacao_socio": "Diretor", "data_entrada_sociedade": "2016-06-16",
             "cnpj_cpf_do_socio": "***220050**"}],
}  # fmt: skip


@pytest.fixture
def registry(client: Make) -> MinhaReceita:
    return MinhaReceita(client())


def test_a_record_in_our_words(registry: MinhaReceita, provider: Provider) -> None:
    provider.will(Reply(200, RECORD))
    found = registry.by_cnpj("33.683.111/0002-80")
    assert found is not None
    assert provider.asked[0].path == "/33683111000280"
    assert found.legal_name == "SERVICO FEDERAL DE EXEMPLOS"
    assert found.trade_name is None
    assert found.active
    assert found.headquarters is False
    assert found.opened_on == date(1967, 6, 30)
    assert found.activity == Activity(code="0111301", name="Cultivo de arroz")
    assert found.other_activities == (Activity(code="6201501", name="Desenvolvimento"),)
    assert found.address == "AVENIDA L2 SGAN, 601, ASA NORTE"
    assert found.phones == ("6155550101",)
    assert found.capital_cents == 123457
    assert (found.simples, found.mei) == (None, False)
    assert found.partners == (Partner(name="ANA", role="Diretor", since=date(2016, 6, 16)),)


@pytest.mark.parametrize("situation", [1, 3, 4, 8, None])
def test_any_other_situation_is_not_active(registry: MinhaReceita, provider: Provider, situation: int | None) -> None:
    provider.will(Reply(200, {**RECORD, "situacao_cadastral": situation}))
    found = registry.by_cnpj("33683111000280")
    assert found is not None
    assert not found.active


def test_an_alphanumeric_number_is_asked_in_capitals(registry: MinhaReceita, provider: Provider) -> None:
    provider.will(Reply(200, {**RECORD, "cnpj": "12ABC34501DE35"}))
    registry.by_cnpj("12.abc.345/01de-35")
    assert provider.asked[0].path == "/12ABC34501DE35"


def test_an_unknown_company_is_none_and_not_an_error(registry: MinhaReceita, provider: Provider) -> None:
    provider.will(Reply(404, {"message": "CNPJ 33.683.111/0002-80 não encontrado."}))
    assert registry.by_cnpj("33683111000280") is None
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "code", "tries"),
    [
        (Reply(400, {"message": "CNPJ foobar inválido."}), Refused, "invalid-cnpj", 1),
        (Reply(404, "<h1>404</h1>"), Refused, "http-404", 1),
        (Reply(500, {}), Transient, "provider-failed", 3),
        (Reply(200, {}), Transient, "malformed", 3),
        (Reply(200, "<html>"), Transient, "malformed", 3),
    ],
)
def test_what_an_answer_means(
    registry: MinhaReceita, provider: Provider, reply: Reply, kind: type, code: str, tries: int
) -> None:
    provider.will(reply)
    with pytest.raises(OutsideError) as raised:
        registry.by_cnpj("33683111000280")
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert len(provider.asked) == tries


def test_the_sandbox_knows_its_companies(wiring: Wiring) -> None:
    registry = wiring.port(CompanyRegistry)
    found = registry.by_cnpj("98000101000167")
    assert found is not None
    assert found.legal_name == "HORIZONTE PROPAGANDA E MARKETING LTDA"
    assert registry.by_cnpj("11222333000181") is None
