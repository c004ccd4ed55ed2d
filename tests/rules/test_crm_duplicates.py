"""Twins: a key decides, a name only suggests."""

import pytest

from somos.modules.crm.rules import duplicates, merges
from somos.modules.crm.rules.duplicates import Known


def test_an_equal_key_is_certain_whatever_the_name():
    found = duplicates.likeness(Known("Lumen", domain="lumen.com.br"), Known("Outra", domain="lumen.com.br"))
    assert (found.kind, found.fields, found.score) == ("exact", ("domain",), 100)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Agência Lúmen Ltda", "LUMEN AGENCIA"),
        ("Farol Filmes Produções ME", "Farol Filmes Producoes"),
        ("Café com Vídeo", "Cafe com Video S/A"),
    ],
)
def test_the_same_name_written_differently_is_suggested(one, other):
    assert duplicates.likeness(Known(one), Known(other)).kind == "similar"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Agência Lumen", "Agência Norte"), ("Farol Filmes", "Girassol Filmes"), ("Alfa", "Beta")],
)
def test_a_common_word_is_not_a_twin(one, other):
    assert duplicates.likeness(Known(one), Known(other)) is None


def test_another_city_or_another_document_makes_another_company():
    assert duplicates.likeness(Known("Lumen", city="São Paulo"), Known("Lumen", city="Recife")) is None
    assert duplicates.likeness(Known("Lumen", document="1"), Known("Lumen", document="2")) is None
    assert duplicates.likeness(Known("Lumen", city="São Paulo"), Known("Lumen", city="SAO PAULO"))


def test_a_merge_takes_the_chosen_side_and_fills_what_was_empty():
    survivor = {"name": "Lumen", "phone": None, "email": "a@lumen.com.br", "city": "São Paulo"}
    absorbed = {"name": "Lúmen Ltda", "phone": "+5511", "email": "b@lumen.com.br", "city": None}
    merged = merges.chosen_values(survivor, absorbed, {"name": "absorbed", "city": "absorbed"}, survivor)
    assert merged == {"name": "Lúmen Ltda", "phone": "+5511", "email": "a@lumen.com.br", "city": None}


def test_only_known_fields_can_be_chosen():
    assert merges.unknown_choices(["name", "owner", "id"], ["name"]) == ["id", "owner"]
