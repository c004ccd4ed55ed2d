"""A method and a path find their endpoint, or the refusal that HTTP has for it."""

import pytest

from somos.mesh.problems import MethodNotAllowed, NotFound
from somos.mesh.router import Router

ROUTER = Router(
    [
        ("GET", "/deals", "all of them"),
        ("POST", "/deals", "a new one"),
        ("GET", "/deals/board", "the board"),
        ("GET", "/deals/{id}", "one"),
        ("PATCH", "/deals/{id}", "a change"),
        ("POST", "/deals/{id}/notes/{note_id}", "a note"),
        ("GET", "/{place}/board", "any board"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "target", "values"),
    [
        ("GET", "/deals", "all of them", {}),
        ("POST", "/deals", "a new one", {}),
        ("HEAD", "/deals", "all of them", {}),
        ("GET", "/deals/", "all of them", {}),
        ("GET", "//deals", "all of them", {}),
        ("GET", "/deals/7", "one", {"id": "7"}),
        ("GET", "/deals/{id}", "one", {"id": "{id}"}),
        ("GET", "/deals/board", "the board", {}),
        ("PATCH", "/deals/board", "a change", {"id": "board"}),
        ("POST", "/deals/7/notes/9", "a note", {"id": "7", "note_id": "9"}),
        ("GET", "/leads/board", "any board", {"place": "leads"}),
    ],
)
def test_the_most_literal_path_that_takes_the_method_answers(
    method: str, path: str, target: str, values: dict[str, str]
) -> None:
    assert ROUTER.match(method, path) == (target, values)


@pytest.mark.parametrize(
    "path", ["", "/", "/leads", "/deals/7/notes", "/deals//notes/9", "/deals/7/notes/9/10", "/deals//", "/Deals"]
)
def test_a_path_that_nobody_serves_is_unknown(path: str) -> None:
    with pytest.raises(NotFound):
        ROUTER.match("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/deals", "GET, HEAD, POST"),
        ("POST", "/deals/7", "GET, HEAD, PATCH"),
        ("POST", "/deals/board", "GET, HEAD, PATCH"),
        ("GET", "/deals/7/notes/9", "POST"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_told_which_it_does(method: str, path: str, allowed: str) -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        ROUTER.match(method, path)
    assert refused.value.headers["Allow"] == allowed
