"""A learner's script as something to be taught with: what it does, and what other versions of it do.

Facts are taken from a run, never guessed from the text. Every run begins with the same seed, so that versions differ by what was changed and by nothing else.
Source: https://docs.pytorch.org/docs/stable/notes/randomness.html
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch

from playground.autograd.pitfalls.dependence import again
from playground.autograd.pitfalls.rewriting import Code, Draft
from playground.autograd.pitfalls.witness import Passage, Silent, Witness
from playground.errors import PlaygroundError
from playground.tensors.language import interpreter
from playground.tensors.language.interpreter import Execution
from playground.tensors.language.memory import snapshot
from playground.tensors.language.tracing import Tracer, named_arrays
from playground.tensors.xray.report import nested

TRIES = 8
"""Versions that are tried before a pitfall is given up."""
Repeated = tuple[ast.stmt, list[ast.stmt]]


class Lesson:
    """A learner's script, and what becomes of it when it is changed.

    Args:
        given: names defined beforehand, such as `device`.
        seed: what every run begins with.

    Raises:
        PlaygroundError: the script ends with an error by itself.
    """

    def __init__(self, source: str, given: Mapping[str, Any], seed: int) -> None:
        self.code = Code(source)
        self._given, self._seed = given, seed
        self._done: dict[str, Execution] = {}
        self.own = self.code.draft("Your script")
        witness = Witness(self.code)
        execution = self._execute(source, witness)
        if execution.error is not None:
            raise PlaygroundError("This script ends with an error of its own, so there is nothing to compare a pitfall with.", "Fix it first, then try again.")
        self._done[source] = execution
        self.facts = witness.facts

    def run(self, draft: Draft) -> Execution:
        """What a version of the script does."""
        if draft.source not in self._done:
            self._done[draft.source] = self._execute(draft.source, Silent())
        return self._done[draft.source]

    def said(self, draft: Draft) -> str | None:
        """PyTorch's own words where it refused the version."""
        error = self.run(draft).error
        return None if error is None or error.__cause__ is None else str(error.__cause__)

    def grads(self, draft: Draft, also: Iterable[str] = ()) -> dict[str, Any]:
        """The gradients of the leaves in the end, by their names; and of those that are asked for besides."""
        named = [(name, value) for name, value in named_arrays(self.run(draft).names) if isinstance(value, torch.Tensor) and name.split("[")[0].isidentifier()]
        wanted = [(name, value) for name, value in named if (value.is_leaf and value.requires_grad) or name in also]
        held = {name: value.grad if value.is_leaf or value.retains_grad else None for name, value in wanted}
        return {name: None if grad is None else nested(snapshot(grad).values) for name, grad in held.items()}

    def same(self, one: Draft, other: Draft) -> bool:
        """Whether two versions end alike."""
        errors = [self.run(draft).error is None for draft in (one, other)]
        return errors[0] == errors[1] and self.grads(one) == self.grads(other) and self.run(one).output == self.run(other).output

    def first(self, drafts: Iterable[Draft], holds: Callable[[Draft], bool]) -> Draft | None:
        """The first version that does what is wanted; only some are tried."""
        return next((draft for draft, _ in zip(drafts, range(TRIES), strict=False) if holds(draft)), None)

    @property
    def passage(self) -> Passage:
        """The first backward pass.

        Raises:
            PlaygroundError: there is none, or it is not a statement by itself.
        """
        if not self.facts.passages:
            raise PlaygroundError("This script has no backward pass.", "Compute a loss, and end with `loss.backward()`.")
        if self.facts.is_hidden:
            raise PlaygroundError("A backward pass is a part of a larger statement here.", "Write `loss.backward()` on a line of its own.")
        return next(iter(self.facts.passages.values()))

    def repeated(self) -> Repeated | None:
        """The statements that compute the first loss anew and go back through it, and the statement behind which they belong."""
        fixed, facts = set(self.facts.leaves.values()), self.facts
        for last in self.code.around(self.passage.statement):
            if found := again(self.code.blocks[last], last, facts.computing, fixed, self.passage.graph.results):
                return last, found
        return None

    def _execute(self, source: str, tracer: Tracer) -> Execution:
        torch.manual_seed(self._seed)
        np.random.seed(self._seed % 2**32)
        return interpreter.run(source, self._given, tracer=tracer)
