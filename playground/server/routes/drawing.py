"""The routes of the Draw page: predictions for a drawing, activations, calculations and attributions.

The request body is a drawing, one byte of ink per pixel, row by row, `CANVAS` rows of `CANVAS` columns, or of `WIDE` times as many for
several digits, perhaps followed by as many bytes with the number of the stroke that drew the pixel last (0 for none); or an image as a PNG or
JPEG file, for networks trained on digits a photograph of handwriting.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from typing import Never, NotRequired, TypedDict

import numpy as np
import torch
from anyio import to_thread
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from torch import Tensor

from playground.data.image_files import brightness, read_image, to_input
from playground.data.input_scaling import BYTES
from playground.data.photographs import Photograph, find_ink
from playground.data.preprocessing import Digit, Pixels, Preprocessing, to_digit
from playground.errors import DrawingError, PlaygroundError
from playground.inference import activations, arithmetic, evaluation
from playground.inference import attribution as attributions
from playground.inference.activations import Layer, Output
from playground.inference.arithmetic import CalculationJson
from playground.inference.attribution import AttributionJson
from playground.inference.canvas import CANVAS, WIDE
from playground.inference.confidence import warn_about_confidence, warn_about_drawing
from playground.inference.evaluation import load_evaluation
from playground.inference.grouping import Labels
from playground.inference.models import DEFAULT_MODEL, Model, find_run, load_model, pretrained_names
from playground.inference.network_picture import NetworkPicture, draw_network, view_named
from playground.inference.reading import separate, warn_about_piece
from playground.inference.receptive_field import Box
from playground.inference.segmentation import Piece, segment
from playground.inference.signs import SYMBOLS, Kind
from playground.messages import msg, nmsg
from playground.runs.views.inside import gallery_image
from playground.server import identity
from playground.server.respond import AsciiJSON, Forbidden, answered, body_of

MAX_BODY = 2_000_000
"""Bytes of an image file; the page sends a square of 256×256 pixels, which takes a tenth of that."""
MAX_PIXELS = 4_000_000
PREVIEW = 264
"""Pixels of the longer side of the images that show how the ink of a photograph was found."""
MAX_MODELS = 2
"""Largest number of networks to compare."""


class Answer(TypedDict):
    """The prediction of one network."""

    label: str
    probabilities: list[float]
    """None for a sign."""
    warning: str
    """Why it should not be trusted; empty where it can be."""


class GreyImage(TypedDict):
    """An image."""

    width: int
    height: int
    values: str
    """A byte for each pixel, in base64."""


class Steps(TypedDict):
    """The images that the preprocessing steps result in."""

    cropped: GreyImage
    fitted: GreyImage
    centred: GreyImage


class PhotographSteps(TypedDict):
    """A photograph on the way to its ink."""

    grey: GreyImage
    evened: GreyImage
    ink: GreyImage


class DigitPiece(TypedDict):
    """A digit with its predictions."""

    answers: list[Answer]
    steps: Steps
    box: NotRequired[tuple[float, float, float, float]]
    """Of several digits: top, bottom, left and right as fractions of the height of the canvas or the photograph."""
    kind: NotRequired[Kind]
    """Of several digits: a sign stands between them as one of them, and no network is asked about it."""
    line: NotRequired[int]
    """Of a photograph: the line of writing, counted from 0."""


class NetworkInput(TypedDict):
    """The image that a network gets."""

    shape: list[int]
    values: str
    """A byte for each channel of each pixel, in base64."""


class PicturePiece(TypedDict):
    """A picture with its predictions."""

    answers: list[Answer]
    steps: dict[str, Never]
    seen: NetworkInput
    """The input of the first network."""


class Predictions(TypedDict):
    """The predictions for a drawing or a picture."""

    pieces: list[DigitPiece | PicturePiece]
    """The digits from left to right."""
    digit_count: int
    """Number of digits that lie apart, without signs."""
    photograph: NotRequired[PhotographSteps]
    """How the ink was found, if it is one of handwriting."""


class NetworkLayers(TypedDict):
    """The layers of a network, without an image."""

    layers: list[Layer]


class Activations(TypedDict):
    """The input of a network and the output of each of its layers."""

    outputs: list[Output]


class WrittenValue(TypedDict):
    """How one value was computed."""

    calculation: CalculationJson
    receptive_field: Box | None
    """Rows and columns of the network's input, each as (first, last + 1)."""


