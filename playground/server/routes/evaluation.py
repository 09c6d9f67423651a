"""The routes of the Evaluate page: what a network says of all test images, seen from many sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.errors import PlaygroundError
from playground.runs.run import find
from playground.server import identity
from playground.server.respond import Answer, Forbidden, answered
from playground.server.services import services

if TYPE_CHECKING:
    from playground.inference.evaluation import Evaluation

PAGE = 120
"""Images that are sent at once."""


@answered
async def summary(request: Request) -> Response:
    """Accuracy, confusion matrix, scores of each class, calibration."""
    from playground.inference import evaluation

    return Answer(await _of(request, evaluation.summary))


@answered
async def pictures(request: Request) -> Response:
    """The test images that pass a filter, a page at a time."""
    from playground.inference import evaluation

    given = request.query_params
    chosen = evaluation.Filter(given.get("answers", "all"), _whole(request, "true"), _whole(request, "predicted"), given.get("order", "in-order"))
    offset = _whole(request, "offset") or 0

    def page(of: Evaluation) -> dict[str, Any]:
        found = evaluation.grid(of, chosen, offset, PAGE)
        return {**evaluation.pictures(of, found.indices), "total": found.total, "offset": offset}

    return Answer(await _of(request, page))


@answered
async def points(request: Request) -> Response:
    """What the network makes of a thousand test images, in two or three dimensions."""
    from playground.inference import projection

    method, dimensions = request.query_params.get("method", "pca"), _whole(request, "dimensions") or 2
    return Answer(await _of(request, lambda of: projection.points(of, method, dimensions)))


@answered
async def sheet(request: Request) -> Response:
    """The images of these points in one picture."""
    from playground.inference import projection

    made = await _of(request, projection.sprite_sheet)
    return Response(made.content, media_type=made.media_type)


async def _of(request: Request, make: Callable[[Evaluation], Any]) -> Any:
    """What is made of the evaluation that is asked for."""
    name, dataset = request.query_params.get("model", ""), request.query_params.get("dataset", "")
    who = identity.learner_of(request)
    return await to_thread.run_sync(lambda: make(_evaluation(name, dataset, who)))


def _evaluation(name: str, dataset: str, who: str) -> Evaluation:
    from playground.inference.evaluation import load_evaluation
    from playground.inference.models import pretrained_names

    services().warm.wait()
    if name not in pretrained_names() and not identity.may_see(find(name.split("@")[0]), who):
        raise Forbidden("This network belongs to someone else.")
    return load_evaluation(name, dataset)


def _whole(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise PlaygroundError(f"“{name}” must be a whole number.") from None


ROUTES: list[BaseRoute] = [
    Route("/api/evaluation", summary),
    Route("/api/evaluation/pictures", pictures),
    Route("/api/evaluation/points", points),
    Route("/api/evaluation/sheet", sheet),
]
