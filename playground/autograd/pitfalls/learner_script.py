"""A learner's script, the facts of its run, and runs of other versions of it.

Facts are observed in a run, never guessed from the source. Every run starts from the same seed, so that versions differ only by their edits.
Source: https://docs.pytorch.org/docs/stable/notes/randomness.html
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from playground.autograd.pitfalls.dependence import statements_to_recompute
from playground.autograd.pitfalls.facts import BackwardStatement, FactsTracer
from playground.autograd.pitfalls.source_edits import Code, Version
from playground.autograd.script_loss import seed_generators
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.tensors.language import interpreter
from playground.tensors.language.interpreter import Execution
from playground.tensors.language.memory import snapshot
from playground.tensors.language.tracing import Tracer, named_arrays
from playground.tensors.xray.report import nested

TRIES = 8
"""Most versions that are tried for one pitfall."""
Recomputation = tuple[ast.stmt, list[ast.stmt]]
"""Statements that compute the loss again and call `backward()` again, and the statement after which to insert them (first)."""


class LearnerScript:
    """A learner's script, and what changes when it is edited.

    Args:
        predefined: names that exist before the script runs, such as `device`.
        seed: what every run starts from.

    Raises:
        PlaygroundError: the script ends with an error by itself.
    """

    def __init__(self, source: str, predefined: Mapping[str, Any], seed: int) -> None:
        self.code = Code(source)
        self._predefined, self._seed = predefined, seed
        self._executions: dict[str, Execution] = {}
        self.original = self.code.version(msg("Your script"))
        tracer = FactsTracer(self.code)
        execution = self._execute(source, tracer)
        if execution.error is not None:
            raise PlaygroundError(
                msg("This script ends with an error, so there is no result to compare a pitfall with."), msg("Fix the error first, then try again.")
            )
        self._executions[source] = execution
        self.facts = tracer.facts

    def run(self, version: Version) -> Execution:
        """Run a version of the script; each is run once."""
        if version.source not in self._executions:
            self._executions[version.source] = self._execute(version.source, Tracer())
        return self._executions[version.source]

    def pytorch_error(self, version: Version) -> str | None:
        """Return the message that PyTorch itself raised for the version; None if it raised none."""
        error = self.run(version).error
        return None if error is None or error.__cause__ is None else str(error.__cause__)

    def gradients(self, version: Version, also: Iterable[str] = ()) -> dict[str, Any]:
        """Return the gradients of all leaves at the end of a version's run, and of the names in `also`; None where there is no gradient."""
        tensors = [(name, value) for name, value in named_arrays(self.run(version).names) if isinstance(value, torch.Tensor)]
        selected = [(name, value) for name, value in tensors if name.split("[")[0].isidentifier()]
        selected = [(name, value) for name, value in selected if (value.is_leaf and value.requires_grad) or name in also]
        gradients = {name: value.grad if value.is_leaf or value.retains_grad else None for name, value in selected}
        return {name: None if gradient is None else nested(snapshot(gradient).values) for name, gradient in gradients.items()}

    def same_results(self, first: Version, second: Version) -> bool:
        """Return whether two versions end with the same gradients and output, and both with an error or both without."""
        has_error = [self.run(version).error is not None for version in (first, second)]
        return has_error[0] == has_error[1] and self.gradients(first) == self.gradients(second) and self.run(first).output == self.run(second).output

    def first_version(self, versions: Iterable[Version], holds: Callable[[Version], bool]) -> Version | None:
        """Return the first of the versions for which the condition holds; at most `TRIES` are tried."""
        return next((version for version, _ in zip(versions, range(TRIES), strict=False) if holds(version)), None)

    @property
    def first_backward(self) -> BackwardStatement:
        """The statement of the first backward pass.

        Raises:
            PlaygroundError: there is none, or it is not a statement by itself.
        """
        if not self.facts.backward_statements:
            raise PlaygroundError(msg("This script has no backward pass."), msg("Compute a loss, and end with `loss.backward()`."))
        if self.facts.is_nested:
            raise PlaygroundError(msg("`backward()` is called inside a larger statement here."), msg("Write `loss.backward()` on a line of its own."))
        return next(iter(self.facts.backward_statements.values()))

    def recomputation(self) -> Recomputation | None:
        """Return the statements that compute the first loss again and run a second backward pass; None where that is impossible."""
        fixed, facts = set(self.facts.leaves.values()), self.facts
        for last in self.code.around(self.first_backward.statement):
            if statements := statements_to_recompute(self.code.blocks[last], last, facts.differentiable, fixed, self.first_backward.graph.results):
                return last, statements
        return None

    def _execute(self, source: str, tracer: Tracer) -> Execution:
        seed_generators(self._seed)
        return interpreter.run(source, self._predefined, tracer=tracer)