@answered
async def answer(request: Request) -> Response:
    """Predict a drawing with each requested network."""
    body = await body_of(request, MAX_BODY)
    names, left_out, who = request.query_params.getlist("model"), request.query_params.get("without", ""), current_learner(request)
    return AsciiJSON(await to_thread.run_sync(_answers, names, left_out, body, who))


@answered
async def network(request: Request) -> Response:
    """Return the network's layers and their receptive fields."""
    name, who = request.query_params.get("model", ""), current_learner(request)

    def describe() -> NetworkLayers:
        return {"layers": _stack(_model(name, who))}

    return AsciiJSON(await to_thread.run_sync(describe))


@answered
async def layers(request: Request) -> Response:
    """Return the input and the activations of each layer for a drawing."""

    def compute(model: Model, image: Tensor) -> Activations:
        return {"outputs": activations.as_json(activations.layer_outputs(model, image))}

    return await _respond(request, compute)


@answered
async def picture(request: Request) -> Response:
    """Draw the network at work on a drawing; without one on a black image.

    `unfolded` is the index of a layer that gets a column of its own, `view` what units and edges show.
    """
    unfolded, view = request.query_params.get("unfolded", ""), view_named(request.query_params.get("view", ""))

    def compute(model: Model, image: Tensor) -> NetworkPicture:
        return draw_network(list(model.network), image, model.prepare(image.unsqueeze(0)), int(unfolded) if unfolded.isdecimal() else None, view)

    return await _respond(request, compute, allow_empty=True)


@answered
async def calculation(request: Request) -> Response:
    """Write out the calculation of one value: `layer` is the index of the layer, `place` the indices of the value, separated by commas."""
    try:
        index = int(request.query_params["layer"])
        place = tuple(int(part) for part in request.query_params["place"].split(","))
    except (KeyError, ValueError):
        raise PlaygroundError(msg("“layer” and “place” must be whole numbers, such as layer=0&place=1,2,3.")) from None

    def compute(model: Model, image: Tensor) -> WrittenValue:
        result, receptive_field = activations.calculate(model, image, index, place)
        return {"calculation": arithmetic.as_json(result), "receptive_field": receptive_field}

    return await _respond(request, compute)


@answered
async def attribution(request: Request) -> Response:
    """Attribute the logit of the class `target` to the pixels of a drawing; with `versus`, its difference to the logit of that class."""
    method, target, versus = (request.query_params.get(name, "") for name in ("method", "target", "versus"))

    def compute(model: Model, image: Tensor) -> AttributionJson:
        first, second = _class(target, model), _class(versus, model) if versus else None
        made = attributions.attribute(model, image, method, first) if second is None else attributions.contrast(model, image, method, first, second)
        return attributions.as_json(made)

    return await _respond(request, compute)


async def _respond(request: Request, compute: Callable[[Model, Tensor], object], *, allow_empty: bool = False) -> Response:
    """Respond with what `compute` returns for one network and an image, a drawing of one digit, or the digit number `piece` of several.

    Without a body, a request is about the image number `gallery` of those that runs record predictions for, or about the image number `test`
    of the test images of `dataset`; with `allow_empty`, else about a black image.
    """
    body = await body_of(request, MAX_BODY)
    name, left_out, who = request.query_params.get("model", ""), request.query_params.get("without", ""), current_learner(request)
    piece = request.query_params.get("piece")
    gallery, test, dataset = (request.query_params.get(part, "") for part in ("gallery", "test", "dataset"))

    def preprocess_and_compute() -> object:
        if not body and (gallery or test or allow_empty):
            model = _model(name, who)
            if gallery:
                return compute(model, gallery_image(model.info.name, gallery))
            if test:
                return compute(model, evaluation.image(load_evaluation(name, dataset), int(test) if test.isdecimal() else -1))
            return compute(model, torch.zeros(model.info.input_shape, dtype=torch.uint8))
        if _is_picture(body):
            model = _model(name, who)
            if model.info.kind == "digits":
                steps, pieces = _steps(left_out), [each for line in _written(body)[1] for each in line]
                return compute(_with_scaling(model, steps), to_digit(_numbered(pieces, piece or "0").ink, steps).input)
            return compute(model, to_input(read_image(body, MAX_PIXELS), model.info))
        steps, ink = _steps(left_out), parse_ink(body)
        model = _with_scaling(load_digit_model(name, who), steps)
        return compute(model, to_digit(ink if piece is None else _numbered(_segments(body), piece).ink, steps).input)

    return AsciiJSON(await to_thread.run_sync(preprocess_and_compute))


