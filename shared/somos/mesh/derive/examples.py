"""Example values in Portuguese for the documentation: what a field's own schema says, else what its name suggests."""

import re
from typing import Any

ID = "0192f0c4-7a3e-7d10-9b1a-3c5d7e9f0a1b"
TEXTS = {
    "title": "Filme institucional 2027",
    "name": "Estúdio Aurora",
    "contact_name": "Marina Prado",
    "company_name": "Estúdio Aurora Ltda.",
    "description": "Agências de publicidade em São Paulo, 50+ funcionários",
    "email": "marina@estudioaurora.com.br",
    "password": "uma-senha-bem-comprida",
    "phone": "+5511987654321",
    "domain": "estudioaurora.com.br",
    "site": "https://estudioaurora.com.br",
    "url": "https://estudioaurora.com.br",
    "cnpj": "11222333000181",
    "city": "São Paulo",
    "uf": "SP",
    "segment": "Agência de publicidade",
    "role": "Diretora de marketing",
    "contact_role": "Diretora de marketing",
    "subject": "Vídeo para a campanha de inverno",
    "text": "Oi, Marina! Vi a campanha de vocês e tenho uma ideia de filme curto para mostrar.",
    "body": "Conversamos por telefone; quer proposta até sexta.",
    "note": "Conversamos por telefone; quer proposta até sexta.",
    "reason": "Atende aos critérios do perfil: 60 funcionários, São Paulo, campanhas em vídeo.",
    "channel": "whatsapp",
    "query": "agências de publicidade em São Paulo",
    "q": "aurora",
    "tag": "indicação",
    "timezone": "America/Sao_Paulo",
}
BY_FORMAT = {
    "uuid": ID,
    "date-time": "2026-11-23T14:30:00Z",
    "date": "2026-12-15",
    "email": TEXTS["email"],
    "uri": TEXTS["url"],
}
NUMBERS = {"score": 82, "value_cents": 1_850_000, "probability": 60, "limit": 50, "version": 3, "position": 1}
NOTHING: Any = object()


class Examples:
    """Builds examples over the shared schemas."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas

    def shown(self, schema: dict[str, Any], name: str = "", only_known: bool = False) -> dict[str, Any]:
        """`{"example": ...}`, or nothing when no honest example is known."""
        if only_known and not (name in TEXTS or name in NUMBERS or "examples" in schema):
            return {}
        value = self._value(schema, name, 0)
        return {} if value is NOTHING else {"example": value}

    def _value(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        if "$ref" in schema:
            return self._value(self._schemas[schema["$ref"].rsplit("/", 1)[1]], name, depth)
        if schema.get("examples"):
            return schema["examples"][0]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return TEXTS[name] if TEXTS.get(name) in schema["enum"] else schema["enum"][0]
        for union in ("anyOf", "oneOf", "allOf"):
            if union in schema:
                return self._first([one for one in schema[union] if one.get("type") != "null"], name, depth)
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            item = NOTHING if depth > 5 else self._value(schema.get("items", {}), _singular(name), depth + 1)
            return ([] if schema.get("minItems", 0) == 0 else NOTHING) if item is NOTHING else [item]
        if kind == "string":
            return self._text(schema, name)
        if kind in ("integer", "number"):
            return _number(schema, name)
        return {"boolean": True, "null": None}.get(str(kind), NOTHING)

    def _object(self, schema: dict[str, Any], depth: int) -> Any:
        example = {}
        for key, field in schema.get("properties", {}).items():
            value = NOTHING if depth > 5 else self._value(field, key, depth + 1)
            if value is NOTHING:
                if key in schema.get("required", []):
                    return NOTHING
                continue
            example[key] = value
        return example

    def _first(self, choices: list[dict[str, Any]], name: str, depth: int) -> Any:
        return next((value for one in choices if (value := self._value(one, name, depth)) is not NOTHING), NOTHING)

    def _text(self, schema: dict[str, Any], name: str) -> Any:
        if (form := schema.get("format")) is not None:
            return BY_FORMAT.get(form, NOTHING)
        text = next(
            (TEXTS[known] for known in (name, name.rsplit("_", 1)[-1]) if known in TEXTS),
            name.replace("_", " ") or "texto",
        )
        fits = schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text))
        return text if fits and re.search(schema.get("pattern", ""), text) else NOTHING


def _number(schema: dict[str, Any], name: str) -> int:
    value = NUMBERS.get(name, 1_850_000 if name.endswith("_cents") else 1)
    low = schema.get("minimum", schema.get("exclusiveMinimum", value - 1) + 1)
    high = schema.get("maximum", schema.get("exclusiveMaximum", value + 1) - 1)
    return int(min(max(value, low), high))


def _singular(name: str) -> str:
    return name.removesuffix("s")
