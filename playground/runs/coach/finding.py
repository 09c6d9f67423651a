"""Findings of the coach: a fault with its evidence, why it matters, and remedies: runs that would do better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.network.spec import NetworkSpec

Severity = Literal["problem", "hint"]


@dataclass(frozen=True)
class Remedy:
    """A run that would do better; one click starts it."""

    label: str
    """Text of its button."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings of `TrainConfig` that differ from the run's, as its `from_dict` takes them."""
    network: NetworkSpec | None = None
    """The network to train instead; None for the run's own."""
    at: int = -1
    """Step of the checkpoint to continue from; -1 to train from the start."""

    @property
    def start(self) -> Literal["fresh", "fork"]:
        return "fresh" if self.at < 0 else "fork"


@dataclass(frozen=True)
class Finding:
    """A fault of a run."""

    name: str
    """Identifier of its detector, such as `rate-too-high`."""
    title: str
    evidence: str
    """The evidence: values, step and layer."""
    why: str
    """Why it matters."""
    advice: str
    """What to try."""
    severity: Severity
    step: int
    """Step at which it shows."""
    layer: int = -1
    """Index of the layer in which it shows; -1 for none in particular."""
    remedies: tuple[Remedy, ...] = ()
    """Best first."""
    explains: tuple[str, ...] = ()
    """Titles of further faults that follow from this one and are not reported separately."""


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Convert findings to plain data for a page, which starts a remedy by the finding's `name` and the remedy's `label`."""
    return [
        {
            **{name: getattr(finding, name) for name in ("name", "title", "evidence", "why", "advice", "severity", "step", "layer")},
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
