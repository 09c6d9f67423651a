"""The errors fit to show a learner.

Everything that a learner can cause raises a `PlaygroundError`; the pages and the command line each
have one place that shows it. Any other exception is a bug, and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

from playground.messages import joined, msg


class PlaygroundError(Exception):
    """An error that a learner can understand and fix.

    Args:
        message: what is wrong, with the values involved, in one or two plain sentences.
        hint: what to do about it; empty where the message already says it.
    """

    status: ClassVar[int] = 400
    """HTTP status of an answer that reports it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """Message and hint."""
        return joined([self.message, self.hint]) if self.hint else self.message


class BusyError(PlaygroundError):
    """A request that came to no result because the server had too much to do; nothing is wrong with it, and the same request may succeed later."""

    status = 503


class UnknownName(PlaygroundError):
    """A name that is not in a catalogue: a data set, a network, a layer, a device, a run."""

    status = 404

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = [msg("Did you mean “{name}”?", name=each) for each in get_close_matches(str(name), names, n=1)]  # from a request, a name may be anything
        hint = joined([*near, msg("Known: {choices}.", choices=", ".join(names) or msg("none"))])
        super().__init__(msg("There is no {what} called “{name}”.", what=what, name=name), hint)
        self.name = name


class ConfigError(PlaygroundError):
    """Settings that cannot work; every problem is reported, not only the first."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(joined(self.problems))


class ShapeError(PlaygroundError):
    """A layer that does not fit its input, or a network that does not fit its data set."""


class DataError(PlaygroundError):
    """A data set that could not be fetched, read or verified."""


class CheckpointError(PlaygroundError):
    """Saved weights or a saved run that cannot be read, or belong to something else."""


class DivergedError(PlaygroundError):
    """Training produced a loss that is not a finite number.

    Args:
        loss: its value.
        step: the step of that loss.
        where: a sentence that says where the first non-finite value appeared; empty where that is not known.
    """

    def __init__(self, loss: float, step: int, where: str = "") -> None:
        message = msg("The loss became {loss} at step {step}, so training stopped; the last checkpoint is kept.", loss=loss, step=step)
        super().__init__(joined([message, where]) if where else message, msg("Train again with a smaller learning rate, for example a tenth of it."))
        self.loss, self.step = loss, step


class RunError(PlaygroundError):
    """An operation that the state of a run does not allow."""

    status = 409


class DrawingError(PlaygroundError):
    """A drawing or image without anything to classify."""


class InstallationError(PlaygroundError):
    """Installed packages that do not work together."""
