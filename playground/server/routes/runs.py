"""The routes of a run's live view: curves, layer statistics, the recorded iteration, the coach, and commands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypedDict

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.errors import PlaygroundError, UnknownName
from playground.messages import msg
from playground.runs.branching import fork
from playground.runs.coach import Record, advice, as_json, detected, experiments
from playground.runs.coach.finding import ReportedFinding
from playground.runs.coach.starting import create_remedy_run
from playground.runs.execution.commands import Command
from playground.runs.run import Run, find
from playground.runs.views.curves import RunCurves, curves
from playground.runs.views.inside import RunInside, RunMoment, gallery, histogram, inside, moment
from playground.server import identity
from playground.server.respond import AsciiJSON, Forbidden, answered, body_of, news, object_of
from playground.server.services import services
from playground.training.config import setting_called
from playground.training.optimizers import refuse_change

COMMANDS = ("pause", "resume", "step", "stop", "learning-rate", "optimizer")


class SteerableRun(RunCurves):
    """What the live view shows of a run, and whether it may be controlled."""

    steerable: bool
    """Whether the learner may control the run."""


class LiveRun(SteerableRun):
    """What the live view shows of a run."""

    version: str


class Moment(RunMoment):
    """The network at one step."""

    version: str


class Inside(RunInside):
    """The layers over the steps."""

    version: str


class Findings(TypedDict):
    """The findings of the coach; on a healthy run, something to try."""

    findings: list[ReportedFinding]


class Judgement(Findings):
    """The findings of the coach."""

    version: str


class StartedRun(TypedDict):
    """A new run, a fork or a remedy, that has been submitted."""

    run: str


@answered
async def run_curves(request: Request) -> Response:
    """Return what the live view shows of a run; 204 if the client is up to date."""
    run, who = _visible_run(request)
    first, last = (_number(request, name, default) for name, default in (("from", 0.0), ("to", math.inf)))
    server = services()

    def state() -> tuple[object, ...]:
        return server.history(run).version, server.scheduler.position(run), run.checkpoints.steps()

    return await news(request, ("curves", run, identity.may_steer(run, who), first, last), state, lambda: _curves(run, who, first, last))


@answered
async def run_inside(request: Request) -> Response:
    """Return the statistics of every layer over the steps; 204 if the client is up to date."""
    run, _ = _visible_run(request)
    return await news(request, ("inside", run), lambda: _observed(run), lambda: inside(run, services().history(run)))


@answered
async def run_moment(request: Request) -> Response:
    """Return gradients, predictions and filters as recorded last, or last up to the step `at`; 204 if the client is up to date."""
    run, _ = _visible_run(request)
    at = _number(request, "at", math.inf)
    return await news(request, ("moment", run, at), lambda: _observed(run), lambda: moment(run, services().history(run), at))


@answered
async def run_gallery(request: Request) -> Response:
    """Return the test images whose predictions are recorded."""
    run, _ = _visible_run(request)
    return AsciiJSON(await to_thread.run_sync(gallery, run))


@answered
async def run_histogram(request: Request) -> Response:
    """Return the histograms of a layer's weights, gradients or outputs over time."""
    run, _ = _visible_run(request)
    layer, what = _whole(request, "layer", 0), request.query_params.get("what", "weights")
    return AsciiJSON(await to_thread.run_sync(histogram, run, layer, what))


@answered
async def run_closeup(request: Request) -> Response:
    """Return the last iteration that was recorded in full; 204 if there is none newer than the client's."""
    run, _ = _visible_run(request)
    closeup = await to_thread.run_sync(run.journal.closeup)
    if closeup is None or request.query_params.get("seen") == str(closeup.step):
        return Response(status_code=204)
    return AsciiJSON(closeup.document)


@answered
async def run_command(request: Request) -> Response:
    """Control a run: pause, resume, take one step, stop, change the learning rate or the optimizer."""
    run = _controllable_run(request)
    command = _command(await body_of(request), run)
    await to_thread.run_sync(_steer, run, command)
    return AsciiJSON({"ok": True})


@answered
async def run_fork(request: Request) -> Response:
    """Fork a run at one of its checkpoints with changed settings: `{"step": …, "changes": {…}}`."""
    run, who = _visible_run(request)
    document = object_of(await body_of(request))
    step, changes = document.get("step"), document.get("changes", {})
    if not isinstance(step, int) or not isinstance(changes, dict):
        raise PlaygroundError(msg("The request body must be a JSON object with “step” and “changes”."))
    return AsciiJSON(await to_thread.run_sync(_fork, run, step, changes, who))


