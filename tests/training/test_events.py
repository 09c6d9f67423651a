"""Events survive JSON; lines that are no events are refused; texts in them can be translated, and cannot be abused."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import DivergedError, UnknownName
from playground.messages import Message, msg, nmsg, translated
from playground.training import events
from playground.training.events import COLUMNS, KINDS, Event, Failed, Step, Steps, from_json

from ..support.pseudo import PSEUDO, make_pseudo_language
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


MESSAGES = [
    msg("There is no {what} called “{name}”.", what=msg("run"), name="{x.y}"),
    msg("{share:.1%} of {count:,} images in {seconds:.3g} s: {shape}", share=0.25, count=1000, seconds=1.5, shape=(1, 28, 28)),
    nmsg("{n} image", "{n:,} images", 1),
    nmsg("{n} image", "{n:,} images", 2000),
    UnknownName(msg("run"), "x", ["b", "a"]).text,
    DivergedError(float("nan"), 3, msg("It appeared in the loss.")).text,
]


@pytest.fixture
def pseudo_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pseudo_language(tmp_path / "locales")
    monkeypatch.setenv("PLAYGROUND_LOCALES", str(tmp_path / "locales"))


@pytest.mark.parametrize("message", MESSAGES)
def test_a_recorded_message_can_be_translated(pseudo_language: None, message: str) -> None:
    read = failure(Failed(1.0, message, "").to_json())
    assert isinstance(read, Message) and read == message
    assert translated(read, PSEUDO) == translated(message, PSEUDO)


def test_a_message_of_an_earlier_version_is_a_text() -> None:
    assert failure('{"kind": "failed", "time": 1.0, "message": "Why {x}", "traceback": ""}') == "Why {x}"


PLAIN = {"text": "One 1", "template": "One {x}", "many": "", "number": 1, "values": {"x": 1}}


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Two"},
        {"template": "{x.__class__}", "text": "<class 'int'>"},
        {"template": "{x.__class__}", "number": 2, "many": "One {x}"},
        {"many": "{x.__class__}"},
        {"template": "{x[0]}", "values": {"x": "One"}, "text": "O"},
        {"template": "{x!r}", "text": "1"},
        {"template": "{x:999999999}"},
        {"template": "{x:.999999999f}"},
        {"template": "{x:{y}}", "values": {"x": 1, "y": 999999999}},
        {"template": "{}"},
        {"template": "{0}"},
        {"template": "{{x}}", "text": "{x}"},
        {"template": "One {y}"},
        {"template": "One {x:,}", "values": {"x": "1"}},
        {"template": "{x}" * 51, "text": "1" * 51},
        {"template": "a" * 10_001, "text": "a" * 10_001},
        {"template": 1},
        {"many": None},
        {"number": True},
        {"number": "1"},
        {"values": []},
        {"values": {"x": None}},
        {"values": {"x": [1]}},
        {"values": {"x": {"template": "1"}}},
        {"values": {"x": float("inf")}, "text": "One inf"},
        {"values": {"x": 10**301}, "text": f"One {10**301}"},
        {"values": {"x": "1" * 10_001}, "text": f"One {'1' * 10_001}"},
    ],
    ids=lambda changes: json.dumps(changes)[:50],
)
def test_a_message_that_was_not_recorded_here_stays_as_it_is(changes: dict[str, Any]) -> None:
    assert isinstance(failure(recorded(PLAIN)), Message)
    document = PLAIN | changes
    text = failure(recorded(document))
    assert text == document["text"] and not isinstance(text, Message)


def test_a_message_without_text_is_refused() -> None:
    for document in ({}, {"text": 1}, {"template": "One"}):
        with pytest.raises(ValueError, match="text"):
            from_json(recorded(document))


def test_messages_in_messages_are_read_to_some_depth(pseudo_language: None) -> None:
    deep: dict[str, Any] = PLAIN
    for _ in range(200):
        deep = PLAIN | {"text": "One 1", "template": "{x}", "values": {"x": deep}}
    message = failure(recorded(deep))
    assert message == translated(message, PSEUDO) == "One 1"


@pytest.mark.parametrize(("translation", "shown"), [("Eins {x}", "Eins 1"), ("Eins {y}", "One 1"), ("Eins {x:s}", "One 1")])
def test_a_translation_that_does_not_take_the_values_of_a_message_is_not_used(
    translation: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_LOCALES", str(tmp_path))
    catalogue = Catalog()
    catalogue.add("One {x}", translation)
    (tmp_path / PSEUDO).mkdir()
    with (tmp_path / PSEUDO / "playground.mo").open("wb") as file:
        write_mo(file, catalogue)
    assert translated(failure(recorded(PLAIN)), PSEUDO) == shown


def failure(line: str) -> str:
    """Return the message of the failure in a line of a record."""
    event = from_json(line)
    assert isinstance(event, Failed)
    return event.message


def recorded(message: object) -> str:
    return json.dumps({"kind": "failed", "time": 1.0, "message": message, "traceback": ""})
