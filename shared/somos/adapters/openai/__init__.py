"""A language model behind any OpenAI-compatible endpoint."""

from typing import TYPE_CHECKING

from somos.adapters.provider import Adapter, Provider, Setting, address, secret

if TYPE_CHECKING:
    from somos.adapters.outside import Outside
    from somos.ports.llm import Llm

URL = address("OPENAI_BASE_URL", sandbox="/openai/v1")
KEY = secret("OPENAI_API_KEY")
MODEL = Setting("OPENAI_MODEL", default="gpt-6-luna")


def _llm(outside: "Outside") -> "Llm":
    from somos.adapters.openai.llm import LangchainLlm

    return LangchainLlm(outside.caller(), outside.value(URL), outside.value(KEY), outside.value(MODEL))


PROVIDER = Provider("openai", {"somos.ports.llm.Llm": Adapter(_llm, (URL, KEY, MODEL), image="ai")})
