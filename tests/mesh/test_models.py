"""Shapes are built late: two first requests at once must both see a whole one."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pydantic import ValidationError

from somos.mesh import Body, Page, View


def test_a_shape_is_built_by_its_first_value_and_is_as_strict_as_declared() -> None:
    class Draft(Body):
        title: str

    assert not Draft.__pydantic_complete__
    with pytest.raises(ValidationError):
        Draft.model_validate({"title": "a", "owner": "b"})
    assert Draft.__pydantic_complete__


def test_many_first_values_at_once_all_find_the_whole_shape() -> None:
    for _ in range(40):

        class Inner(View):
            a: int
            b: list[str]

        class Outer(View):
            inner: Inner
            page: Page[Inner]

        together = Barrier(6)

        def make(shape: type[View], together: Barrier = together) -> View:
            together.wait()
            one = {"a": 1, "b": ["x"]}
            return shape.model_validate({"inner": one, "page": {"items": [one]}} if shape.__name__ == "Outer" else one)

        with ThreadPoolExecutor(6) as pool:
            made = list(pool.map(make, [Inner, Outer] * 3))
        assert [one.model_fields_set for one in made] == [{"a", "b"}, {"inner", "page"}] * 3
