"""Findings of the coach: a fault with its evidence, why it matters, and remedies: runs that would do better."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from playground.network.spec import NetworkSpec

Severity = Literal["problem", "hint", "idea"]
Start = Literal["fresh", "fork"]


@dataclass(frozen=True)
class Remedy:
    """A run that would do better; one click starts it."""

    label: str
    """Text of its button."""
    changes: Mapping[str, object] = field(default_factory=dict)
    """Settings of `TrainConfig` that differ from the run's, as its `from_dict` takes them."""
    network: NetworkSpec | None = None
    """The network to train instead; None for the run's own."""
    at: int = -1
    """Step of the checkpoint to continue from; -1 to train from the start."""

    @property
    def id(self) -> str:
        """What it changes, by which a page starts it: no other remedy of its finding does the same. A new checkpoint does not change it."""
        return json.dumps([self.start, self.changes], sort_keys=True)

    @property
    def start(self) -> Start:
        return "fresh" if self.at < 0 else "fork"


@dataclass(frozen=True)
class Undo:
    """A command to the run that sets back what the learner changed."""

    command: Literal["learning-rate", "optimizer"]
    value: float | str


@dataclass(frozen=True)
class Finding:
    """A fault of a run, or something to try with a healthy one."""

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
    undo: tuple[Undo, ...] = ()
    """What sets back the learner's own change that caused it; empty if there is none, or it is set back."""
    mark: str = ""
    """Its text on the curves; empty for the title."""


class UndoCommand(TypedDict):
    """A command to the run that sets back what the learner changed."""

    command: Literal["learning-rate", "optimizer"]
    value: float | str


class ProposedRemedy(TypedDict):
    """A run that would do better, as a page offers it."""

    id: str
    label: str
    changes: dict[str, object]
    """Settings that differ from the run's."""
    network: str
    """Name of the network to train instead; empty for the run's own."""
    start: Start
    at: int
    """Step of the checkpoint to continue from; -1 to train from the start."""


class ReportedFinding(TypedDict):
    """A fault of a run, or something to try with a healthy one, as a page shows it."""

    name: str
    title: str
    evidence: str
    why: str
    advice: str
    severity: Severity
    step: int
    layer: int
    """Index of the layer in which it shows; -1 for none in particular."""
    explains: list[str]
    """Titles of further faults that follow from this one."""
    remedies: list[ProposedRemedy]
    """Best first."""
    undo: list[UndoCommand]
    """Sets back the learner's own change that caused it; empty if there is nothing to set back."""
    mark: str
    """Its text on the curves."""


def as_json(findings: Iterable[Finding]) -> list[ReportedFinding]:
    """Convert findings to plain data for a page, which starts a remedy by the finding's `name` and the remedy's `id`."""
    return [
        {
            "name": finding.name,
            "title": finding.title,
            "evidence": finding.evidence,
            "why": finding.why,
            "advice": finding.advice,
            "severity": finding.severity,
            "step": finding.step,
            "layer": finding.layer,
            "explains": list(finding.explains),
            "remedies": [
                {
                    "id": remedy.id,
                    "label": remedy.label,
                    "changes": dict(remedy.changes),
                    "network": remedy.network.name if remedy.network else "",
                    "start": remedy.start,
                    "at": remedy.at,
                }
                for remedy in finding.remedies
            ],
            "undo": [{"command": undo.command, "value": undo.value} for undo in finding.undo],
            "mark": finding.mark or finding.title,
        }
        for finding in findings
    ]
