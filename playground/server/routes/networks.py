"""The routes of the Network page: what there is to stack, what a stack comes to, code read, and one batch sent through."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.errors import PlaygroundError
from playground.server.respond import ONE_DAY, Answer, answered, body_of
from playground.server.services import services

MAX_NETWORK = 200_000
"""Bytes of a request with a network or its code."""
INSIDE = "playground.inference.batch_outputs:run_batch"


@answered
async def catalogue(_request: Request) -> Response:
    """Every layer kind with its parameters."""
    return Answer(await to_thread.run_sync(_catalogue), headers={"cache-control": f"public, max-age={ONE_DAY}"})


@answered
async def analyse(request: Request) -> Response:
    """What a stack comes to: `network`, and the `dataset` that it is meant for.

    The answer is that of `playground.network.analysis`; of a stack that fits, its code and how it differs from the preset of its name, too.
    """
    asked = await _document(request)
    return Answer(await to_thread.run_sync(_analysed, asked))


@answered
async def read(request: Request) -> Response:
    """Code as a stack: `text`, and `input_shape` where the code does not say it. The answer has `network` and `notes`."""
    asked = await _document(request)
    return Answer(await to_thread.run_sync(_read, asked))


@answered
async def inside(request: Request) -> Response:
    """One batch through an untrained stack: as `playground.inference.batch_outputs.run_batch` has it."""
    document = await _document(request)
    asked: dict[str, Any] = {name: document[name] for name in ("network", "initialisation", "seed", "dataset", "device") if name in document}
    return Answer(await to_thread.run_sync(services().sandbox.ask, INSIDE, asked))


async def _document(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(await body_of(request, MAX_NETWORK))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise PlaygroundError("The request body must be a JSON object.")
    return document


@cache
def _catalogue() -> list[dict[str, Any]]:
    from playground.network.analysis import catalogue

    services().warm.wait()
    return catalogue()


def _analysed(asked: dict[str, Any]) -> dict[str, Any]:
    from playground.network.analysis import analyse
    from playground.network.facts import compare
    from playground.network.presets import load_presets
    from playground.network.source import module_script, sequential_script
    from playground.network.spec import from_dict

    services().warm.wait()
    found = analyse(asked.get("network"), str(asked.get("dataset") or "") or None)
    if not found["fits"]:
        return found
    spec = from_dict(asked["network"])
    preset = load_presets().networks.get(spec.name)
    compared = [asdict(difference) for difference in compare(spec, preset)] if preset else None
    return {**found, "module": module_script(spec), "sequential": sequential_script(spec), "compared": compared}


def _read(asked: dict[str, Any]) -> dict[str, Any]:
    from playground.network.reading import read

    services().warm.wait()
    shape = asked.get("input_shape")
    if shape is not None and not (isinstance(shape, list) and all(type(size) is int for size in shape)):
        raise PlaygroundError("“input_shape” must be a list of whole numbers, such as [1, 28, 28].")
    found = read(str(asked.get("text", "")), tuple(shape) if shape else None)
    return {"network": found.spec.to_dict(), "notes": list(found.notes)}


ROUTES: list[BaseRoute] = [
    Route("/api/network/catalogue", catalogue),
    Route("/api/network/analyse", analyse, methods=["POST"]),
    Route("/api/network/read", read, methods=["POST"]),
    Route("/api/network/inside", inside, methods=["POST"]),
]
