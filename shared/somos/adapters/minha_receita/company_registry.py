"""The federal company registry through a Minha Receita server."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from somos.adapters.http import Answer, ResilientClient, by_status
from somos.ports.company_registry import Activity, CompanyRegistry, Partner, RegistryRecord
from somos.ports.errors import OutsideError, Refused

ACTIVE = 2  # situacao_cadastral: 1 nula, 2 ativa, 3 suspensa, 4 inapta, 8 baixada
HEADQUARTERS = 1


class MinhaReceita(CompanyRegistry):
    def __init__(self, client: ResilientClient) -> None:
        self._client = client

    def by_cnpj(self, cnpj: str) -> RegistryRecord | None:
        number = re.sub(r"[.\-/\s]", "", cnpj).upper()
        answer = self._client.call("by_cnpj", "read", "GET", f"/{quote(number, safe='')}", judge=_judge)
        return None if answer.status == 404 else _record(answer.object)


def _judge(answer: Answer) -> OutsideError | None:
    if answer.status == 404 and "message" in answer.object:
        return None  # it knows of no such company; any other 404 is a wrong address
    if answer.status == 400:
        return Refused("A Receita não reconhece este CNPJ.", code="invalid-cnpj", status=400)
    if error := by_status(answer):
        return error
    if not answer.object.get("cnpj") or not answer.object.get("razao_social"):
        return answer.uncertain("Resposta incompleta do cadastro de empresas.", code="malformed")
    return None


def _record(data: Mapping[str, Any]) -> RegistryRecord:
    street = " ".join(filter(None, [_text(data, "descricao_tipo_de_logradouro"), _text(data, "logradouro")]))
    address = ", ".join(
        filter(None, [street, _text(data, "numero"), _text(data, "complemento"), _text(data, "bairro")])
    )
    kind = data.get("identificador_matriz_filial")
    return RegistryRecord(
        cnpj=str(data["cnpj"]),
        legal_name=str(data["razao_social"]).strip(),
        trade_name=_text(data, "nome_fantasia"),
        status=_text(data, "descricao_situacao_cadastral") or "DESCONHECIDA",
        status_since=_date(data, "data_situacao_cadastral"),
        active=data.get("situacao_cadastral") == ACTIVE,
        headquarters=None if kind is None else kind == HEADQUARTERS,
        opened_on=_date(data, "data_inicio_atividade"),
        activity=_activity(data.get("cnae_fiscal"), data.get("cnae_fiscal_descricao")),
        other_activities=tuple(
            activity
            for item in _items(data, "cnaes_secundarios")
            if (activity := _activity(item.get("codigo"), item.get("descricao")))
        ),
        size=_text(data, "porte") or _text(data, "descricao_porte"),
        legal_nature=_text(data, "natureza_juridica"),
        capital_cents=_cents(data.get("capital_social")),
        simples=_flag(data, "opcao_pelo_simples"),
        mei=_flag(data, "opcao_pelo_mei"),
        address=address or None,
        city=_text(data, "municipio"),
        uf=_text(data, "uf"),
        postal_code=_text(data, "cep"),
        phones=tuple(filter(None, (_text(data, "ddd_telefone_1"), _text(data, "ddd_telefone_2")))),
        email=_text(data, "email"),
        partners=tuple(
            Partner(name=name, role=_text(item, "qualificacao_socio"), since=_date(item, "data_entrada_sociedade"))
            for item in _items(data, "qsa")
            if (name := _text(item, "nome_socio"))
        ),
    )


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _flag(data: Mapping[str, Any], name: str) -> bool | None:
    value = data.get(name)
    return value if isinstance(value, bool) else None


def _date(data: Mapping[str, Any], name: str) -> date | None:
    try:
        return date.fromisoformat((_text(data, name) or "")[:10])
    except ValueError:
        return None


def _items(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    block = data.get(name)
    return [item for item in block if isinstance(item, Mapping)] if isinstance(block, list) else []


def _activity(code: Any, name: Any) -> Activity | None:
    """CNAE codes come as numbers, without the zeros in front."""
    if not isinstance(code, int | str) or not str(code).strip("0"):
        return None
    return Activity(code=str(code).zfill(7), name=name.strip() or None if isinstance(name, str) else None)


def _cents(value: Any) -> int | None:
    try:
        return int((Decimal(str(value)) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    except InvalidOperation:
        return None
