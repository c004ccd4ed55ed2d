"""Asking the model once; a model that refuses is no failure to repeat, but an answer to work with."""

from pydantic import BaseModel

from somos.mesh import Context
from somos.mesh.journal import Refusal as KnownRefusal
from somos.ports.errors import Refused
from somos.ports.llm import Llm, LlmAnswer, Prompt


def ask_model(ctx: Context, name: str, prompt: Prompt, output: type[BaseModel]) -> LlmAnswer | None:
    """The answer, or None when the model will not give one however often it is asked."""
    try:
        return ctx.once(name, ctx.port(Llm).ask, prompt=prompt, output=output)
    except (Refused, KnownRefusal) as refusal:
        ctx.log.warning("model_refused", prompt=prompt.name, code=refusal.code)
        return None
