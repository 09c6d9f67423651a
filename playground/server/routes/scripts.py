"""The routes that the components with a script ask: run it, observe its gradients, and what scripts can use."""

from __future__ import annotations

import json
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from playground.autograd.task import CURVE, OBSERVE, PROVE
from playground.device import BEST
from playground.errors import PlaygroundError
from playground.server.respond import answered, body_of
from playground.server.services import services
from playground.tensors.sandbox import CHECK, RUN, processor_seconds

MAX_SCRIPT = 100_000
"""Bytes of a request with a script: its longest, in letters of four bytes each."""


@answered
async def run(request: Request) -> Response:
    """Run a script: `source`, `device`, and `exercise` where it answers one. The answer is a report as `playground.tensors.xray.report` writes it."""
    asked = _asked(await body_of(request, MAX_SCRIPT))
    task, scripts = (CHECK, 2) if asked["exercise"] else (RUN, 1)
    return JSONResponse(await to_thread.run_sync(services().sandbox.ask, task, asked, processor_seconds(scripts)))


@answered
async def observe(request: Request) -> Response:
    """Run a script: `source`, `device`, `seed`, `grabbed`. The answer is what `playground.autograd.graph` tells of its gradients."""
    return await _gradients(request, OBSERVE)


@answered
async def curve(request: Request) -> Response:
    """The loss of a script by one of its numbers: as above, and `name`, `cell`, `pass`, `places`."""
    return await _gradients(request, CURVE)


@answered
async def prove(request: Request) -> Response:
    """A script’s gradients beside finite differences: `source`, `device`, `seed`, `grabbed`."""
    return await _gradients(request, PROVE)


async def _gradients(request: Request, task: str) -> Response:
    body = await body_of(request, MAX_SCRIPT)
    asked = _asked(body)
    document = json.loads(body)
    asked |= {name: document[name] for name in ("seed", "grabbed", "name", "cell", "pass", "places") if name in document}
    return JSONResponse(await to_thread.run_sync(services().sandbox.ask, task, asked))


def _asked(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
        asked = {"source": document["source"], "exercise": document.get("exercise") or "", "device": document.get("device") or BEST}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise PlaygroundError("The request body must be a JSON object with “source”.") from None
    if not all(isinstance(value, str) for value in asked.values()):
        raise PlaygroundError("“source” must be a string.")
    return asked


ROUTES: list[BaseRoute] = [
    Route("/api/tensors/run", run, methods=["POST"]),
    Route("/api/autograd/run", observe, methods=["POST"]),
    Route("/api/autograd/curve", curve, methods=["POST"]),
    Route("/api/autograd/prove", prove, methods=["POST"]),
]
