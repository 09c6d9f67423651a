"""The tasks of the Autograd page, for processes of their own. PyTorch is imported in them, so that a page can name them before it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playground.errors import PlaygroundError

if TYPE_CHECKING:
    from playground.autograd.probing import Question

MOST_PLACES = 101
"""Points of a loss curve."""

OBSERVE = "playground.autograd.task:observe"
CURVE = "playground.autograd.task:curve"
PROVE = "playground.autograd.task:prove"
DESCEND = "playground.autograd.task:descend"
FLOW = "playground.autograd.flow:flow"
PITFALL = "playground.autograd.pitfalls.catalogue:show"
PREPARE = "playground.autograd.task:prepare"


def observe(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run `source` on `device` from `seed` (drawn here if there is none) with the `grabbed` numbers, and tell of its graph."""
    import torch

    from playground.autograd import grabbing, graph, probing
    from playground.tensors.xray.report import tile

    seed = request.get("seed")
    seed = torch.seed() % 2**31 if seed is None else _whole(seed)
    probing.plant(seed)
    execution = graph.run(str(request["source"]), _given(request), grabbing.read(request.get("grabbed")))
    return {**(graph.document(execution) if request.get("brief") else graph.document(execution, tile)), "seed": seed}


def curve(request: Mapping[str, Any]) -> dict[str, Any]:
    """The loss of backward pass `pass` at the `places` of one `cell` of the tensor called `name`."""
    from playground.autograd import probing

    try:
        cell, places = int(request["cell"]), [float(place) for place in request["places"]]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise PlaygroundError("A loss curve is asked for with “name”, “cell” and “places”.") from None
    return {"losses": probing.curve(_question(request), str(request.get("name")), cell, places[:MOST_PLACES])}


def prove(request: Mapping[str, Any]) -> dict[str, Any]:
    """The gradients of the first backward pass beside finite differences."""
    from playground.autograd import proof

    question = _question({**request, "pass": 0})
    return proof.prove(question, question.reached())


def _question(request: Mapping[str, Any]) -> Question:
    from playground.autograd import grabbing
    from playground.autograd.probing import Question

    grabbed = grabbing.read(request.get("grabbed"))
    return Question(str(request["source"]), _given(request), _whole(request.get("seed")), grabbed.values, _whole(request.get("pass")))


def _whole(number: Any) -> int:
    """A seed, or which pass; no more of it than a generator takes.

    Raises:
        PlaygroundError: it is no whole number from 0.
    """
    if type(number) is not int or not 0 <= number < 2**31:
        raise PlaygroundError("A seed is a whole number from 0 to 2³¹.")
    return number


def _given(request: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    from playground import device

    return {"device": torch.device(device.get(request.get("device", device.BEST)).name)}


def descend(request: Mapping[str, Any]) -> dict[str, Any]:
    """Draw a surface and let optimizers race down it."""
    from playground.autograd import descent

    return descent.descend(request)


def prepare() -> None:
    """In the forking process: the imports, and no backward pass, for its engine would not survive a fork."""
    import playground.autograd.descent
    import playground.autograd.flow
    import playground.autograd.graph
    import playground.autograd.pitfalls.catalogue
    import playground.autograd.proof  # noqa: F401
    from playground.data.load import load

    for name in ("mnist-5k", "shapes"):
        load(name)
