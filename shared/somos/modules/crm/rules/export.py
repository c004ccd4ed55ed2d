"""Amounts as a spreadsheet in Brazil reads them."""


def reais(cents: int) -> str:
    """1234.56 the Brazilian way: 1234,56."""
    return f"{cents // 100},{cents % 100:02}"
