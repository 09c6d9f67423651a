"""The tasks of the Autograd page, each run in a process of its own (`playground.tensors.sandbox`).

PyTorch is imported inside the functions, so that a page can name a task before PyTorch is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playground.errors import PlaygroundError

if TYPE_CHECKING:
    from playground.autograd.script_loss import ScriptLoss

MAX_CURVE_POINTS = 101
"""Points of a loss curve."""

OBSERVE = "playground.autograd.sandbox_tasks:observe"
LOSS_CURVE = "playground.autograd.sandbox_tasks:loss_curve"
CHECK_GRADIENTS = "playground.autograd.sandbox_tasks:check_gradients"
DESCEND = "playground.autograd.sandbox_tasks:descend"
GRADIENT_FLOW = "playground.autograd.gradient_flow:measure_gradient_flow"
PITFALL = "playground.autograd.pitfalls.catalogue:compare"
PREPARE = "playground.autograd.sandbox_tasks:prepare"


def observe(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run a script and describe its computation graph.

    Args:
        request: `source`; `device`; `seed`, drawn here if missing; `overrides`, values set by the learner;
            `brief`, whether to write tensors as nested lists instead of the tiles that the page draws.

    Returns:
        The document of `playground.autograd.graph`, and the `seed`.
    """
    import torch

    from playground.autograd import graph, overrides, script_loss
    from playground.tensors.xray.report import tile

    seed = request.get("seed")
    seed = torch.seed() % 2**31 if seed is None else _whole_number("seed", seed)
    script_loss.seed_generators(seed)
    execution = graph.run(str(request["source"]), _predefined(request), overrides.parse(request.get("overrides")))
    return {**(graph.document(execution) if request.get("brief") else graph.document(execution, tile)), "seed": seed}


def loss_curve(request: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate the loss of backward pass `pass` for the `values` of one `cell` of the tensor called `name`."""
    from playground.autograd import script_loss

    try:
        cell, values = int(request["cell"]), [float(value) for value in request["values"]]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise PlaygroundError("A request for a loss curve needs `name`, a whole number `cell` and a list of numbers `values`.") from None
    return {"losses": script_loss.loss_curve(_script_loss(request), str(request.get("name")), cell, values[:MAX_CURVE_POINTS])}


def check_gradients(request: Mapping[str, Any]) -> dict[str, Any]:
    """Compare the gradients of the first backward pass with finite differences."""
    from playground.autograd import gradient_check

    script_loss = _script_loss({**request, "pass": 0})
    return gradient_check.check_gradients(script_loss, script_loss.leaves())


def _script_loss(request: Mapping[str, Any]) -> ScriptLoss:
    from playground.autograd import overrides
    from playground.autograd.script_loss import ScriptLoss

    cells = overrides.parse(request.get("overrides")).values
    seed, pass_index = _whole_number("seed", request.get("seed")), _whole_number("pass", request.get("pass"))
    return ScriptLoss(str(request["source"]), _predefined(request), seed, cells, pass_index)


def _whole_number(name: str, number: Any) -> int:
    """Return the number, if a generator can be seeded with it.

    Raises:
        PlaygroundError: it is not a whole number from 0 to 2³¹ − 1.
    """
    if type(number) is not int or not 0 <= number < 2**31:
        raise PlaygroundError(f"`{name}` must be a whole number from 0 to 2³¹ − 1, not {number!r}.")
    return number


def _predefined(request: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    from playground import device

    return {"device": torch.device(device.get(request.get("device", device.BEST)).name)}


def descend(request: Mapping[str, Any]) -> dict[str, Any]:
    """Let optimizers descend a loss surface; see `playground.autograd.descent.descend`."""
    from playground.autograd import descent

    return descent.descend(request)


def prepare() -> None:
    """Import in the launcher, before it forks; no backward pass, because autograd's engine would not survive a fork."""
    import playground.autograd.descent
    import playground.autograd.gradient_check
    import playground.autograd.gradient_flow
    import playground.autograd.graph
    import playground.autograd.pitfalls.catalogue  # noqa: F401
    from playground.data.load import load

    for name in ("mnist-5k", "shapes"):
        load(name)
