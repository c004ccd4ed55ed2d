"""Fields that several resources take."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from somos.modules.sdr.rules.windows import minute_of


def _hour(text: str) -> str:
    try:
        minute_of(text)
    except ValueError:
        raise ValueError("Use HH:MM, de 00:00 a 24:00") from None
    return text


def _zone(text: str) -> str:
    from zoneinfo import available_timezones

    if text not in available_timezones():
        raise ValueError("Fuso desconhecido; por exemplo America/Sao_Paulo")
    return text


Short = Annotated[str, Field(min_length=1, max_length=200)]
Reason = Annotated[str, Field(min_length=3, max_length=500)]
Text = Annotated[str, Field(min_length=1, max_length=6000)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="O `text_hash` da mensagem que foi lida")]
Hour = Annotated[str, Field(pattern=r"^\d\d:\d\d$"), AfterValidator(_hour)]
Zone = Annotated[str, Field(max_length=60), AfterValidator(_zone)]
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 31), description="AAAA-MM-DD")]
