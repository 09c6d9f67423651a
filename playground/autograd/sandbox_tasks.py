"""The tasks of the Autograd page, each run in a separate process (`playground.tensors.sandbox`); `task_names` names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypedDict

import torch

from playground import device
from playground.autograd import descent, gradient_check, gradient_flow, graph, overrides, script_loss
from playground.autograd.descent import Descent
from playground.autograd.gradient_check import GradientCheck
from playground.autograd.graph import GraphDocument, Values
from playground.autograd.pitfalls import catalogue
from playground.autograd.script_loss import ScriptLoss
from playground.data.load import load
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.tensors.xray.report import tile

MAX_CURVE_POINTS = 101
"""Points of a loss curve."""


class AutogradRun(GraphDocument[Values], Generic[Values]):
    """A run of a script; the same seed gives the same random numbers."""

    seed: int


class LossCurve(TypedDict):
    """The loss as a function of one cell."""

    values: list[float]
    """Of the cell, at equal distances; fewer than were asked for where the script is slow."""
    losses: list[float | None]
    """For each of them; null where one is not finite or the script fails."""


def observe(request: Mapping[str, Any]) -> AutogradRun[Any]:
    """Run a script and describe its computation graph.

    Args:
        request: `source`; `device`; `seed`, drawn here if missing; `overrides`, values set by the learner;
            `brief`, whether to write tensors as nested lists instead of the tiles that the page draws.
    """
    seed = request.get("seed")
    seed = torch.seed() % 2**31 if seed is None else _whole_number("seed", seed)
    script_loss.seed_generators(seed)
    execution = graph.run(str(request["source"]), _predefined(request), overrides.parse(request.get("overrides")))
    return {**(graph.document(execution) if request.get("brief") else graph.document(execution, tile)), "seed": seed}


def loss_curve(request: Mapping[str, Any]) -> LossCurve:
    """Evaluate the loss of backward pass `pass` for the `values` of one `cell` of the tensor called `name`."""
    try:
        cell, values = int(request["cell"]), [float(value) for value in request["values"]]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise PlaygroundError(msg("A request for a loss curve needs `name`, a whole number `cell` and a list of numbers `values`.")) from None
    evaluated, losses = script_loss.loss_curve(_script_loss(request), str(request.get("name")), cell, values[:MAX_CURVE_POINTS])
    return {"values": evaluated, "losses": losses}


def check_gradients(request: Mapping[str, Any]) -> GradientCheck:
    """Compare the gradients of the first backward pass with finite differences."""
    script_loss = _script_loss({**request, "pass": 0})
    return gradient_check.check_gradients(script_loss, script_loss.leaves())


def _script_loss(request: Mapping[str, Any]) -> ScriptLoss:
    cells = overrides.parse(request.get("overrides")).values
    seed, pass_index = _whole_number("seed", request.get("seed")), _whole_number("pass", request.get("pass"))
    return ScriptLoss(str(request["source"]), _predefined(request), seed, cells, pass_index)


def _whole_number(name: str, number: Any) -> int:
    """Return the number, if a generator can be seeded with it.

    Raises:
        PlaygroundError: it is not a whole number from 0 to 2³¹ − 1.
    """
    if type(number) is not int or not 0 <= number < 2**31:
        raise PlaygroundError(msg("`{name}` must be a whole number from 0 to 2³¹ − 1, not {number}.", name=name, number=repr(number)))
    return number


def _predefined(request: Mapping[str, Any]) -> dict[str, torch.device]:
    return {"device": torch.device(device.get(request.get("device", device.BEST)).name)}


def descend(request: Mapping[str, Any]) -> Descent:
    """Let optimizers descend a loss surface; see `playground.autograd.descent.descend`."""
    return descent.descend(request)


REHEARSED = """x = torch.rand(3)
w = torch.ones(3, requires_grad=True)
loss = torch.tanh(x @ w + 1).pow(2).mean()
loss.backward()
print(f"{loss:.2f}")
"""  # no text: code


def rehearse(_request: Mapping[str, Any]) -> AutogradRun[Any]:
    """Run a small script in a process that is kept ready, so that nobody waits for what PyTorch does at its first backward pass."""
    return observe({"source": REHEARSED, "device": "cpu"})


IMPORTED = (gradient_flow, catalogue)
"""Modules with further tasks, imported with this one so that a task does not wait for them."""


def prepare() -> None:
    """Load the data sets in the launcher, before it forks; no backward pass, because autograd's engine would not survive a fork."""
    for name in ("mnist-5k", "shapes"):
        load(name)
