"""Events survive JSON; lines that are no events are refused."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.training import events
from playground.training.events import COLUMNS, KINDS, Event, Step, Steps, from_json

from ..support.tiers import repetitions

STEP = Step(3, 0.5, 0.25, 0.01, 1.5, 1000.0)

finite = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.lists(finite, max_size=4)
document = st.dictionaries(st.text(max_size=5), st.none() | finite | st.text(max_size=5) | numbers, max_size=3)
SAMPLES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(0, 10**9),
    "float": finite,
    "str": st.text(),
    "float | None": st.none() | finite,
    "list[int]": st.lists(st.integers(), max_size=4),
    "list[float]": numbers,
    "list[float | None]": st.lists(st.none() | finite, max_size=4),
    "list[list[int]]": st.lists(st.lists(st.integers(), max_size=3), max_size=3),
    "list[dict[str, Any]]": st.lists(document, max_size=3),
    "dict[str, Any]": document,
    "dict[str, Any] | None": st.none() | document,
}
"""Values by the annotation of an event's field."""


def any_event(kind: type[Event]) -> st.SearchStrategy[Event]:
    if kind is Steps:
        rows = st.lists(st.tuples(*[finite] * COLUMNS), max_size=4)
        return st.builds(lambda first, rows: Steps(first, *([row[index] for row in rows] for index in range(COLUMNS))), st.integers(0, 10**9), rows)
    return st.builds(kind, **{field.name: SAMPLES[str(field.type)] for field in fields(kind)})


def test_every_event_class_has_a_kind() -> None:
    classes = {item for item in vars(events).values() if isinstance(item, type) and issubclass(item, Event) and item is not Event}
    assert set(KINDS.values()) == classes
    assert all(kind == item.kind for kind, item in KINDS.items())


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_an_event_survives_json(kind: type[Event]) -> None:
    @given(any_event(kind))
    @settings(max_examples=repetitions(25))
    def check(event: Event) -> None:
        line = event.to_json()
        assert len(line.splitlines()) == 1 and json.loads(line)["kind"] == kind.kind
        assert from_json(line) == event == from_json(line.encode())

    check()


@given(st.lists(st.tuples(finite, finite, finite, st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=20), st.integers(1, 10**9))
@settings(max_examples=repetitions(50))
def test_columns_keep_losses_and_accuracies_exactly_and_round_the_others(rows: list[tuple[float, ...]], first: int) -> None:
    steps = [Step(first + index, *row) for index, row in enumerate(rows)]
    columns = from_json(Steps.of(steps).to_json())
    assert isinstance(columns, Steps) and columns.first == first
    assert columns.loss == [step.loss for step in steps] and columns.accuracy == [step.accuracy for step in steps]
    assert columns.learning_rate == pytest.approx([step.learning_rate for step in steps], rel=1e-6)
    assert columns.seconds == pytest.approx([step.seconds for step in steps], abs=1e-4)
    assert columns.rate == pytest.approx([step.rate for step in steps], abs=0.1)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_non_finite_numbers_are_not_written(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        Step(1, number, 0.0, 0.0, 0.0, 0.0).to_json()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("", id="empty"),
        pytest.param("\n", id="newline"),
        pytest.param(b"\x00\x00\x00", id="zeros"),
        pytest.param(b"\xff\xfe\xfa", id="not-utf8"),
        pytest.param(STEP.to_json()[:-5], id="torn"),
        pytest.param(STEP.to_json() * 2, id="twice"),
        pytest.param("null", id="null"),
        pytest.param("3", id="number"),
        pytest.param('"step"', id="text"),
        pytest.param("[]", id="list"),
        pytest.param("{}", id="no-kind"),
        pytest.param('{"kind": "dance"}', id="unknown-kind"),
        pytest.param('{"kind": []}', id="kind-list"),
        pytest.param('{"kind": null}', id="kind-null"),
        pytest.param('{"kind": "step"}', id="no-fields"),
        pytest.param('{"kind": "paused", "step": 1, "more": 2}', id="too-many-fields"),
        pytest.param('{"kind": "paused", "self": 1}', id="self"),
    ],
)
def test_an_invalid_line_is_refused(line: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own messages, and ours
        from_json(line)


@given(
    st.binary(max_size=30)
    | st.text(max_size=30)
    | st.dictionaries(st.sampled_from(["kind", "step", "loss"]), st.integers() | st.sampled_from(list(KINDS))).map(json.dumps)
)
@settings(max_examples=repetitions(200))
def test_every_line_is_an_event_or_refused(line: str | bytes) -> None:
    try:
        event = from_json(line)
    except ValueError:
        return
    assert isinstance(event, Event)
