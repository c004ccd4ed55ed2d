"""A language model behind any OpenAI-compatible endpoint, through LangChain, with structured output."""

import logging
import time
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from somos.adapters.resilience import Caller
from somos.kernel.text import storable, storable_json
from somos.ports.errors import (
    NotConfigured,
    OutsideError,
    QuotaExhausted,
    Refused,
    Throttled,
    Transient,
)
from somos.ports.llm import Llm, LlmAnswer, Prompt

THROTTLED_PAUSE_S = 5.0

# These write whole requests, prompts included, at DEBUG.
for name in ("openai._base_client", "httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy"):
    logging.getLogger(name).addFilter(lambda record: record.levelno >= logging.WARNING)


class LangchainLlm(Llm):
    def __init__(self, caller: Caller, base_url: str, api_key: str, model: str) -> None:
        self._caller, self._base_url, self._api_key, self._model = caller, base_url, api_key, model
        self._chat: Any = None

    def ask(self, prompt: Prompt, output: type[BaseModel], key: str = "") -> LlmAnswer:
        chat = self._asking_for(output, key)
        messages = [("system", prompt.system), ("user", prompt.user)]
        began = time.perf_counter()
        tally = _Tally()

        def attempt() -> tuple[LlmAnswer, int]:
            try:
                raw = chat.invoke(messages)
            except Exception as error:
                raise _mapped(error) from None
            tally.add(raw.usage_metadata or {})
            if raw.additional_kwargs.get("refusal"):
                raise Refused("O modelo se recusou a responder.", code="model-refused", status=200)
            try:
                fitting = output.model_validate_json(storable_json(storable(str(raw.text)).encode()))
            except ValidationError:
                raise tally.outside_schema() from None
            answer = LlmAnswer(
                output=fitting.model_dump(mode="json"),
                model=storable(str(raw.response_metadata.get("model_name") or self._model)),
                tokens_in=tally.tokens_in,
                tokens_out=tally.tokens_out,
                latency_ms=round((time.perf_counter() - began) * 1000),
            )
            return answer, 200

        return self._caller.call("ask", "read", attempt)

    def _asking_for(self, output: type[BaseModel], key: str) -> Any:
        """The model, bound to the schema. Heavy libraries are loaded here, on first use."""
        from langchain_openai import ChatOpenAI

        if self._chat is None:
            self._chat = ChatOpenAI(
                base_url=self._base_url,
                api_key=self._api_key,
                model=self._model,
                timeout=self._caller.terms.timeout,
                max_retries=0,
            )
        # Bound by hand: LangChain's own way to structured output starts threads for each question.
        headers = {"X-Client-Request-Id": key} if key else {}
        return self._chat.bind(response_format=_format(output), extra_headers=headers)


@cache
def _format(output: type[BaseModel]) -> dict[str, Any]:
    """As a plain schema, not as the class: then an answer that does not fit still tells what it cost."""
    from openai import pydantic_function_tool

    strict = pydantic_function_tool(output)["function"]["parameters"]
    return {"type": "json_schema", "json_schema": {"name": output.__name__, "schema": strict, "strict": True}}


class _Tally:
    """What all tries of one question cost, and how often the answer missed its schema."""

    def __init__(self) -> None:
        self.tokens_in = self.tokens_out = self._misses = 0

    def add(self, usage: Any) -> None:
        self.tokens_in += usage.get("input_tokens", 0)
        self.tokens_out += usage.get("output_tokens", 0)

    def outside_schema(self) -> OutsideError:
        """Once may be chance and is worth another try; twice is a refusal."""
        self._misses += 1
        kind = Transient if self._misses == 1 else Refused
        return kind("O modelo respondeu fora do formato pedido.", code="outside-schema", status=200)


def _mapped(error: Exception) -> OutsideError:
    """What went wrong, in our six words. Texts are dropped: they may quote the prompt or part of the key."""
    import openai

    if isinstance(error, openai.APITimeoutError | openai.APIConnectionError):
        return Transient("Não foi possível falar com o modelo.", code="unreachable", outage=True)
    if isinstance(error, openai.LengthFinishReasonError):
        return Refused("A resposta do modelo não coube no limite.", code="too-long", status=200)
    if isinstance(error, openai.ContentFilterFinishReasonError):
        return Refused("O filtro do provedor barrou a resposta.", code="content-filter", status=200)
    if isinstance(error, openai.APIStatusError):
        return _by_status(error)
    # Not what the protocol says: a page of a proxy, half a body.
    return Transient("Resposta ilegível do modelo.", code="malformed", outage=True)


def _by_status(error: Any) -> OutsideError:
    status, code = error.status_code, error.code or ""
    if status == 429 and "insufficient_quota" in (code, error.type):
        return QuotaExhausted("O crédito do modelo acabou.", code="insufficient_quota", status=429)
    if status == 429:
        return Throttled(
            "O modelo pediu uma pausa.",
            retry_after=_pause(error.response.headers.get("retry-after")),
            status=429,
        )
    if status in (401, 403):
        return NotConfigured("O provedor do modelo recusou a chave.", code="key-refused", status=status)
    if status == 404:
        return NotConfigured("Este modelo não existe no provedor.", code="model-not-found", status=404)
    if status in (408, 409) or status >= 500:
        return Transient("O provedor do modelo falhou.", code="provider-failed", status=status, outage=status >= 500)
    return Refused("O modelo recusou o pedido.", code=code or f"http-{status}", status=status)


def _pause(header: str | None) -> float:
    try:
        return max(0.0, float(header or ""))
    except ValueError:
        return THROTTLED_PAUSE_S
