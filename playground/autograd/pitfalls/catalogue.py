"""Pitfalls as switches on the learner's own script: what PyTorch really does with the mistake, beside what it does without it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from playground import device
from playground.autograd.pitfalls import mistakes
from playground.autograd.pitfalls.lesson import Lesson
from playground.autograd.pitfalls.mistakes import Comparison
from playground.autograd.pitfalls.rewriting import Draft
from playground.errors import UnknownName
from playground.tensors.xray.report import summary


@dataclass(frozen=True)
class Pitfall:
    """A mistake that can be made in a script.

    `make` raises a `PlaygroundError` where a script has no place for it.
    """

    name: str
    title: str
    make: Callable[[Lesson], Comparison]


def show(request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a mistake in `source`, and tell what comes of it: the task of a process of its own, plain data in and out.

    Args:
        request: `source`, `pitfall` by its name; `device` and `seed`, which are chosen where they are missing.

    Raises:
        PlaygroundError: the script fails by itself, or has no place for this pitfall.
    """
    name = str(request["pitfall"])
    if name not in PITFALLS:
        raise UnknownName("pitfall", name, PITFALLS)
    seed = int(request.get("seed", random.randrange(2**32))) % 2**63
    where = torch.device(device.get(request.get("device", device.BEST)).name)
    lesson = Lesson(str(request["source"]), {"device": where}, seed)
    found = PITFALLS[name].make(lesson)
    return {
        "pitfall": name,
        "title": PITFALLS[name].title,
        "seed": seed,
        "mine": _version(lesson, lesson.own, found),
        "wrong": _version(lesson, found.wrong, found),
        "right": [_version(lesson, draft, found) for draft in found.right],
        "meaning": found.meaning,
        "rule": found.rule,
    }


def _version(lesson: Lesson, draft: Draft, found: Comparison) -> dict[str, Any]:
    execution = lesson.run(draft)
    return {
        "title": draft.title,
        "source": draft.source,
        "changed": list(draft.changed),
        "removed": list(draft.removed),
        "output": execution.output,
        "warnings": execution.warnings,
        "error": summary(execution)["error"] if execution.error else None,
        "said": lesson.said(draft),
        "grads": lesson.grads(draft, found.watched),
    }


PITFALLS = {
    pitfall.name: pitfall
    for pitfall in (
        Pitfall("zero_grad", "Forget zero_grad", mistakes.zero_grad),
        Pitfall("backward_twice", "Backward twice", mistakes.backward_twice),
        Pitfall("retain_graph", "Backward twice, with retain_graph", mistakes.retain_graph),
        Pitfall("in_place", "Change a saved tensor in place", mistakes.in_place),
        Pitfall("detach", "Detach on the way", mistakes.detach),
        Pitfall("no_grad", "Compute under no_grad", mistakes.no_grad),
        Pitfall("non_leaf", "Look at a non-leaf’s .grad", mistakes.non_leaf),
        Pitfall("integer", "Integers with requires_grad", mistakes.integer),
        Pitfall("non_scalar", "Backward from several numbers", mistakes.non_scalar),
    )
}
