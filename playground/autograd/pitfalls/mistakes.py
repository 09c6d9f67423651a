"""Makes common autograd mistakes in a learner's script, and corrects them.

Sources: https://docs.pytorch.org/docs/stable/notes/autograd.html, https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html,
https://docs.pytorch.org/docs/stable/generated/torch.Tensor.retain_grad.html, https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from playground.autograd.pitfalls.backward_call import BackwardCall, bracketed
from playground.autograd.pitfalls.dependence import clears_gradients
from playground.autograd.pitfalls.facts import Intermediate
from playground.autograd.pitfalls.learner_script import LearnerScript, Recomputation
from playground.autograd.pitfalls.source_edits import Edit, Version
from playground.errors import PlaygroundError
from playground.messages import msg

NO_GRAD = "with torch.no_grad():"  # no text: code


@dataclass(frozen=True)
class Comparison:
    """A script with a mistake, and corrected."""

    wrong: Version
    right: tuple[Version, ...]
    meaning: str
    """Why the results differ."""
    rule: str
    """What to do instead."""
    watched: tuple[str, ...] = ()
    """Names of non-leaf tensors whose gradients are shown, too."""


def zero_grad(script: LearnerScript) -> Comparison:
    code, first = script.code, script.first_backward
    rule = msg("Set the gradients to zero or to None before each backward pass: `x.grad = None`, or `optimizer.zero_grad()` in training.")
    if zeroing := [statement for statement in code.blocks if clears_gradients(statement)]:
        wrong = code.version(msg("Forget zero_grad"), code.remove(zeroing), zeroing)
        meaning = msg(
            "`backward()` adds to what `.grad` already holds. Without the line that clears the gradients, each pass adds to those of the passes before."
        )
        if script.same_results(wrong, script.original):
            meaning = msg("`backward()` adds to what `.grad` already holds. Here that changes nothing, because no pass meets gradients of an earlier one.")
        return Comparison(wrong, (code.version(msg("Clear the gradients, as you do")),), meaning, rule)
    if adding := [backward for backward in script.facts.backward_statements.values() if backward.accumulates]:
        edits = [edit for backward in adding for edit in code.insert(backward.statement, [f"{leaf}.grad = None" for leaf in backward.leaves])]
        meaning = msg("`backward()` adds to what `.grad` already holds. Your script never clears the gradients, so each `.grad` is a sum over several passes.")
        return Comparison(code.version(msg("Forget zero_grad, as you do")), (code.version(msg("Clear the gradients before each pass"), edits),), meaning, rule)
    if not first.leaves:
        raise PlaygroundError(
            msg("The leaves of this script have no names, so their gradients cannot be shown."),
            msg("Assign each leaf to a name: `x = torch.ones(3, requires_grad=True)`."),
        )
    if (recomputation := script.recomputation()) is None:
        raise PlaygroundError(
            msg("This script overwrites the inputs of its loss, so the loss cannot be computed a second time."), msg("Assign each result to a new name.")
        )
    twice = _recompute(script, msg("Forget zero_grad"), recomputation)
    cleared = _recompute(script, msg("Clear the gradients between the passes"), recomputation, first.leaves)
    meaning = msg("`backward()` adds to what `.grad` already holds. Here there are two backward passes, so each `.grad` is the sum of two gradients.")
    return Comparison(twice, (cleared,), meaning, rule)


def _recompute(script: LearnerScript, title: str, recomputation: Recomputation, clear: tuple[str, ...] = ()) -> Version:
    """Compute the first loss a second time with a second backward pass; before it, clear the gradients of the leaves in `clear`."""
    last, statements = recomputation
    texts = [*(f"{leaf}.grad = None" for leaf in clear), *map(script.code.text, statements)]
    simple = not any(hasattr(statement, "body") for statement in statements)
    return script.code.version(title, script.code.insert(last, texts, after=True, simple=simple))


def backward_twice(script: LearnerScript) -> Comparison:
    code, statement = script.code, script.first_backward.statement
    call = BackwardCall(code, statement)
    wrong = code.version(msg("Backward twice"), [*call.naming, *code.insert(statement, [call.repeat()], after=True)])
    meaning = msg("The forward pass saves values in the graph, and `backward()` frees them. A second pass through the same graph needs them and fails.")
    if "a second time" not in (script.pytorch_error(wrong) or ""):  # no text: PyTorch’s message
        meaning = msg("This graph saved no values, so a second pass does not fail. It adds its gradients to those of the first pass.")
    return Comparison(wrong, _once(script), meaning, msg("Call `backward()` once for each graph, and compute the loss again before the next pass."))


def retain_graph(script: LearnerScript) -> Comparison:
    code, statement = script.code, script.first_backward.statement
    call = BackwardCall(code, statement)
    edits = [*call.naming, call.retain_graph(), *code.insert(statement, [call.repeat()], after=True)]
    meaning = msg("`retain_graph=True` keeps the saved values, so a second pass works. It computes the same gradients again and adds them to `.grad`.")
    rule = msg("`retain_graph=True` is for several losses that share a graph. For another training step, compute the loss again and clear the gradients.")
    return Comparison(code.version(msg("Backward twice, with retain_graph"), edits), _once(script), meaning, rule)


def _once(script: LearnerScript) -> tuple[Version, ...]:
    """Return what to do instead of two passes through one graph."""
    once, recomputation = script.code.version(msg("Backward once")), script.recomputation()
    return (
        (once, _recompute(script, msg("Compute the loss again and clear the gradients"), recomputation, script.first_backward.leaves))
        if recomputation
        else (once,)
    )


def in_place(script: LearnerScript) -> Comparison:
    code, statement = script.code, script.first_backward.statement
    naming = BackwardCall(code, statement).naming

    def change(name: str, tensor: torch.Tensor) -> Version:
        # PyTorch forbids to change a leaf in place while it records, but not the memory that it shares
        target = f"{name}.detach()" if tensor.is_leaf and tensor.requires_grad else name
        return code.version(msg("Change a saved tensor in place"), [*naming, *code.insert(statement, [f"{target}.mul_(2)"])])

    versions = {change(name, tensor): name for name, tensor in script.first_backward.graph.saved}
    wrong = script.first_version(
        versions,
        lambda version: "modified by an inplace operation" in (script.pytorch_error(version) or ""),  # no text: PyTorch’s message
    )
    if wrong is None:
        raise PlaygroundError(
            msg("This backward pass needs no saved values of a tensor that has a name, so an in-place change does no harm here."),
            msg("Try it with `y = x * x`."),
        )
    name = versions[wrong]
    new = code.unused_name(f"{name.split('[')[0]}_doubled")
    right = code.version(msg("Make a new tensor"), code.insert(statement, [f"{new} = {name} * 2"]))
    meaning = msg(
        "The graph saved this tensor, because the gradient depends on its values. "
        "PyTorch detects the in-place change and raises an error, instead of computing a wrong gradient."
    )
    return Comparison(wrong, (right,), meaning, msg("While PyTorch records a graph, create new tensors: `y = y * 2` instead of `y.mul_(2)`."))


def detach(script: LearnerScript) -> Comparison:
    code, title = script.code, msg("Detach an intermediate tensor")
    versions = {code.version(title, code.insert(each.statement, [f"{each.name} = {each.name}.detach()"], after=True)): each for each in _intermediates(script)}
    wrong = script.first_version(versions, lambda version: not script.same_results(version, script.original))
    if wrong is None:
        raise _no_intermediate()
    each = versions[wrong]
    right = code.version(msg("Detach only a copy to look at"), code.insert(each.statement, [f"{code.unused_name('shown')} = {each.name}.detach()"], after=True))
    meaning = msg(
        "`detach()` returns a tensor with the same values outside the graph. The backward pass ends there, so gradients that would flow through it are missing."
    )
    if "does not require grad" in (script.pytorch_error(wrong) or ""):  # no text: PyTorch’s message
        meaning = msg("`detach()` returns a tensor with the same values outside the graph. The loss no longer depends on any leaf, so PyTorch raises an error.")
    return Comparison(wrong, (right,), meaning, msg("Detach what you print, plot or store, never what the loss is computed from."))


def no_grad(script: LearnerScript) -> Comparison:
    code, statement, title = script.code, script.first_backward.statement, msg("Compute under no_grad")
    versions = {code.version(title, code.under(each.statement, NO_GRAD)): each.name for each in _intermediates(script)}
    if not BackwardCall(code, statement).is_named and script.first_backward.leaves:
        versions[code.version(title, code.under(statement, NO_GRAD))] = script.first_backward.leaves[0]
    wrong = script.first_version(versions, lambda version: not script.same_results(version, script.original))
    if wrong is None:
        raise _no_intermediate()
    looking = code.block(statement, NO_GRAD, f"print({versions[wrong]}.mean())")
    right = code.version(msg("Use no_grad only to look at results"), code.insert(statement, [looking], after=True, simple=False))
    meaning = msg("Inside `torch.no_grad()` PyTorch records no graph. The backward pass ends there, so gradients that would flow through it are missing.")
    if "does not require grad" in (script.pytorch_error(wrong) or ""):  # no text: PyTorch’s message
        meaning = msg("Inside `torch.no_grad()` PyTorch records no graph. The loss no longer depends on any leaf, so PyTorch raises an error.")
    return Comparison(wrong, (right,), meaning, msg("Compute the loss outside. Use `torch.no_grad()` for evaluation and for updating parameters."))


def _intermediates(script: LearnerScript) -> list[Intermediate]:
    """Return the tensors between the leaves and the loss; the loss itself last, for scripts without another one."""
    return sorted(script.first_backward.graph.intermediates, key=lambda each: each.is_loss)


def _no_intermediate() -> PlaygroundError:
    return PlaygroundError(
        msg("This script has no named tensor between its leaves and its loss."), msg("Assign one to a name: `y = x * 2`, then `loss = y.sum()`.")
    )


def non_leaf(script: LearnerScript) -> Comparison:
    code, statement = script.code, script.first_backward.statement
    candidates = [each for each in _intermediates(script) if each.value is not None and not each.value.retains_grad]
    if not candidates:
        raise _no_intermediate()
    printed = code.insert(statement, [f"print({candidates[0].name}.grad)"], after=True)
    retained = code.insert(candidates[0].statement, [f"{candidates[0].name}.retain_grad()"], after=True)
    wrong = code.version(msg("Look at a non-leaf’s .grad"), printed)
    right = code.version(msg("Call retain_grad before the backward pass"), [*retained, *printed])
    meaning = msg(
        "PyTorch stores `.grad` for leaves only; gradients of intermediate tensors are freed during the backward pass. So `.grad` is None, with a warning."
    )
    return Comparison(
        wrong,
        (right,),
        meaning,
        msg("To see the gradient of an intermediate tensor, call `retain_grad()` on it before the backward pass."),
        (candidates[0].name,),
    )


def integer(script: LearnerScript) -> Comparison:
    versions = [version for name, statement in script.facts.leaves.items() for version in _integers(script, name, statement)]
    if not versions:
        raise PlaygroundError(msg("This script has no leaf that requires a gradient."), msg("Create one: `x = torch.tensor([1., 2.], requires_grad=True)`."))
    wrong = script.first_version(
        versions,
        lambda version: "nly Tensors of floating point" in (script.pytorch_error(version) or ""),  # no text: PyTorch’s message
    )
    if wrong is None:
        raise PlaygroundError(
            msg("The leaves of this script are created in a way that cannot be changed to integers."), msg("Create one with `torch.tensor(…)`.")
        )
    meaning = msg("A gradient is the effect of a very small change. Integers have no small changes, so only floating-point tensors can require gradients.")
    return Comparison(
        wrong,
        (script.code.version(msg("Use floating-point numbers")),),
        meaning,
        msg("Use floating-point numbers, `1.` or `dtype=torch.float32`, for every tensor that requires a gradient."),
    )


def _integers(script: LearnerScript, name: str, statement: ast.stmt) -> Iterator[Version]:
    """Yield versions in which a leaf holds integers: changed in the call that creates it, or converted after it."""
    code, title = script.code, msg("Integers with requires_grad")
    keywords = {each.arg: each for each in statement.value.keywords} if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call) else {}
    if "requires_grad" in keywords:
        start = code.span(keywords["requires_grad"]).start
        edit = code.replace(keywords["dtype"].value, "torch.int64") if "dtype" in keywords else Edit(start, start, "dtype=torch.int64, ")
        yield code.version(title, [edit])
    yield code.version(title, code.insert(statement, [f"{name} = {name}.detach().long().requires_grad_()"], after=True))


def non_scalar(script: LearnerScript) -> Comparison:
    code, (statement, graph) = script.code, (script.first_backward.statement, script.first_backward.graph)
    new = code.unused_name("values")
    several = [each.name for each in graph.intermediates if each.value is not None and each.value.numel() > 1]
    tensors: list[tuple[str, list[Edit]]] = [(name, []) for name in reversed(several)]
    tensors += [(new, code.insert(statement, [f"{new} = {bracketed(code.text(each))}"])) for each in reversed(graph.expressions)]
    versions = dict(_from_several(script, name, naming) for name, naming in tensors)

    def is_refused(version: Version) -> bool:
        return "created only for scalar outputs" in (script.pytorch_error(version) or "")  # no text: PyTorch’s message

    # prefer a tensor with which the corrected script runs to its end
    wrong = script.first_version(versions, lambda version: is_refused(version) and script.run(versions[version][0]).error is None) or script.first_version(
        versions, is_refused
    )
    if wrong is None:
        raise PlaygroundError(
            msg("Every result of this script is a single number."), msg("Compute one with several: `y = x * 2` with `x = torch.ones(3, requires_grad=True)`.")
        )
    meaning = msg(
        "`backward()` without an argument starts from a single number, with upstream gradient 1. For several numbers PyTorch cannot know how to weight them."
    )
    rule = msg("Reduce to one number with `.sum()` or `.mean()`, or pass `backward` an upstream gradient of the tensor’s shape.")
    return Comparison(wrong, versions[wrong], meaning, rule)


def _from_several(script: LearnerScript, name: str, naming: list[Edit]) -> tuple[Version, tuple[Version, ...]]:
    """Return a version whose first backward pass starts from a tensor with several cells, and two corrected ones."""
    code, call = script.code, BackwardCall(script.code, script.first_backward.statement)
    summed = code.version(msg("Sum them first"), [*naming, call.start_from(f"{name}.sum()")])
    weighted = code.version(msg("Pass an upstream gradient"), [*naming, call.start_from(name, f"torch.ones_like({name})")])
    return code.version(msg("Backward from several numbers"), [*naming, call.start_from(name)]), (summed, weighted)
