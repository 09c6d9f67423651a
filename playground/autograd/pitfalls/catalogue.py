"""The pitfalls by name, and the task that compares a learner's script with and without one of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from playground import device
from playground.autograd.pitfalls import mistakes
from playground.autograd.pitfalls.learner_script import LearnerScript
from playground.autograd.pitfalls.mistakes import Comparison
from playground.autograd.pitfalls.source_edits import Version
from playground.errors import UnknownName
from playground.tensors.xray.report import summary


@dataclass(frozen=True)
class Pitfall:
    """A mistake that can be made in a script."""

    name: str
    title: str
    make: Callable[[LearnerScript], Comparison]
    """Makes the mistake; raises `PlaygroundError` where the script offers no place for it."""


def compare(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run a script as it is, with a mistake, and corrected: a task of the sandbox.

    Args:
        request: `source`; `pitfall`, a name in `PITFALLS`; `device` (default: the best) and `seed` (default: random).

    Returns:
        `pitfall`, `title`, `seed`; `original`, `wrong` and `right` (a list), each a version of the script with its output, warnings,
        error and gradients; `meaning`, why the results differ; `rule`, what to do instead.

    Raises:
        PlaygroundError: the script fails by itself, or offers no place for this pitfall.
    """
    name = str(request["pitfall"])
    if name not in PITFALLS:
        raise UnknownName("pitfall", name, PITFALLS)
    seed = int(request.get("seed", random.randrange(2**32))) % 2**63
    where = torch.device(device.get(request.get("device", device.BEST)).name)
    script = LearnerScript(str(request["source"]), {"device": where}, seed)
    comparison = PITFALLS[name].make(script)
    return {
        "pitfall": name,
        "title": PITFALLS[name].title,
        "seed": seed,
        "original": _version(script, script.original, comparison),
        "wrong": _version(script, comparison.wrong, comparison),
        "right": [_version(script, version, comparison) for version in comparison.right],
        "meaning": comparison.meaning,
        "rule": comparison.rule,
    }


def _version(script: LearnerScript, version: Version, comparison: Comparison) -> dict[str, Any]:
    execution = script.run(version)
    return {
        "title": version.title,
        "source": version.source,
        "changed": list(version.changed),
        "removed": list(version.removed),
        "output": execution.output,
        "warnings": execution.warnings,
        "error": summary(execution)["error"] if execution.error else None,
        "pytorch_error": script.pytorch_error(version),
        "gradients": script.gradients(version, comparison.watched),
    }


PITFALLS = {
    pitfall.name: pitfall
    for pitfall in (
        Pitfall("zero_grad", "Forget zero_grad", mistakes.zero_grad),
        Pitfall("backward_twice", "Backward twice", mistakes.backward_twice),
        Pitfall("retain_graph", "Backward twice, with retain_graph", mistakes.retain_graph),
        Pitfall("in_place", "Change a saved tensor in place", mistakes.in_place),
        Pitfall("detach", "Detach an intermediate tensor", mistakes.detach),
        Pitfall("no_grad", "Compute under no_grad", mistakes.no_grad),
        Pitfall("non_leaf", "Look at a non-leaf’s .grad", mistakes.non_leaf),
        Pitfall("integer", "Integers with requires_grad", mistakes.integer),
        Pitfall("non_scalar", "Backward from several numbers", mistakes.non_scalar),
    )
}
