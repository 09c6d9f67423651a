"""Validate the record of an imported run, because a file edited or written by another program can have values that no page can draw."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin, get_type_hints

from playground.errors import CheckpointError
from playground.messages import msg
from playground.training.events import KINDS, Diverged, Evaluated, Event, Observed, Snapshot, Started, Step, Steps, from_json

LINE_LIMIT = 8_000_000
"""Maximum bytes of an event; the snapshot of a large network takes some hundred thousand."""
MAX_FLOAT = 1e300
"""Largest absolute value of a float in an event."""
MAX_INTEGER = 2**53
"""Upper bound of an integer in an event: browsers represent integers exactly up to here."""
MAX_TIME = 250_000_000_000
"""Largest time in seconds since 1970 that Python has a date for: about the year 9900."""

_FIELDS = {event: {name: kind for name, kind in get_type_hints(event).items() if name != "kind"} for event in KINDS.values()}
"""The type annotation of each field of each event."""
_EACH_LAYER: dict[type[Event], tuple[str, ...]] = {
    Observed: ("gradient", "weight", "update", "mean", "std", "dead"),
    Snapshot: ("histograms",),
}
"""Fields that are lists with one item per layer."""


def read(lines: Iterable[bytes], layers: int, classes: int, name: str) -> Iterator[Event]:
    """Yield the events in the lines of a record; skip lines that are torn by a crash or of a later version.

    Args:
        lines: one event each.
        layers: number of layers of the network.
        classes: number of classes of the data set.
        name: the file's name in messages.

    Raises:
        CheckpointError: an event has values that the playground never writes, or is out of order.
    """
    last = 0
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_LIMIT:
            raise _invalid_line(number, name)
        try:
            event = from_json(line)
        except (ValueError, RecursionError):
            continue
        first, end = _span(event, last)
        if first <= last or not _is_valid(event, layers, classes):
            raise _invalid_line(number, name)
        last = end
        yield event


def _invalid_line(number: int, name: str) -> CheckpointError:
    return CheckpointError(
        msg("{name} is damaged: line {number:,} has values that the playground never writes.", name=name, number=number), msg("Export the run again.")
    )


def _span(event: Event, last: int) -> tuple[int, int]:
    """Return the first step of an event and the last recorded step after it; for events between steps the next and the last step."""
    match event:
        case Step(step=int(step)):
            return step, step
        case Steps(first=int(first), loss=list(losses)):
            return first, first + len(losses) - 1
        case Started(step=int(step)):
            return last + 1, min(step, last)  # later records are void
        case _:
            return last + 1, last


def _is_valid(event: Event, layers: int, classes: int) -> bool:
    values = vars(event)
    try:
        if not all(_has_type(values[name], kind) for name, kind in _FIELDS[type(event)].items()):
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
            return all(len(values[name]) == layers for name in each_layer) and 0 <= values.get("time", 0) <= MAX_TIME


def _has_type(value: object, kind: Any) -> bool:
    """Return whether a JSON value has the type of the annotation; an integer is also a float."""
    if isinstance(kind, types.UnionType):
        return any(_has_type(value, each) for each in get_args(kind))
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_has_type(item, get_args(kind)[0]) for item in value)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(_has_type(item, get_args(kind)[1]) for item in value.values())
    if kind is Any:  # part of a snapshot or close-up
        return value is None or any(_has_type(value, each) for each in (str, float, bool, list[Any], dict[str, Any]))
    if kind is bool:
        return isinstance(value, bool)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and -MAX_FLOAT < value < MAX_FLOAT
    if kind is int:
        return type(value) is int and -1 <= value < MAX_INTEGER
    if kind is str:
        return isinstance(value, str)
    return value is None
