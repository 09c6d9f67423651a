"""The usual mistakes with autograd, each made in the learner's own script, and what is right instead.

Sources: https://docs.pytorch.org/docs/stable/notes/autograd.html, https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html,
https://docs.pytorch.org/docs/stable/generated/torch.Tensor.retain_grad.html, https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from playground.autograd.pitfalls.backward_call import BackwardCall, bracketed
from playground.autograd.pitfalls.dependence import zeroes
from playground.autograd.pitfalls.lesson import Lesson, Repeated
from playground.autograd.pitfalls.rewriting import Draft, Edit
from playground.autograd.pitfalls.witness import Intermediate
from playground.errors import PlaygroundError

NO_GRAD = "with torch.no_grad():"


@dataclass(frozen=True)
class Comparison:
    """A script with a mistake made, and without it."""

    wrong: Draft
    right: tuple[Draft, ...]
    meaning: str
    rule: str
    watched: tuple[str, ...] = ()
    """Names whose gradients matter though they are no leaves."""


def zero_grad(lesson: Lesson) -> Comparison:
    code, first = lesson.code, lesson.passage
    rule = "Set the gradients to zero or to None before each backward pass: `x.grad = None`, or `optimizer.zero_grad()` in training."
    if zeroing := [statement for statement in code.blocks if zeroes(statement)]:
        wrong = code.draft("Forget zero_grad", code.remove(zeroing), zeroing)
        meaning = "`backward()` adds to what `.grad` already holds. Nothing takes the old gradients away any more, so they stay."
        if lesson.same(wrong, lesson.own):
            meaning = "`backward()` adds to what `.grad` already holds. This script ends alike without the zeroing, because it never adds to old gradients."
        return Comparison(wrong, (code.draft("Zero them, as you do"),), meaning, rule)
    if adding := [passage for passage in lesson.facts.passages.values() if passage.adds]:
        edits = [edit for passage in adding for edit in code.insert(passage.statement, [f"{leaf}.grad = None" for leaf in passage.leaves])]
        meaning = "`backward()` adds to what `.grad` already holds. Your script forgets to zero already, so its gradients are sums over several passes."
        return Comparison(code.draft("Forget zero_grad, as you do"), (code.draft("Zero them before each pass", edits),), meaning, rule)
    if not first.leaves:
        raise PlaygroundError(
            "The leaves of this script have no names, so nobody can see their gradients.", "Give them names: `x = torch.ones(3, requires_grad=True)`."
        )
    if (repeated := lesson.repeated()) is None:
        raise PlaygroundError("This script overwrites what its loss is computed from, so the loss cannot be computed twice.", "Give each result a new name.")
    anew = _anew(lesson, "Forget zero_grad", repeated)
    zeroed = _anew(lesson, "Zero them between the passes", repeated, first.leaves)
    meaning = "`backward()` adds to what `.grad` already holds. The loss is computed and gone back from twice here, so each gradient is a sum over both passes."
    return Comparison(anew, (zeroed,), meaning, rule)


def _anew(lesson: Lesson, title: str, repeated: Repeated, zeroed: tuple[str, ...] = ()) -> Draft:
    """The first loss computed and gone back from a second time, the gradients of these leaves taken away between."""
    last, statements = repeated
    texts = [*(f"{leaf}.grad = None" for leaf in zeroed), *map(lesson.code.text, statements)]
    simple = not any(hasattr(statement, "body") for statement in statements)
    return lesson.code.draft(title, lesson.code.insert(last, texts, after=True, simple=simple))


def backward_twice(lesson: Lesson) -> Comparison:
    code, statement = lesson.code, lesson.passage.statement
    call = BackwardCall(code, statement)
    wrong = code.draft("Backward twice", [*call.naming, *code.insert(statement, [call.repeated()], after=True)])
    meaning = "Values were saved on the way forward, and `backward()` frees them behind itself. A second pass through the same graph finds them gone."
    if "a second time" not in (lesson.said(wrong) or ""):
        meaning = "Nothing that this graph saved is missing, so PyTorch does not complain. The second pass adds its gradients to those of the first."
    return Comparison(wrong, _once(lesson), meaning, "Go back once through each graph, and compute the loss anew before the next pass.")


def retain_graph(lesson: Lesson) -> Comparison:
    code, statement = lesson.code, lesson.passage.statement
    call = BackwardCall(code, statement)
    edits = [*call.naming, call.retaining(), *code.insert(statement, [call.repeated()], after=True)]
    meaning = "`retain_graph=True` keeps what the graph saved, so a second pass is possible. It brings the same gradients again, and they are added up."
    rule = "`retain_graph=True` is for several losses that share a graph. To repeat a step, compute the loss anew and zero the gradients."
    return Comparison(code.draft("Backward twice, with retain_graph", edits), _once(lesson), meaning, rule)


def _once(lesson: Lesson) -> tuple[Draft, ...]:
    """What to do instead of going back twice through one graph."""
    once, repeated = lesson.code.draft("Backward once"), lesson.repeated()
    return (once, _anew(lesson, "Compute the loss anew, and zero the gradients", repeated, lesson.passage.leaves)) if repeated else (once,)


def in_place(lesson: Lesson) -> Comparison:
    code, statement = lesson.code, lesson.passage.statement
    naming = BackwardCall(code, statement).naming

    def change(name: str, tensor: torch.Tensor) -> Draft:
        # a leaf itself may not be changed while PyTorch records, but the memory that it shares may
        target = f"{name}.detach()" if tensor.is_leaf and tensor.requires_grad else name
        return code.draft("Change a saved tensor in place", [*naming, *code.insert(statement, [f"{target}.mul_(2)"])])

    drafts = {change(name, tensor): name for name, tensor in lesson.passage.graph.saved}
    wrong = lesson.first(drafts, lambda draft: "modified by an inplace operation" in (lesson.said(draft) or ""))
    if wrong is None:
        raise PlaygroundError("This backward pass needs no values of a tensor that has a name, so changing one in place does no harm here.", "Try `y = x * x`.")
    name = drafts[wrong]
    new = code.fresh(f"{name.split('[')[0]}_doubled")
    right = code.draft("Make a new tensor", code.insert(statement, [f"{new} = {name} * 2"]))
    meaning = (
        "The graph had saved this tensor, because its gradient depends on the values. PyTorch notices that they have changed, and refuses to compute with them."
    )
    return Comparison(wrong, (right,), meaning, "While a graph is being recorded, make new tensors: `y = y * 2` instead of `y.mul_(2)`.")


def detach(lesson: Lesson) -> Comparison:
    code, title = lesson.code, "Detach on the way"
    drafts = {code.draft(title, code.insert(each.statement, [f"{each.name} = {each.name}.detach()"], after=True)): each for each in _between(lesson)}
    wrong = lesson.first(drafts, lambda draft: not lesson.same(draft, lesson.own))
    if wrong is None:
        raise _no_intermediate()
    each = drafts[wrong]
    right = code.draft("Detach a copy to look at", code.insert(each.statement, [f"{code.fresh('shown')} = {each.name}.detach()"], after=True))
    meaning = "`detach()` gives the same values without their history. The way back ends there, so the gradients that came along it are missing."
    if "does not require grad" in (lesson.said(wrong) or ""):
        meaning = "`detach()` gives the same values without their history. Nothing leads back from the loss any more, and PyTorch says so."
    return Comparison(wrong, (right,), meaning, "Detach what you look at or store, and never what the loss is computed from.")


def no_grad(lesson: Lesson) -> Comparison:
    code, statement, title = lesson.code, lesson.passage.statement, "Compute under no_grad"
    drafts = {code.draft(title, code.under(each.statement, NO_GRAD)): each.name for each in _between(lesson)}
    if not BackwardCall(code, statement).is_named and lesson.passage.leaves:
        drafts[code.draft(title, code.under(statement, NO_GRAD))] = lesson.passage.leaves[0]
    wrong = lesson.first(drafts, lambda draft: not lesson.same(draft, lesson.own))
    if wrong is None:
        raise _no_intermediate()
    looking = code.block(statement, NO_GRAD, f"print({drafts[wrong]}.mean())")
    right = code.draft("Only look under no_grad", code.insert(statement, [looking], after=True, simple=False))
    meaning = "Under `no_grad` PyTorch records nothing. The way back ends there, so the gradients that came along it are missing."
    if "does not require grad" in (lesson.said(wrong) or ""):
        meaning = "Under `no_grad` PyTorch records nothing. Nothing leads back from the loss any more, and PyTorch says so."
    return Comparison(wrong, (right,), meaning, "Compute the loss outside, and only look at results or update the parameters under `no_grad`.")


def _between(lesson: Lesson) -> list[Intermediate]:
    """The tensors between leaves and loss, and the loss itself for where there is nothing else."""
    return sorted(lesson.passage.graph.intermediates, key=lambda each: each.is_loss)


def _no_intermediate() -> PlaygroundError:
    return PlaygroundError("This script has no intermediate tensor with a name on the way to its loss.", "Give one a name: `y = x * 2`, then `loss = y.sum()`.")


def non_leaf(lesson: Lesson) -> Comparison:
    code, statement = lesson.code, lesson.passage.statement
    seen = [each for each in _between(lesson) if each.value is not None and not each.value.retains_grad]
    if not seen:
        raise _no_intermediate()
    looked = code.insert(statement, [f"print({seen[0].name}.grad)"], after=True)
    retained = code.insert(seen[0].statement, [f"{seen[0].name}.retain_grad()"], after=True)
    wrong, right = code.draft("Look at a non-leaf’s .grad", looked), code.draft("Ask for it with retain_grad", [*retained, *looked])
    meaning = (
        "PyTorch keeps gradients for leaves only; those of results in between are dropped once they have been passed on. So `.grad` is None, with a warning."
    )
    return Comparison(wrong, (right,), meaning, "Call `retain_grad()` on a result before the backward pass, if you want to see its gradient.", (seen[0].name,))


def integer(lesson: Lesson) -> Comparison:
    drafts = [draft for name, statement in lesson.facts.leaves.items() for draft in _integers(lesson, name, statement)]
    if not drafts:
        raise PlaygroundError("This script has no tensor that requires a gradient.", "Make one: `x = torch.tensor([1., 2.], requires_grad=True)`.")
    wrong = lesson.first(drafts, lambda draft: "nly Tensors of floating point" in (lesson.said(draft) or ""))
    if wrong is None:
        raise PlaygroundError("The leaves of this script are made in a way that cannot be changed to integers.", "Make one with `torch.tensor(…)`.")
    meaning = "A gradient tells what a very small change would do. Integers have no small changes, so PyTorch refuses."
    return Comparison(wrong, (lesson.code.draft("Floats"),), meaning, "Write floats, as in `1.` or `dtype=torch.float32`, wherever a gradient is wanted.")


def _integers(lesson: Lesson, name: str, statement: ast.stmt) -> Iterator[Draft]:
    """A leaf made of integers: in the call that makes it, or else behind it."""
    code, title = lesson.code, "Integers with requires_grad"
    keywords = {each.arg: each for each in statement.value.keywords} if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call) else {}
    if "requires_grad" in keywords:
        start = code.place(keywords["requires_grad"]).start
        edit = code.replace(keywords["dtype"].value, "torch.int64") if "dtype" in keywords else Edit(start, start, "dtype=torch.int64, ")
        yield code.draft(title, [edit])
    yield code.draft(title, code.insert(statement, [f"{name} = {name}.detach().long().requires_grad_()"], after=True))


def non_scalar(lesson: Lesson) -> Comparison:
    code, (statement, graph) = lesson.code, (lesson.passage.statement, lesson.passage.graph)
    new = code.fresh("values")
    several = [each.name for each in graph.intermediates if each.value is not None and each.value.numel() > 1]
    tensors: list[tuple[str, list[Edit]]] = [(name, []) for name in reversed(several)]
    tensors += [(new, code.insert(statement, [f"{new} = {bracketed(code.text(each))}"])) for each in reversed(graph.expressions)]
    drafts = dict(_from_several(lesson, name, naming) for name, naming in tensors)

    def is_refused(draft: Draft) -> bool:
        return "created only for scalar outputs" in (lesson.said(draft) or "")

    # rather one with which the rest of the script still works, once it is written rightly
    wrong = lesson.first(drafts, lambda draft: is_refused(draft) and lesson.run(drafts[draft][0]).error is None) or lesson.first(drafts, is_refused)
    if wrong is None:
        raise PlaygroundError("Every result of this script is a single number.", "Let it compute several: `y = x * 2` of an `x` with several cells.")
    meaning = "`backward()` starts from one number, whose gradient is 1. Of several numbers PyTorch cannot know how much each of them counts."
    rule = "Reduce to one number, with `.sum()` or `.mean()`, or give `backward` a gradient of the tensor’s shape."
    return Comparison(wrong, drafts[wrong], meaning, rule)


def _from_several(lesson: Lesson, name: str, naming: list[Edit]) -> tuple[Draft, tuple[Draft, ...]]:
    """The first pass from a tensor of several numbers; and how that is possible."""
    code, call = lesson.code, BackwardCall(lesson.code, lesson.passage.statement)
    summed = code.draft("Sum them first", [*naming, call.starting(f"{name}.sum()")])
    weighted = code.draft("Give each of them a gradient", [*naming, call.starting(name, f"torch.ones_like({name})")])
    return code.draft("Backward from several numbers", [*naming, call.starting(name)]), (summed, weighted)