def current_learner(request: Request) -> str:
    """Return the learner who sent a request; empty if the browser has no cookie yet."""
    return identity.learner_of(request)


def _model(name: str, who: str) -> Model:
    if name not in pretrained_names() and not identity.may_see(find_run(name), who):
        raise Forbidden(msg("This network belongs to another learner."))
    return load_model(name)


def load_digit_model(name: str, who: str) -> Model:
    """Load a network trained on digits that this learner may use.

    Raises:
        Forbidden: the network belongs to another learner.
        ShapeError: the network was not trained on digits.
    """
    model = _model(name, who)
    model.require_digits()
    return model


def _answers(names: list[str], left_out: str, body: bytes, who: str) -> Predictions:
    if not 1 <= len(names) <= MAX_MODELS:
        raise PlaygroundError(msg("Choose one or {most} networks, not {number}.", most=MAX_MODELS, number=len(names)))
    if _is_picture(body):
        models = [_model(name, who) for name in names]
        if all(model.info.kind == "digits" for model in models):
            return _predict_photograph(body, models, _steps(left_out))
        return {"pieces": [_predict_image(body, models)], "digit_count": 1}
    steps, ink = _steps(left_out), parse_ink(body)
    models = [load_digit_model(name, who) for name in names]
    if ink.shape[0] == ink.shape[1]:  # the canvas for one digit
        return {"pieces": [_predict_digit(to_digit(ink, steps), models, steps)], "digit_count": _count_digits(ink)}
    segments = _segments(body)
    digits = sum(piece.kind == "digit" for piece in segments)
    return {"pieces": [_predict_piece(piece, models, steps, alone=not digits) for piece in segments], "digit_count": digits}


def _count_digits(ink: Pixels) -> int:
    """Count the digits in a drawing; one with too many components counts as one."""
    try:
        return len(segment(ink))
    except DrawingError:
        return 1


@lru_cache(maxsize=4)
def _written(body: bytes) -> tuple[Photograph, list[list[Piece]]]:
    """Find what is written in an image file, line by line; every view of the page asks about the same file."""
    photograph = find_ink(brightness(read_image(body, MAX_PIXELS)))
    return photograph, separate(photograph.ink, load_model(DEFAULT_MODEL).probabilities)


def _predict_photograph(body: bytes, models: list[Model], steps: Preprocessing) -> Predictions:
    photograph, lines = _written(body)
    digits = sum(piece.kind == "digit" for line in lines for piece in line)
    pieces: list[DigitPiece | PicturePiece] = []
    for number, line in enumerate(lines):
        for piece in line:
            predicted = _predict_piece(piece, models, steps, alone=not digits)
            predicted["line"] = number
            pieces.append(predicted)
    seen: PhotographSteps = {"grey": _preview(photograph.grey), "evened": _preview(photograph.evened), "ink": _preview(photograph.ink)}
    return {"pieces": pieces, "digit_count": digits, "photograph": seen}


def _preview(pixels: Pixels) -> GreyImage:
    """Reduce an image to what a page shows of it."""
    factor = min(1.0, PREVIEW / max(pixels.shape))
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    return _picture(np.asarray(Image.fromarray(pixels.astype(np.uint8)).resize(size, Image.Resampling.BOX), dtype=np.float64))


@lru_cache(maxsize=16)
def _segments(body: bytes) -> tuple[Piece, ...]:
    """Split a drawing into its digits and signs; every view of the page asks about the same drawing.

    The included network separates digits that touch, so that all networks are asked about the same digits.
    """
    return tuple(segment(parse_ink(body), load_model(DEFAULT_MODEL).probabilities, _strokes(body)))


def _numbered(segments: Sequence[Piece], number: str) -> Piece:
    if not number.isascii() or not number.isdecimal() or int(number) >= len(segments):
        raise PlaygroundError(
            nmsg(
                "There is {n} digit, counted from 0. There is no digit “{number}”.",
                "There are {n} digits, counted from 0. There is no digit “{number}”.",
                len(segments),
                number=number[:20],
            )
        )
    return segments[int(number)]


