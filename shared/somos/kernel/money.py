"""Amounts of money, in cents, as people write and read them in Brazil."""

import re

MAX_CENTS = 10**13  # a hundred billion reais: beyond it somebody typed a phone number


def reais(cents: int) -> str:
    """1234.56 the Brazilian way: 1234,56."""
    return f"{cents // 100},{cents % 100:02}"


def parse_money(text: str) -> int | None:
    """Cents of "R$ 1.500,50", "1500.50", "1.500" or "1500"; None when it is not an amount."""
    bare = re.sub(r"(?i)r\$|\s", "", text)
    if not re.fullmatch(r"\d[\d.,]*", bare):
        return None
    decimal = re.fullmatch(r"(.*?)[.,](\d{1,2})", bare)
    whole, cents = (decimal[1], decimal[2].ljust(2, "0")) if decimal else (bare, "00")
    if not re.fullmatch(r"\d+|\d{1,3}(\.\d{3})+|\d{1,3}(,\d{3})+", whole):
        return None
    total = int(re.sub(r"[.,]", "", whole)) * 100 + int(cents)
    return total if total <= MAX_CENTS else None
