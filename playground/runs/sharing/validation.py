"""Reads the record of a run from elsewhere: what a program or a hand wrote there need not be what a page can draw."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin, get_type_hints

from playground.errors import CheckpointError
from playground.training.events import KINDS, Diverged, Evaluated, Event, Observed, Snapshot, Started, Step, Steps, from_json

LINE_LIMIT = 8_000_000
"""Bytes of an event, at most; the pictures of a large network take some hundred thousand."""
LARGEST = 1e300
"""Number in an event."""
MOST = 2**53
"""Whole number in an event: to there browsers count exactly."""
LAST_TIME = 250_000_000_000
"""Seconds since 1970 up to which Python has dates: about the year 9900."""

_FIELDS = {event: {name: kind for name, kind in get_type_hints(event).items() if name != "kind"} for event in KINDS.values()}
"""What each field of an event is annotated with."""
_EACH_LAYER: dict[type[Event], tuple[str, ...]] = {
    Observed: ("gradient", "weight", "update", "mean", "std", "dead"),
    Snapshot: ("histograms",),
}
"""Lists that have one item for each layer."""


def read(lines: Iterable[bytes], layers: int, classes: int, name: str) -> Iterator[Event]:
    """The events in the lines of a record. Lines that are none, which a crash tore or a later version wrote, are left out.

    Args:
        lines: one event each.
        layers: how many the network has.
        classes: how many the data set has.
        name: what the learner calls the file.

    Raises:
        CheckpointError: an event holds what the playground never writes, or comes out of order.
    """
    last = 0
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_LIMIT:
            raise _unsound(number, name)
        try:
            event = from_json(line)
        except (ValueError, RecursionError):
            continue
        first, end = _span(event, last)
        if first <= last or not _is_sound(event, layers, classes):
            raise _unsound(number, name)
        last = end
        yield event


def _unsound(number: int, name: str) -> CheckpointError:
    return CheckpointError(f"{name} holds a record that the playground cannot have written: see its line {number:,}.")


def _span(event: Event, last: int) -> tuple[int, int]:
    """The first step that an event tells of, and the last that is known after it; for events between steps the next and the last."""
    match event:
        case Step(step=int(step)):
            return step, step
        case Steps(first=int(first), loss=list(losses)):
            return first, first + len(losses) - 1
        case Started(step=int(step)):
            return last + 1, min(step, last)  # what was recorded behind it is void
        case _:
            return last + 1, last


def _is_sound(event: Event, layers: int, classes: int) -> bool:
    values = vars(event)
    try:
        if not all(_is(values[name], kind) for name, kind in _FIELDS[type(event)].items()):
            return False
    except RecursionError:
        return False
    match event:
        case Steps():
            lengths = {len(value) for value in values.values() if isinstance(value, list)}
            return len(lengths) == 1 and lengths != {0}
        case Evaluated():
            return len(event.named) == len(event.right) and len(event.named) in (0, classes)
        case Diverged():
            return len(event.largest) in (0, layers)
        case _:
            each_layer = _EACH_LAYER.get(type(event), ())
            return all(len(values[name]) == layers for name in each_layer) and 0 <= values.get("time", 0) <= LAST_TIME


def _is(value: object, kind: Any) -> bool:
    """Whether a value from JSON is of the kind that a field is annotated with; whole numbers are numbers, too."""
    if isinstance(kind, types.UnionType):
        return any(_is(value, each) for each in get_args(kind))
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_is(item, get_args(kind)[0]) for item in value)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(_is(item, get_args(kind)[1]) for item in value.values())
    if kind is Any:  # a part of a picture
        return value is None or any(_is(value, each) for each in (str, float, bool, list[Any], dict[str, Any]))
    if kind is bool:
        return isinstance(value, bool)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST < value < LARGEST
    if kind is int:
        return type(value) is int and -1 <= value < MOST
    if kind is str:
        return isinstance(value, str)
    return value is None
