"""The routes of the Draw page: what networks say of a drawing, and how each of their numbers came about.

A drawing comes as its ink: a byte a pixel, row by row, `CANVAS` rows of as many columns, or of `WIDE` times as many for several digits.
A picture comes as a PNG or JPEG file.
"""

from __future__ import annotations

import base64
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.errors import DrawingError, PlaygroundError
from playground.inference.canvas import CANVAS, WIDE
from playground.runs.run import find
from playground.server import identity
from playground.server.respond import Answer, Forbidden, answered, body_of
from playground.server.services import services

if TYPE_CHECKING:
    from torch import Tensor

    from playground.inference.models import Model
    from playground.inference.preprocessing import Digit, Pixels, Preprocessing

PICTURE = 2_000_000
"""Bytes of a picture; the page sends a square of 256×256 pixels, which takes a tenth of that."""
PICTURE_PIXELS = 4_000_000
MODELS = 2
"""Networks that answer side by side, at most."""


@answered
async def answer(request: Request) -> Response:
    """What networks say of a drawing: `pieces`, the digits from left to right, each with the `answers` of the networks in the order asked for."""
    body = await body_of(request, PICTURE)
    names, left_out, who = request.query_params.getlist("model"), request.query_params.get("without", ""), current_learner(request)
    return Answer(await to_thread.run_sync(_answers, names, left_out, body, who))


@answered
async def network(request: Request) -> Response:
    """The network's layers, and where each of their pixels looks."""
    name, who = request.query_params.get("model", ""), current_learner(request)
    return Answer(await to_thread.run_sync(lambda: {"layers": _stack(_model(name, who))}))


@answered
async def layers(request: Request) -> Response:
    """What each layer makes of a drawing, the network's input first."""

    def told(model: Model, image: Tensor) -> dict[str, Any]:
        from playground.inference.activations import as_json, layer_outputs

        return {"outputs": as_json(layer_outputs(model, image))}

    return await _looked(request, told)


@answered
async def written(request: Request) -> Response:
    """How one number in a layer's output came about: `layer` is its index, `place` the number's indexes with commas between them."""
    try:
        index = int(request.query_params["layer"])
        place = tuple(int(part) for part in request.query_params["place"].split(","))
    except (KeyError, ValueError):
        raise PlaygroundError("“layer” and “place” must be whole numbers, such as layer=0&place=1,2,3.") from None

    def told(model: Model, image: Tensor) -> dict[str, Any]:
        from playground.inference import activations
        from playground.inference.arithmetic import as_json

        found, field = activations.written(model, image, index, place)
        return {"written": as_json(found), "field": field}

    return await _looked(request, told)


@answered
async def why(request: Request) -> Response:
    """What in a drawing spoke for a class, by one of the methods; with `versus`, rather than for that other class."""
    method, target, versus = (request.query_params.get(name, "") for name in ("method", "target", "versus"))

    def told(model: Model, image: Tensor) -> dict[str, Any]:
        from playground.inference.attribution import as_json, attribute, contrast

        first, second = _class(target, model), _class(versus, model) if versus else None
        return as_json(attribute(model, image, method, first) if second is None else contrast(model, image, method, first, second))

    return await _looked(request, told)


async def _looked(request: Request, tell: Any) -> Response:
    """What is told of one network's look at a picture, a drawing of one digit, or of a number's digits the one that `piece` counts."""
    body = await body_of(request, PICTURE)
    name, left_out, who = request.query_params.get("model", ""), request.query_params.get("without", ""), current_learner(request)
    piece = request.query_params.get("piece")

    def look() -> Any:
        from playground.inference.preprocessing import to_digit

        if _is_picture(body):
            model = _model(name, who)
            return tell(model, _seen(body, model))
        way, ink = _way(left_out), parse_ink(body)
        model = _as_shown(load_digit_model(name, who), way)
        return tell(model, to_digit(ink if piece is None else _piece(ink, piece), way).input)

    return Answer(await to_thread.run_sync(look))


def current_learner(request: Request) -> str:
    """The learner behind a request; empty where the browser has no name yet."""
    return identity.learner_of(request)


def _model(name: str, who: str) -> Model:
    from playground.inference.models import load_model, pretrained_names

    services().warm.wait()
    if name not in pretrained_names() and not identity.may_see(find(name), who):
        raise Forbidden("This network belongs to someone else.")
    return load_model(name)


def load_digit_model(name: str, who: str) -> Model:
    """A network that reads digits, if this learner may see it.

    Raises:
        Forbidden: it belongs to someone else.
        ShapeError: it was not trained on digits.
    """
    model = _model(name, who)
    model.require_digits()
    return model


