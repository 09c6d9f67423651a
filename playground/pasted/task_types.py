"""What the tasks answer, as types that need no PyTorch."""

from __future__ import annotations

from typing import Any, TypedDict

from playground.network.spec import SavedNetwork


class NetworkOfCode(TypedDict):
    """One of several networks of a text."""

    name: str
    line: int | None


class MissingArgument(TypedDict):
    """An argument of a network's constructor that the code does not give."""

    name: str
    value: bool | int | float | str
    """The value used instead."""


class ReadNetwork(TypedDict):
    """A network that was read from code."""

    network: SavedNetwork
    notes: list[str]
    candidates: list[NetworkOfCode]
    """All networks of the code."""
    chosen: int
    """Which of them this one is."""
    missing: list[MissingArgument]


class TakenSetting(TypedDict):
    """A setting of a run that a script says."""

    name: str
    value: str
    line: int | None


class FoundMistake(TypedDict):
    """A mistake of a script."""

    line: int | None
    message: str
    hint: str


class ReadTraining(TypedDict):
    """What a training script says."""

    config: dict[str, Any]
    """As `TrainConfig.to_dict` writes it."""
    network: SavedNetwork | None
    problem: str
    """Why there is no network; empty where there is one."""
    taken: list[TakenSetting]
    mistakes: list[FoundMistake]
    notes: list[str]
