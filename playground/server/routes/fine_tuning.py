"""The routes behind “Teach it my handwriting”: a learner's own drawings, the run that learns them, and what it has changed."""

from __future__ import annotations

import base64
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.data import own_drawings
from playground.data.catalogue import DIGITS
from playground.errors import PlaygroundError
from playground.inference.canvas import CANVAS
from playground.server.respond import Answer, answered, body_of
from playground.server.routes.drawing import current_learner, load_digit_model, parse_ink
from playground.server.services import services

MAX_ARCHIVE = 4_000_000
"""Bytes of drawings that are uploaded."""


@answered
async def own(request: Request) -> Response:
    """The learner's drawings, the oldest first."""
    return Answer(await to_thread.run_sync(_told, current_learner(request)))


@answered
async def keep(request: Request) -> Response:
    """Keep a drawing, which comes as ink, with the `label` that it should have had and what the network `said`."""
    body, who = await body_of(request, CANVAS * CANVAS), current_learner(request)
    label, said = request.query_params.get("label", ""), request.query_params.get("said", "")
    if label not in DIGITS:
        raise PlaygroundError("The label of a drawing must be a digit from 0 to 9.")

    def kept() -> dict[str, Any]:
        from playground.inference.preprocessing import to_digit

        own_drawings.add_drawings(who, own_drawings.Drawing(to_digit(parse_ink(body)).input, DIGITS.index(label), (), said))
        return _told(who)

    return Answer(await to_thread.run_sync(kept))


@answered
async def forget(request: Request) -> Response:
    """Delete one of the drawings, by its `index`."""
    who, index = current_learner(request), request.query_params.get("index", "")
    if not index.isascii() or not index.isdecimal():
        raise PlaygroundError("“index” must be the number of a drawing.")

    def forgotten() -> dict[str, Any]:

        own_drawings.delete_drawing(who, int(index))
        return _told(who)

    return Answer(await to_thread.run_sync(forgotten))


@answered
async def pack(request: Request) -> Response:
    """The drawings as an archive to download."""
    who = current_learner(request)

    def packed() -> bytes:

        return own_drawings.to_zip(own_drawings.load_drawings(who))

    content = await to_thread.run_sync(packed)
    return Response(content, media_type="application/zip", headers={"content-disposition": 'attachment; filename="my-digits.zip"'})


@answered
async def unpack(request: Request) -> Response:
    """Add the drawings of an archive."""
    body, who = await body_of(request, MAX_ARCHIVE), current_learner(request)

    def unpacked() -> dict[str, Any]:

        own_drawings.add_drawings(who, *own_drawings.from_zip(body))
        return _told(who)

    return Answer(await to_thread.run_sync(unpacked))


@answered
async def teach(request: Request) -> Response:
    """Start the run that teaches a network all of the learner's drawings."""
    name, who = request.query_params.get("model", ""), current_learner(request)

    def taught() -> dict[str, Any]:
        from playground.inference.fine_tuning import fine_tune

        run = fine_tune(load_digit_model(name, who), *own_drawings.to_tensors(own_drawings.load_drawings(who)), who)
        services().scheduler.submit(run)
        return {"run": run.id}

    return Answer(await to_thread.run_sync(taught))


@answered
async def taught(request: Request) -> Response:
    """What teaching has changed: `model` is the network as it was, `run` the one that was taught."""
    name, run, who = request.query_params.get("model", ""), request.query_params.get("run", ""), current_learner(request)

    def compared() -> dict[str, Any]:
        from playground.data.load import is_ready
        from playground.inference.fine_tuning import compare_networks

        before, after = load_digit_model(name, who), load_digit_model(run, who)
        images, labels = own_drawings.to_tensors(own_drawings.load_drawings(who))
        return compare_networks(before, after, images, labels, "mnist" if is_ready("mnist") else "mnist-5k")

    return Answer(await to_thread.run_sync(compared))


def _told(who: str) -> dict[str, Any]:

    drawings = own_drawings.load_drawings(who)
    return {
        "drawings": [
            {"label": DIGITS[each.label], "said": each.said, "image": base64.b64encode(each.image.contiguous().numpy().tobytes()).decode()} for each in drawings
        ]
    }


ROUTES: list[BaseRoute] = [
    Route("/api/own", own),
    Route("/api/own/keep", keep, methods=["POST"]),
    Route("/api/own/forget", forget, methods=["POST"]),
    Route("/api/own/my-digits.zip", pack),
    Route("/api/own/unpack", unpack, methods=["POST"]),
    Route("/api/own/teach", teach, methods=["POST"]),
    Route("/api/own/taught", taught),
]
