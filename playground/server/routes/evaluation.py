"""The routes of the Evaluate page: metrics, images and features of a network on a test set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, TypeVar

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.errors import PlaygroundError
from playground.inference import attribution, evaluation, projection
from playground.inference.attribution import AttributionJson
from playground.inference.evaluation import Evaluation, Pictures, load_evaluation
from playground.inference.models import find_run, load_model, pretrained_names
from playground.messages import msg
from playground.server import identity
from playground.server.respond import AsciiJSON, Forbidden, answered

PAGE = 120
"""Images per response."""
METHOD = "occlusion"
"""The method of attribution: it tells evidence for a class from evidence against it, and takes a fraction of a second."""
T = TypeVar("T")


class PicturePage(Pictures):
    """One page of the test images that pass a filter."""

    total: int
    """How many images pass the filter."""
    offset: int


class Evidence(TypedDict):
    """What in an image is evidence for its predicted class, and for the class that it rivals with."""

    true: int
    """The true class."""
    classes: list[int]
    """The predicted class, and the true one, or where they are the same the second most probable."""
    attributions: list[AttributionJson]
    """For each of these classes."""


@answered
async def summary(request: Request) -> Response:
    """Return accuracy, confusion matrix, scores of each class and calibration."""
    return AsciiJSON(await _compute(request, evaluation.summary))


@answered
async def pictures(request: Request) -> Response:
    """Return one page of the test images that pass a filter."""
    query = request.query_params
    selection = evaluation.Filter(query.get("outcome", "all"), _integer(request, "true"), _integer(request, "predicted"), query.get("order", "in-order"))
    offset = _integer(request, "offset") or 0

    def compute(evaluated: Evaluation) -> PicturePage:
        page = evaluation.grid(evaluated, selection, offset, PAGE)
        return {**evaluation.pictures(evaluated, page.indices), "total": page.total, "offset": offset}

    return AsciiJSON(await _compute(request, compute))


@answered
async def evidence(request: Request) -> Response:
    """Attribute the prediction for the test image number `index` to its pixels."""
    index = _integer(request, "index") or 0

    def compute(evaluated: Evaluation) -> Evidence:
        image, classes, model = evaluation.image(evaluated, index), evaluation.rivals(evaluated, index), load_model(evaluated.model)
        found = [attribution.as_json(attribution.attribute(model, image, METHOD, label)) for label in classes]
        return {"true": int(evaluated.labels[index]), "classes": list(classes), "attributions": found}

    return AsciiJSON(await _compute(request, compute))


@answered
async def points(request: Request) -> Response:
    """Return the features of a sample of test images, projected to two or three dimensions."""
    method, dimensions = request.query_params.get("method", "pca"), _integer(request, "dimensions") or 2
    return AsciiJSON(await _compute(request, lambda evaluated: projection.points(evaluated, method, dimensions)))


@answered
async def sprite_sheet(request: Request) -> Response:
    """Return the images of these points as one sprite sheet."""
    sheet = await _compute(request, projection.sprite_sheet)
    return Response(sheet.content, media_type=sheet.media_type)


async def _compute(request: Request, compute: Callable[[Evaluation], T]) -> T:
    """Call `compute` with the requested evaluation, in a worker thread."""
    name, dataset = request.query_params.get("model", ""), request.query_params.get("dataset", "")
    who = identity.learner_of(request)
    return await to_thread.run_sync(lambda: compute(_evaluation(name, dataset, who)))


def _evaluation(name: str, dataset: str, who: str) -> Evaluation:
    if name not in pretrained_names() and not identity.may_see(find_run(name), who):
        raise Forbidden(msg("This network belongs to another learner."))
    return load_evaluation(name, dataset)


def _integer(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise PlaygroundError(msg("`{name}` must be a whole number, not “{text}”.", name=name, text=text[:20])) from None


ROUTES: list[BaseRoute] = [
    Route("/api/evaluation", summary),
    Route("/api/evaluation/pictures", pictures),
    Route("/api/evaluation/evidence", evidence),
    Route("/api/evaluation/points", points),
    Route("/api/evaluation/sheet", sprite_sheet),
]
