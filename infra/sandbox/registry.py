"""The company registry, in minha-receita's shapes: GET /cnpj/{cnpj}."""

import re
from typing import Any

from flask import Blueprint, jsonify

from infra.sandbox.people import Company, by_cnpj
from infra.sandbox.sites import mask_cnpj

SITUATIONS = {"ATIVA": 2, "SUSPENSA": 3, "INAPTA": 4, "BAIXADA": 8}
PORTES = {"MICRO EMPRESA": 1, "EMPRESA DE PEQUENO PORTE": 3, "DEMAIS": 5}
WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def valid(cnpj: str) -> bool:
    """Shape and check digits, letters included (value = ASCII - 48)."""
    if not re.fullmatch(r"[A-Z0-9]{12}[0-9]{2}", cnpj) or len(set(cnpj)) == 1:
        return False
    for size in (12, 13):
        rest = sum((ord(c) - 48) * w for c, w in zip(cnpj[:size], WEIGHTS[13 - size :], strict=True)) % 11
        if int(cnpj[size]) != (0 if rest < 2 else 11 - rest):
            return False
    return True


def record(company: Company) -> dict[str, Any]:
    upper = company.city.upper().translate(str.maketrans("ÁÂÃÉÊÍÓÔÕÚÇ", "AAAEEIOOOUC"))
    person = company.person
    return {
        "cnpj": company.cnpj,
        "identificador_matriz_filial": 1,
        "descricao_identificador_matriz_filial": "MATRIZ",
        "razao_social": company.legal_name.upper(),
        "nome_fantasia": company.name.upper(),
        "situacao_cadastral": SITUATIONS[company.registry],
        "descricao_situacao_cadastral": company.registry,
        "data_situacao_cadastral": f"{company.founded}-08-03",
        "data_inicio_atividade": f"{company.founded}-08-03",
        "codigo_natureza_juridica": 2062,
        "natureza_juridica": "Sociedade Empresária Limitada",
        "cnae_fiscal": company.cnae,
        "cnae_fiscal_descricao": company.cnae_text,
        "cnaes_secundarios": [{"codigo": 7319002, "descricao": "Promoção de vendas"}],
        "codigo_porte": PORTES[company.porte],
        "porte": company.porte,
        "capital_social": 10_000 * company.number,
        "descricao_tipo_de_logradouro": "RUA",
        "logradouro": "DOS INVENTADOS",
        "numero": str(100 + company.number),
        "complemento": "",
        "bairro": company.district.upper(),
        "cep": company.cep.replace("-", ""),
        "uf": company.uf,
        "municipio": upper,
        "codigo_pais": None,
        "pais": None,
        "ddd_telefone_1": company.fixed[2:],
        "ddd_telefone_2": company.mobile[2:],
        "ddd_fax": "",
        "email": company.email if company.number % 3 else None,
        "opcao_pelo_simples": company.porte != "DEMAIS",
        "opcao_pelo_mei": False,
        "qsa": [
            {
                "identificador_de_socio": 2,
                "nome_socio": person.name.upper(),
                "cnpj_cpf_do_socio": f"***{company.number:03d}555**",
                "codigo_qualificacao_socio": 49,
                "qualificacao_socio": "Sócio-Administrador",
                "data_entrada_sociedade": f"{company.founded}-08-03",
                "codigo_pais": None,
                "pais": None,
                "faixa_etaria": "Entre 41 a 50 anos",
            }
        ],
    }


def blueprint() -> Blueprint:
    bp = Blueprint("cnpj", __name__, url_prefix="/cnpj")

    @bp.get("/<path:cnpj>")
    def by_number(cnpj: str) -> Any:
        plain = re.sub(r"[./\- ]", "", cnpj).upper()
        if not valid(plain):
            return jsonify(message=f"CNPJ {cnpj} inválido."), 400
        company = by_cnpj(plain)
        if company is None:
            return jsonify(message=f"CNPJ {mask_cnpj(plain)} não encontrado."), 404
        return jsonify(record(company))

    return bp
