"""What the coach says: a fault with its evidence, why it matters, and runs that would do better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.network.spec import NetworkSpec

Severity = Literal["problem", "hint"]


@dataclass(frozen=True)
class Remedy:
    """A run that would do better, one click away."""

    label: str
    """What the button says."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings of `TrainConfig` that differ from the run's, as its `from_dict` takes them."""
    network: NetworkSpec | None = None
    """The network where it is another one."""
    at: int = -1
    """The step of the checkpoint to go on from; -1 for a fresh start."""

    @property
    def start(self) -> Literal["fresh", "fork"]:
        return "fresh" if self.at < 0 else "fork"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run."""

    name: str
    """The detector's name for it, such as `rate-too-high`."""
    title: str
    saw: str
    """What was seen, with numbers and where."""
    why: str
    """Why it matters."""
    advice: str
    """What to try."""
    severity: Severity
    step: int
    """Where on the curve it shows."""
    layer: int = -1
    """Index of the layer that it shows in; -1 for none in particular."""
    remedies: tuple[Remedy, ...] = ()
    """Best first."""
    explains: tuple[str, ...] = ()
    """Titles of what else was found and follows from this, so that it is not said as a finding of its own."""


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings as plain data for a page, which starts a remedy by the finding's `name` and the remedy's `label`."""
    return [
        {
            **{name: getattr(finding, name) for name in ("name", "title", "saw", "why", "advice", "severity", "step", "layer")},
            "explains": list(finding.explains),
            "remedies": [
                {
                    "label": remedy.label,
                    "changes": dict(remedy.changes),
                    "network": remedy.network.name if remedy.network else "",
                    "start": remedy.start,
                    "at": remedy.at,
                }
                for remedy in finding.remedies
            ],
        }
        for finding in findings
    ]
