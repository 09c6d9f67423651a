"""The declarations of the JSON for the components' scripts follow from Python's."""

from __future__ import annotations

from typing import Any, Generic, Literal, Never, NotRequired, TypedDict, TypeVar

import pytest

from playground.ui.components.declarations import COMPONENTS, DOCUMENTS, FILE, Declarations, declared


class Point(TypedDict):
    """A place."""

    x: float
    """From the left,
    in pixels."""
    tags: NotRequired[list[str | None]]


class Names(TypedDict, total=False):
    short: str


_Origin = TypedDict("_Origin", {"from": str})


Content = TypeVar("Content")


class Box(TypedDict, Generic[Content]):
    content: Content | None


class Drawing(Point, _Origin):
    points: list[Point]
    kind: Literal["line", "dot"]
    sizes: tuple[int, int]
    more: dict[str, Any] | None
    none: dict[str, Never]
    scale: int | float | str
    inner: list[Drawing]
    boxes: list[Box[Point]]
    names: Names


EXPECTED = """\
/** A place. `{module}` */
export interface Point {{
  /** From the left, in pixels. */
  x: number
  tags?: (string | null)[]
}}
"""


def test_a_document_is_declared_with_everything_in_it() -> None:
    declarations = Declarations()
    declarations.add(Drawing)
    text = declarations.text()
    assert EXPECTED.format(module=__name__) in text
    fields = text.split("interface Drawing")[1].split("}")[0]
    for line in (
        "/** From the left, in pixels. */", "x: number", "from: string", "points: Point[]", 'kind: "line" | "dot"', "sizes: [number, number]",
        "more: Record<string, unknown> | null", "none: Record<string, never>", "inner: Drawing[]", "boxes: Box<Point>[]", "scale: number | string",
    ):  # fmt: skip
        assert f"  {line}\n" in fields
    assert "interface Names {\n  short?: string\n}" in text
    assert "interface Box<Content> {\n  content: Content | null\n}" in text


def test_a_type_without_a_counterpart_is_refused() -> None:
    class Odd(TypedDict):
        value: complex

    with pytest.raises(ValueError, match="complex"):
        Declarations().add(Odd)


@pytest.mark.parametrize("component", sorted(DOCUMENTS))
def test_the_declarations_are_up_to_date(component: str) -> None:
    assert (COMPONENTS / component / FILE).read_text(encoding="utf-8") == declared(component), "run `make declarations`"
