"""The routes of the Network page: the layer catalogue, the analysis of a network, code import, and activations on one batch."""

from __future__ import annotations

import json
from functools import cache, partial
from typing import Any, TypedDict

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.errors import PlaygroundError
from playground.messages import msg
from playground.network import analysis
from playground.network.differences import Difference, DifferenceKind, find_differences
from playground.network.presets import load_presets
from playground.network.source import module_script, sequential_script
from playground.network.spec import from_dict
from playground.pasted import READ_NETWORK
from playground.server.respond import AsciiJSON, answered, body_of, kept
from playground.server.services import services

MAX_NETWORK = 200_000
"""Largest size of a request with a network or its code, in bytes."""
ACTIVATIONS, VALUE = "playground.inference.batch_outputs:run_batch", "playground.inference.batch_outputs:write_value"
READ_FIELDS = ("text", "input_shape", "which", "given")
BATCH_FIELDS = ("network", "initialisation", "seed", "dataset", "device")


class PresetDifference(TypedDict):
    """One difference of a network from a preset."""

    kind: DifferenceKind
    text: str
    index: int | None
    """Of the layer in the network; null where the network lacks it."""
    reference_index: int | None
    """Of the layer in the preset; null where the preset lacks it."""
    extra_parameters: int
    """More than the preset has, negative for fewer; 0 for all kinds but `parameters`."""


class FittingNetwork(analysis.NetworkAnalysis):
    """An analysed network that fits, with its code."""

    module: str
    sequential: str
    compared: list[PresetDifference] | None
    """With the preset of its name; null where there is none."""


@answered
async def catalogue(request: Request) -> Response:
    """Return every layer type with its parameters."""
    return kept(request, await to_thread.run_sync(_catalogue))


@answered
async def analyse(request: Request) -> Response:
    """Analyse a `network` for a `dataset`, as `playground.network.analysis.analyse` does.

    For a network whose layers fit, the response also has its code and its differences from the preset of its name.
    """
    document = await _document(request)
    return AsciiJSON(await to_thread.run_sync(_analyse, document))


@answered
async def read(request: Request) -> Response:
    """Read a network from code, as `playground.pasted.task.read_network` does."""
    document = await _document(request)
    shape = document.get("input_shape")
    if shape is not None and not (isinstance(shape, list) and all(type(size) is int for size in shape)):
        raise PlaygroundError(msg("“input_shape” must be a list of whole numbers, such as [1, 28, 28]."))
    run = partial(services().sandbox.run_to_json, READ_NETWORK, {name: document[name] for name in READ_FIELDS if name in document}, yielding=True)
    return Response(await to_thread.run_sync(run), media_type="application/json")


@answered
async def activations(request: Request) -> Response:
    """Run one batch through an untrained network, as `playground.inference.batch_outputs.run_batch` does."""
    return await _run_in_sandbox(ACTIVATIONS, await _document(request), "view", "unfolded")


@answered
async def value(request: Request) -> Response:
    """Write out one value of such a batch, as `playground.inference.batch_outputs.write_value` does."""
    return await _run_in_sandbox(VALUE, await _document(request), "layer", "place")


async def _run_in_sandbox(task: str, document: dict[str, Any], *more: str) -> Response:
    arguments = {name: document[name] for name in (*BATCH_FIELDS, *more) if name in document}
    return Response(await to_thread.run_sync(services().sandbox.run_to_json, task, arguments), media_type="application/json")


async def _document(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(await body_of(request, MAX_NETWORK))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise PlaygroundError(msg("The request body must be a JSON object."))
    return document


@cache
def _catalogue() -> list[analysis.LayerKind]:
    return analysis.describe_layer_types()


def _analyse(document: dict[str, Any]) -> analysis.NetworkAnalysis | FittingNetwork:
    result = analysis.analyse(document.get("network"), str(document.get("dataset") or "") or None)
    if not result["fits"]:
        return result
    spec = from_dict(document["network"])
    preset = load_presets().networks.get(spec.name)
    compared = [_describe(difference) for difference in find_differences(spec, preset)] if preset else None
    fitting: FittingNetwork = {**result, "module": module_script(spec), "sequential": sequential_script(spec), "compared": compared}
    return fitting


def _describe(difference: Difference) -> PresetDifference:
    return {
        "kind": difference.kind,
        "text": difference.text,
        "index": difference.index,
        "reference_index": difference.reference_index,
        "extra_parameters": difference.extra_parameters,
    }


ROUTES: list[BaseRoute] = [
    Route("/api/network/catalogue", catalogue),
    Route("/api/network/analyse", analyse, methods=["POST"]),
    Route("/api/network/read", read, methods=["POST"]),
    Route("/api/network/activations", activations, methods=["POST"]),
    Route("/api/network/value", value, methods=["POST"]),
]