def _predict_piece(piece: Piece, models: list[Model], steps: Preprocessing, alone: bool = False) -> DigitPiece:
    """Predict one of several digits; say of a sign which it is, and whether it stands alone."""
    top, bottom, left, right = (side / piece.ink.shape[0] for side in piece.box)
    made: DigitPiece = {**_predict_digit(to_digit(piece.ink, steps), models, steps), "box": (top, bottom, left, right), "kind": piece.kind}
    if piece.kind != "digit":
        made["answers"] = [{"label": SYMBOLS[piece.kind], "probabilities": [], "warning": ""} for _ in models]
    for each in made["answers"]:
        each["warning"] = warn_about_piece(piece, each["probabilities"], alone=alone) or each["warning"]
    return made


def _predict_digit(digit: Digit, models: list[Model], steps: Preprocessing) -> DigitPiece:
    answers: list[Answer] = []
    for model in models:
        prediction = _with_scaling(model, steps).predict(digit.input)
        warning = warn_about_drawing(digit, prediction.probabilities)
        answers.append({"label": prediction.label, "probabilities": list(prediction.probabilities), "warning": warning})
    return {"answers": answers, "steps": {"cropped": _picture(digit.cropped), "fitted": _picture(digit.fitted), "centred": _picture(digit.centred)}}


def _predict_image(body: bytes, models: list[Model]) -> PicturePiece:
    """Predict an image file with each network."""
    picture = read_image(body, MAX_PIXELS)
    answers: list[Answer] = []
    inputs = [to_input(picture, model.info) for model in models]
    for model, image in zip(models, inputs, strict=True):
        prediction = model.predict(image)
        warning = warn_about_confidence(prediction.probabilities)
        answers.append({"label": prediction.label, "probabilities": list(prediction.probabilities), "warning": warning})
    seen = inputs[0]
    return {"answers": answers, "steps": {}, "seen": {"shape": list(seen.shape), "values": base64.b64encode(seen.numpy().tobytes()).decode()}}


def _is_picture(body: bytes) -> bool:
    return body.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))


def _picture(pixels: Pixels) -> GreyImage:
    height, width = pixels.shape
    return {"width": width, "height": height, "values": base64.b64encode(pixels.round().astype(np.uint8).tobytes()).decode()}


def _with_scaling(model: Model, steps: Preprocessing) -> Model:
    """Return the network with its input scaling, or without it if that step is switched off."""
    return model if steps.normalise else replace(model, inputs=BYTES)


def _steps(left_out: str) -> Preprocessing:
    """Return all preprocessing steps except those named, separated by commas."""
    names = [name for name in left_out.split(",") if name]
    known = {field.name for field in fields(Preprocessing)}
    if not known.issuperset(names):
        raise PlaygroundError(msg("The steps that can be switched off are {steps}.", steps=", ".join(sorted(known))))
    return Preprocessing(**dict.fromkeys(names, False))


def parse_ink(body: bytes) -> Pixels:
    """Parse a drawing, ``(CANVAS, CANVAS)`` or ``(CANVAS, WIDE × CANVAS)``.

    Raises:
        PlaygroundError: the body has neither size.
    """
    square = CANVAS * CANVAS
    if len(body) not in (square, WIDE * square, 2 * WIDE * square):
        sizes = {"side": CANVAS, "width": WIDE * CANVAS, "size": len(body)}
        raise PlaygroundError(msg("A drawing must have {side}×{side} or {side}×{width} bytes, not {size}.", **sizes))
    return np.frombuffer(body[: WIDE * square], dtype=np.uint8).reshape(CANVAS, -1).astype(np.float64)


def _strokes(body: bytes) -> Labels | None:
    """Return the numbers of the strokes in a drawing, ``(CANVAS, WIDE × CANVAS)``; None where they are not there."""
    numbers = body[WIDE * CANVAS * CANVAS :]
    return np.frombuffer(numbers, dtype=np.uint8).reshape(CANVAS, -1).astype(np.int64) if numbers else None


def _class(text: str, model: Model) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) >= len(model.info.classes):
        raise PlaygroundError(msg("The network has the classes 0 to {last}, not “{text}”.", last=len(model.info.classes) - 1, text=text))
    return int(text)


@lru_cache(maxsize=32)
def _stack(model: Model) -> list[Layer]:
    return activations.describe_layers(model)


ROUTES: list[BaseRoute] = [
    Route("/api/draw/answer", answer, methods=["POST"]),
    Route("/api/draw/network", network),
    Route("/api/draw/layers", layers, methods=["POST"]),
    Route("/api/draw/picture", picture, methods=["POST"]),
    Route("/api/draw/calculation", calculation, methods=["POST"]),
    Route("/api/draw/attribution", attribution, methods=["POST"]),
]
