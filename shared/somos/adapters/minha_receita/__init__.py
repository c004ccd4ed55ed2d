"""The federal company registry through a Minha Receita server."""

from typing import TYPE_CHECKING

from somos.adapters.provider import Adapter, Provider, address

if TYPE_CHECKING:
    from somos.adapters.outside import Outside
    from somos.ports.company_registry import CompanyRegistry

URL = address("CNPJ_URL", sandbox="/cnpj")


def _company_registry(outside: "Outside") -> "CompanyRegistry":
    from somos.adapters.minha_receita.company_registry import MinhaReceita

    return MinhaReceita(outside.client(URL))


PROVIDER = Provider(
    "minha-receita", {"somos.ports.company_registry.CompanyRegistry": Adapter(_company_registry, (URL,))}
)