def _answers(names: list[str], left_out: str, body: bytes, who: str) -> dict[str, Any]:
    from playground.inference.preprocessing import to_digit
    from playground.inference.segmentation import segment

    if not 1 <= len(names) <= MODELS:
        raise PlaygroundError(f"Choose one or {MODELS} networks, not {len(names)}.")
    if _is_picture(body):
        return {"pieces": [_look_at(body, [_model(name, who) for name in names])], "apart": 1}
    way, ink = _way(left_out), parse_ink(body)
    models = [load_digit_model(name, who) for name in names]
    if ink.shape[0] == ink.shape[1]:  # the paper for one digit
        return {"pieces": [_read(to_digit(ink, way), models, way)], "apart": _apart(ink)}
    found = segment(ink)
    pieces = [{**_read(to_digit(piece.ink, way), models, way), "box": [side / CANVAS for side in piece.box]} for piece in found]
    return {"pieces": pieces, "apart": len(found)}


def _apart(ink: Pixels) -> int:
    """How many digits a drawing seems to hold; a digit may be made of any number of dots."""
    from playground.inference.segmentation import segment

    try:
        return len(segment(ink))
    except DrawingError:
        return 1


def _piece(ink: Pixels, number: str) -> Pixels:
    from playground.inference.segmentation import segment

    found = segment(ink)
    if not number.isascii() or not number.isdecimal() or int(number) >= len(found):
        raise PlaygroundError(f"There are {len(found)} digits, counted from 0. There is no digit “{number[:20]}”.")
    return found[int(number)].ink


def _read(digit: Digit, models: list[Model], way: Preprocessing) -> dict[str, Any]:
    from playground.inference.confidence import doubt

    answers = []
    for model in models:
        said = _as_shown(model, way).predict(digit.input)
        answers.append({"label": said.label, "probabilities": said.probabilities, "doubt": doubt(digit, said.probabilities)})
    return {"answers": answers, "steps": {name: _picture(getattr(digit, name)) for name in ("cropped", "fitted", "centred")}}


def _look_at(body: bytes, models: list[Model]) -> dict[str, Any]:
    """What networks say of a picture, and what the first of them sees."""
    from playground.inference.confidence import unlikely

    answers = []
    for model in models:
        said = model.predict(_seen(body, model))
        answers.append({"label": said.label, "probabilities": said.probabilities, "doubt": unlikely(said.probabilities)})
    seen = _seen(body, models[0])
    return {"answers": answers, "steps": {}, "seen": {"shape": list(seen.shape), "values": base64.b64encode(seen.numpy().tobytes()).decode()}}


def _is_picture(body: bytes) -> bool:
    return body.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))


def _seen(body: bytes, model: Model) -> Tensor:
    """A picture as this network takes it."""
    from playground.inference.preprocessing import read_image, to_input

    return to_input(read_image(body, PICTURE_PIXELS), model.info)


def _picture(pixels: Pixels) -> dict[str, Any]:
    height, width = pixels.shape
    return {"width": width, "height": height, "values": base64.b64encode(pixels.round().astype(np.uint8).tobytes()).decode()}


def _as_shown(model: Model, way: Preprocessing) -> Model:
    """The network as the drawing reaches it: without the last step pixels arrive as they are stored."""
    from dataclasses import replace

    from playground.data.input_scaling import BYTES

    return model if way.normalise else replace(model, inputs=BYTES)


def _way(left_out: str) -> Preprocessing:
    """All steps but those whose names are given, with commas between them."""
    from playground.inference.preprocessing import Preprocessing

    names = [name for name in left_out.split(",") if name]
    known = {field.name for field in fields(Preprocessing)}
    if not known.issuperset(names):
        raise PlaygroundError(f"The steps that can be switched off are {', '.join(sorted(known))}.")
    return Preprocessing(**dict.fromkeys(names, False))


def parse_ink(body: bytes) -> Pixels:
    """The drawing (CANVAS, CANVAS) or (CANVAS, WIDE × CANVAS) that came.

    Raises:
        PlaygroundError: it has neither size.
    """
    if len(body) not in (CANVAS * CANVAS, WIDE * CANVAS * CANVAS):
        raise PlaygroundError(f"A drawing must have {CANVAS}×{CANVAS} or {CANVAS}×{WIDE * CANVAS} bytes, not {len(body)}.")
    return np.frombuffer(body, dtype=np.uint8).reshape(CANVAS, -1).astype(np.float64)


def _class(text: str, model: Model) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) >= len(model.info.classes):
        raise PlaygroundError(f"The network has the classes 0 to {len(model.info.classes) - 1}, not “{text}”.")
    return int(text)


@lru_cache(maxsize=32)
def _stack(model: Model) -> list[dict[str, Any]]:
    from playground.inference.activations import describe_layers

    return describe_layers(model)


ROUTES: list[BaseRoute] = [
    Route("/api/draw/answer", answer, methods=["POST"]),
    Route("/api/draw/network", network),
    Route("/api/draw/layers", layers, methods=["POST"]),
    Route("/api/draw/written", written, methods=["POST"]),
    Route("/api/draw/why", why, methods=["POST"]),
]
