"""The routes for learners' scripts: run one, describe its gradients, and list what scripts can use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.autograd.surfaces import OPTIMIZER_NAMES
from playground.autograd.task_names import CHECK_GRADIENTS, DESCEND, LOSS_CURVE, OBSERVE
from playground.device import BEST
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.server.respond import answered, body_of, object_of
from playground.server.services import services
from playground.tensors.sandbox import CHECK_EXERCISE, RUN, processor_seconds

MAX_SCRIPT = 100_000
"""Bytes of a request with a script: the longest script, with four bytes a character."""
GRADIENT_FIELDS = ("seed", "overrides", "name", "cell", "pass", "values")
"""Fields that the tasks of `playground.autograd.sandbox_tasks` take besides those of any script."""


@answered
async def run(request: Request) -> Response:
    """Run a script: `source`, `device` and `exercise` (empty for none). Respond with the report of `playground.tensors.xray.report`."""
    script = _script(object_of(await body_of(request, MAX_SCRIPT)))
    task, scripts = (CHECK_EXERCISE, 2) if script["exercise"] else (RUN, 1)
    return await _run_in_sandbox(task, script, processor_seconds(scripts))


@answered
async def observe(request: Request) -> Response:
    """Run a script: `source`, `device`, `seed`, `overrides`. Respond with the document of `playground.autograd.graph`."""
    return await _run_gradient_task(request, OBSERVE)


@answered
async def loss_curve(request: Request) -> Response:
    """Evaluate a script's loss for several values of one cell: the fields of `observe`, and `name`, `cell`, `pass`, `values`."""
    return await _run_gradient_task(request, LOSS_CURVE, yielding=True)


@answered
async def check_gradients(request: Request) -> Response:
    """Compare a script's gradients with finite differences: the fields of `observe`."""
    return await _run_gradient_task(request, CHECK_GRADIENTS)


@answered
async def descend(request: Request) -> Response:
    """Let optimizers descend the learner's own surface: the fields of `playground.autograd.descent.descend`. Respond with its `Descent`."""
    settings = object_of(await body_of(request))
    names = settings.get("optimizers")
    scripts = 1 + len(set(map(str, names)) & set(OPTIMIZER_NAMES)) if isinstance(names, list) else 1  # the surface, and each path, is a run of its own
    return await _run_in_sandbox(DESCEND, settings, processor_seconds(scripts))


async def _run_gradient_task(request: Request, task: str, *, yielding: bool = False) -> Response:
    document = object_of(await body_of(request, MAX_SCRIPT))
    fields = {name: document[name] for name in GRADIENT_FIELDS if name in document}
    return await _run_in_sandbox(task, _script(document) | fields, processor_seconds(), yielding=yielding)


async def _run_in_sandbox(task: str, script: Mapping[str, Any], seconds: float, *, yielding: bool = False) -> Response:
    """Respond with the JSON that the script's process wrote, unparsed."""
    run = partial(services().sandbox.run_to_json, task, script, seconds, yielding=yielding)
    return Response(await to_thread.run_sync(run), media_type="application/json")


def _script(document: dict[str, Any]) -> dict[str, str]:
    """Read `source`, `exercise` and `device` of a request.

    Raises:
        PlaygroundError: there is no `source`, or one of the three is not a string.
    """
    if "source" not in document:
        raise PlaygroundError(msg("The request body must be a JSON object with “source”."))
    script = {"source": document["source"], "exercise": document.get("exercise") or "", "device": document.get("device") or BEST}
    if not all(isinstance(value, str) for value in script.values()):
        raise PlaygroundError(msg("“source”, “exercise” and “device” must be strings."))
    return script


ROUTES: list[BaseRoute] = [
    Route("/api/tensors/run", run, methods=["POST"]),
    Route("/api/autograd/run", observe, methods=["POST"]),
    Route("/api/autograd/curve", loss_curve, methods=["POST"]),
    Route("/api/autograd/gradcheck", check_gradients, methods=["POST"]),
    Route("/api/autograd/descend", descend, methods=["POST"]),
]
