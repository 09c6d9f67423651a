"""The routes of the Home page: the recorded training, and the progress of the run that the page follows. Neither needs torch."""

from __future__ import annotations

from typing import TypedDict

from anyio import to_thread
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from playground import environment
from playground.messages import msg
from playground.runs.labels import label
from playground.runs.run import ACTIVE, Run, find
from playground.runs.views.comparison import default_name, facts
from playground.server import identity
from playground.server.respond import AsciiJSON, Forbidden, answered
from playground.server.services import services

RECORDING = "tiny-cnn.recording.json"
"""In `models/pretrained/`; made by `python -m playground record`."""
CACHED = {"cache-control": "public, max-age=3600"}  # no text: a header, an hour


class FollowedRun(TypedDict):
    """The progress of a run."""

    name: str
    step: int
    total_steps: int
    """0 before the run has started."""
    accuracy: float | None
    """On the test images, at the last evaluation."""
    has_network: bool
    """Whether it has a checkpoint, whose network can classify."""
    is_over: bool
    """Whether it trains no further."""


async def recording(_request: Request) -> Response:
    """Return the recorded training; what follows the first page can begin then."""
    path = environment.models_folder() / "pretrained" / RECORDING
    return FileResponse(path, media_type="application/json", headers=CACHED, background=BackgroundTask(services().needed.set))


@answered
async def followed_run(request: Request) -> Response:
    """Return how far a run has come."""
    run = find(request.query_params.get("run", ""))
    if not identity.may_see(run, identity.learner_of(request)):
        raise Forbidden(msg("This run belongs to another learner."))
    return AsciiJSON(await to_thread.run_sync(_progress, run))


def _progress(run: Run) -> FollowedRun:
    history = services().history(run)
    reached = facts(run, history)
    return {
        "name": label(run).name or default_name(run),
        "step": reached.step,
        "total_steps": reached.total_steps,
        "accuracy": reached.accuracy,
        "has_network": run.checkpoints.latest_path.exists(),
        "is_over": history.state not in ACTIVE,
    }


ROUTES: list[BaseRoute] = [Route("/api/home/recording", recording), Route("/api/home/run", followed_run)]