@answered
async def run_coach(request: Request) -> Response:
    """Return the coach's findings on a run; 204 if the client is up to date."""
    run, _ = _visible_run(request)
    return await news(request, ("coach", run), lambda: services().history(run).version, lambda: _findings(run))


@answered
async def run_remedy(request: Request) -> Response:
    """Start the run that a remedy of one of the coach's findings proposes: `{"finding": name, "remedy": id}`."""
    run, who = _visible_run(request)
    document = object_of(await body_of(request))
    return AsciiJSON(await to_thread.run_sync(_start_remedy, run, document.get("finding"), document.get("remedy"), who))


def _visible_run(request: Request) -> tuple[Run, str]:
    """Return the requested run and the learner who requests it.

    Raises:
        Forbidden: the learner may not see it.
    """
    who = identity.learner_of(request)
    run = find(request.path_params["run"])
    if not identity.may_see(run, who):
        raise Forbidden(msg("This run belongs to someone else."))
    return run, who


def _controllable_run(request: Request) -> Run:
    run, who = _visible_run(request)
    if not identity.may_steer(run, who):
        raise Forbidden(msg("This run belongs to someone else."))
    return run


def _curves(run: Run, who: str, first: float, last: float) -> SteerableRun:
    server = services()
    return {**curves(server.history(run), server.scheduler.position(run), first, last), "steerable": identity.may_steer(run, who)}


def _observed(run: Run) -> tuple[object, ...]:
    """Return what changes with every observation and snapshot."""
    observations = services().history(run).observations
    return len(observations), observations[-1:], run.journal.snapshots_size()


def _steer(run: Run, command: Command) -> None:
    scheduler = services().scheduler
    state = services().history(run).state
    if command.name == "resume" and state in ("stopped", "failed", "interrupted"):
        scheduler.submit(run)
    else:
        scheduler.command(run, command)


def _fork(run: Run, step: int, changes: Mapping[str, object], who: str) -> StartedRun:
    child = fork(run, step, changes, who)
    services().scheduler.submit(child)
    return {"run": child.id}


def _findings(run: Run) -> Findings:
    return {"findings": as_json(advice(Record.of(services().history(run))))}


def _start_remedy(run: Run, name: object, remedy_id: object, who: str) -> StartedRun:
    """Start a remedy, even one whose finding has become part of another, or is no longer shown, by the time of the click."""
    record = Record.of(services().history(run))
    findings = (finding for finding in (*detected(record), *experiments(record)) if finding.name == name)
    remedy = next((remedy for finding in findings for remedy in finding.remedies if remedy.id == remedy_id), None)
    if remedy is None:
        raise PlaygroundError(msg("The coach no longer suggests this."), msg("Look at its current findings."))
    child = create_remedy_run(run, remedy, who)
    services().scheduler.submit(child)
    return {"run": child.id}


def _command(body: bytes, run: Run) -> Command:
    document = object_of(body)
    name, value = document.get("command"), document.get("value", 0.0)
    if name == "optimizer":
        refuse_change(run.config.optimizer, str(value))
        return Command("optimizer", str(value))
    if name not in COMMANDS:
        raise UnknownName(msg("command"), str(name), COMMANDS)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise PlaygroundError(msg("The request body must be a JSON object with “command”, and with “value” if the command needs one.")) from None
    if name == "learning-rate" and (problem := setting_called("learning_rate").problem(number)):
        raise PlaygroundError(problem)
    return Command(name, number)


def _whole(request: Request, name: str, default: int) -> int:
    value = _number(request, name, default)
    if math.isinf(value):
        raise PlaygroundError(msg("“{name}” must be a whole number.", name=name))
    return int(value)


def _number(request: Request, name: str, default: float) -> float:
    try:
        value = float(request.query_params.get(name, default))
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise PlaygroundError(msg("“{name}” must be a number.", name=name))
    return value


ROUTES: list[BaseRoute] = [
    Route("/api/runs/{run}", run_curves),
    Route("/api/runs/{run}/inside", run_inside),
    Route("/api/runs/{run}/histogram", run_histogram),
    Route("/api/runs/{run}/moment", run_moment),
    Route("/api/runs/{run}/gallery", run_gallery),
    Route("/api/runs/{run}/closeup", run_closeup),
    Route("/api/runs/{run}/coach", run_coach),
    Route("/api/runs/{run}/remedy", run_remedy, methods=["POST"]),
    Route("/api/runs/{run}/command", run_command, methods=["POST"]),
    Route("/api/runs/{run}/fork", run_fork, methods=["POST"]),
]
