"""The routes for fine-tuning on a learner's own drawings: the drawings, the run, and the comparison before and after it."""

from __future__ import annotations

import base64
from typing import TypedDict

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.data import own_drawings
from playground.data.catalogue import DIGITS
from playground.data.load import is_ready
from playground.data.preprocessing import to_digit
from playground.errors import PlaygroundError
from playground.inference.canvas import CANVAS
from playground.inference.fine_tuning import Comparison, compare_networks, fine_tune
from playground.messages import msg
from playground.server.respond import AsciiJSON, answered, body_of
from playground.server.routes.drawing import current_learner, load_digit_model, parse_ink
from playground.server.services import services

MAX_UPLOAD = 4_000_000
"""Largest size of an uploaded archive, in bytes."""


class OwnDrawing(TypedDict):
    """A stored drawing of the learner."""

    label: str
    predicted: str
    """The class that the network predicted; may be empty."""
    image: str
    """28×28 bytes in base64."""


class OwnDrawings(TypedDict):
    """All stored drawings of the learner, the oldest first."""

    drawings: list[OwnDrawing]


class StartedRun(TypedDict):
    """The run that fine-tunes a network."""

    run: str


@answered
async def drawings(request: Request) -> Response:
    """Return the learner's drawings, the oldest first."""
    return AsciiJSON(await to_thread.run_sync(_drawings_as_json, current_learner(request)))


@answered
async def add(request: Request) -> Response:
    """Store the drawing in the request body, with its true `label` and the class that the network `predicted`."""
    body, who = await body_of(request, CANVAS * CANVAS), current_learner(request)
    label, predicted = request.query_params.get("label", ""), request.query_params.get("predicted", "")
    if label not in DIGITS:
        raise PlaygroundError(msg("The label of a drawing must be a digit from 0 to 9."))

    def add_drawing() -> OwnDrawings:
        own_drawings.add_drawings(who, own_drawings.Drawing(to_digit(parse_ink(body)).input, DIGITS.index(label), (), predicted))
        return _drawings_as_json(who)

    return AsciiJSON(await to_thread.run_sync(add_drawing))


@answered
async def delete(request: Request) -> Response:
    """Delete a drawing by its `index`."""
    who, index = current_learner(request), request.query_params.get("index", "")
    if not index.isascii() or not index.isdecimal():
        raise PlaygroundError(msg("“index” must be the number of a drawing."))

    def delete_drawing() -> OwnDrawings:
        own_drawings.delete_drawing(who, int(index))
        return _drawings_as_json(who)

    return AsciiJSON(await to_thread.run_sync(delete_drawing))


@answered
async def export_archive(request: Request) -> Response:
    """Return the drawings as an archive to download."""
    who = current_learner(request)

    def to_archive() -> bytes:
        return own_drawings.to_zip(own_drawings.load_drawings(who))

    content = await to_thread.run_sync(to_archive)
    headers = {"content-disposition": 'attachment; filename="my-digits.zip"'}  # no text: a header
    return Response(content, media_type="application/zip", headers=headers)


@answered
async def import_archive(request: Request) -> Response:
    """Add the drawings of an uploaded archive."""
    body, who = await body_of(request, MAX_UPLOAD), current_learner(request)

    def add_drawings() -> OwnDrawings:
        own_drawings.add_drawings(who, *own_drawings.from_zip(body))
        return _drawings_as_json(who)

    return AsciiJSON(await to_thread.run_sync(add_drawings))


@answered
async def start(request: Request) -> Response:
    """Start the run that fine-tunes a network on all of the learner's drawings."""
    name, who = request.query_params.get("model", ""), current_learner(request)

    def create_run() -> StartedRun:
        run = fine_tune(load_digit_model(name, who), *own_drawings.to_tensors(own_drawings.load_drawings(who)), who)
        services().scheduler.submit(run)
        return {"run": run.id}

    return AsciiJSON(await to_thread.run_sync(create_run))


@answered
async def comparison(request: Request) -> Response:
    """Compare the network `model` before fine-tuning with the fine-tuned network of `run`."""
    name, run, who = request.query_params.get("model", ""), request.query_params.get("run", ""), current_learner(request)

    def compare() -> Comparison:
        before, after = load_digit_model(name, who), load_digit_model(run, who)
        images, labels = own_drawings.to_tensors(own_drawings.load_drawings(who))
        return compare_networks(before, after, images, labels, "mnist" if is_ready("mnist") else "mnist-5k")

    return AsciiJSON(await to_thread.run_sync(compare))


def _drawings_as_json(who: str) -> OwnDrawings:
    return {
        "drawings": [
            {
                "label": DIGITS[drawing.label],
                "predicted": drawing.predicted,
                "image": base64.b64encode(drawing.image.contiguous().numpy().tobytes()).decode(),
            }
            for drawing in own_drawings.load_drawings(who)
        ]
    }


ROUTES: list[BaseRoute] = [
    Route("/api/drawings", drawings),
    Route("/api/drawings/add", add, methods=["POST"]),
    Route("/api/drawings/delete", delete, methods=["POST"]),
    Route("/api/drawings/my-digits.zip", export_archive),
    Route("/api/drawings/import", import_archive, methods=["POST"]),
    Route("/api/drawings/fine-tune", start, methods=["POST"]),
    Route("/api/drawings/comparison", comparison),
]
