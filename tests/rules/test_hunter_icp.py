"""A profile becomes searches, the same ones every time."""

import pytest
from pydantic import ValidationError

from somos.modules.hunter.rules.icp_profiles import Icp, Query, search_queries
from somos.modules.hunter.rules.limits import MAX_QUERIES


def test_each_segment_is_searched_in_each_place_and_source():
    icp = Icp(segments=["agência de publicidade", "hotel"], cities=["São Paulo"])
    assert search_queries(icp) == [
        Query("web", "agência de publicidade São Paulo"),
        Query("maps", "agência de publicidade São Paulo"),
        Query("web", "hotel São Paulo"),
        Query("maps", "hotel São Paulo"),
    ]


def test_without_cities_the_states_are_searched_by_name_and_without_places_the_segment_alone():
    assert search_queries(Icp(segments=["hotel"], ufs=["SP"]), ("web",)) == [Query("web", "hotel São Paulo")]
    assert search_queries(Icp(segments=["hotel"]), ("maps",)) == [Query("maps", "hotel")]


def test_the_same_words_are_searched_once_and_never_too_many():
    icp = Icp(segments=["Agência", "agencia"], cities=["São Paulo", "Sao Paulo"])
    assert len(search_queries(icp, ("web",))) == 1
    many = Icp(segments=[f"segmento {n}" for n in range(10)], cities=[f"cidade {n}" for n in range(20)])
    assert len(search_queries(many)) == MAX_QUERIES


@pytest.mark.parametrize(
    "wrong",
    [
        {"segments": []},
        {"segments": ["x"]},
        {"segments": ["hotel"], "ufs": ["XX"]},
        {"segments": ["hotel"], "cnaes": ["73.11"]},
        {"segments": ["hotel"], "employees_min": 50, "employees_max": 10},
        {"segments": ["hotel"], "employees_min": "50"},
        {"segments": ["hotel"], "weights": {"unknown": 3}},
        {"segments": ["hotel"], "colour": "blue"},
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        Icp.model_validate(wrong)


def test_a_profile_survives_its_own_json():
    icp = Icp.model_validate(
        {
            "segments": ["hotel"],
            "questions": [{"question": "Já fez vídeos?", "keywords": ["vídeo"], "weight": 5}],
            "weights": {"size": 50},
        }
    )
    assert Icp.model_validate(icp.model_dump(mode="json")) == icp
