"""The routes of the Compare page: the list of runs with queue and trash, the curves of the selected runs, and changes of names and notes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any, TypedDict, TypeVar

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.errors import PlaygroundError, RunError, UnknownName
from playground.messages import msg
from playground.runs import labels, trash
from playground.runs.history import History
from playground.runs.run import ACTIVE, Run, find
from playground.runs.views import comparison
from playground.runs.views.comparison import AXES, MAX_RUNS, METRICS, Axis, Curve, Metric, Overlay, RunFacts, SettingColumn
from playground.runs.views.summaries import RECORD_ERRORS, DamagedRow, ReadableRow, Summary, first_selected, list_runs, owner
from playground.server import identity
from playground.server.respond import AsciiJSON, Forbidden, answered, body_of, news, object_of
from playground.server.run_list import summaries
from playground.server.services import services

Name = TypeVar("Name", bound=str)


class DeletedRun(TypedDict):
    """A run in the trash."""

    run: str
    name: str


class RunsList(TypedDict):
    """The runs that the learner may see, and their deleted runs."""

    runs: list[ReadableRow | DamagedRow]
    first: list[str]
    """The runs to select first."""
    places: dict[str, int]
    """Of each queued run its place in the queue, counted from 1; the runs of a race share one."""
    trash: list[DeletedRun]


class RunsAnswer(RunsList):
    """The runs that the learner may see, and their deleted runs."""

    version: str


class Curves(Overlay):
    """The curves of one run for a plot with several runs."""

    accuracies: Curve
    """The test accuracies, by which the runs are ranked, on the same axis."""
    cuts: list[float]
    """Where on the axis the learner changed the learning rate or the optimizer."""
    version: str


class SelectedCurves(TypedDict):
    """The curves of the selected runs."""

    curves: dict[str, Curves]
    """Of the runs whose curves have grown."""
    facts: dict[str, RunFacts]
    columns: list[SettingColumn]
    """The settings in which the runs differ."""
    runs: list[str]
    """In the order of the columns' values."""
    gone: list[str]


class CurvesAnswer(SelectedCurves):
    """The curves of the selected runs."""

    version: str


@answered
async def runs(request: Request) -> Response:
    """Return the runs that the learner may see, and their deleted runs; 204 if the client is up to date."""
    who = _who(request)
    return await news(request, ("runs", who), lambda: _list_state(who), lambda: _list(who))


@answered
async def curves(request: Request) -> Response:
    """Return the curves of the selected runs: `runs` is `id~version,…` with the version of the curves that the client has.

    The response has the curves that have grown, the facts of all runs, the settings in which they differ, and which runs are `gone`.
    """
    who, parameters = _who(request), request.query_params
    x, what = _one_of(AXES, parameters.get("x", "epoch")), _one_of(METRICS, parameters.get("what", "loss"))
    if x is None or what is None:
        raise PlaygroundError(msg("“x” must be step, epoch or seconds, and “what” must be loss or accuracy."))
    known = dict(part.partition("~")[::2] for part in parameters.get("runs", "").split(",") if part)
    if len(known) > MAX_RUNS:
        raise PlaygroundError(msg("At most {most} runs can be compared at once.", most=MAX_RUNS))
    subject = ("comparison", tuple(sorted(known.items())), who, x, what)
    return await news(request, subject, lambda: _curves_state(known, who), lambda: _curves(known, who, x, what))


@answered
async def relabel(request: Request) -> Response:
    """Change the name or the note of a run: `{"run": …, "name": …, "note": …}`; both texts are optional."""
    document = object_of(await body_of(request))
    run = _own(document, _who(request))
    texts = {key: document[key] for key in ("name", "note") if key in document}
    if not all(isinstance(text, str) for text in texts.values()):
        raise PlaygroundError(msg("“name” and “note” must be strings."))
    await to_thread.run_sync(lambda: labels.relabel(run, **texts))
    return AsciiJSON({"ok": True})


@answered
async def resume(request: Request) -> Response:
    """Resume interrupted runs from their last checkpoints, those of a race in one worker: `{"runs": [id, …]}`."""
    wanted, who = object_of(await body_of(request)).get("runs"), _who(request)
    if not isinstance(wanted, list) or len(wanted) > MAX_RUNS:
        raise PlaygroundError(msg("“runs” must be a list of at most {most} runs.", most=MAX_RUNS))
    runs = [_own({"run": run}, who) for run in wanted]
    await to_thread.run_sync(services().scheduler.resume, runs)
    return AsciiJSON({"ok": True})


@answered
async def delete(request: Request) -> Response:
    """Move a run to the trash: `{"run": …}`."""
    run = _own(object_of(await body_of(request)), _who(request))
    await to_thread.run_sync(_delete, run)
    return AsciiJSON({"ok": True})


@answered
async def restore(request: Request) -> Response:
    """Restore a run from the trash: `{"run": …}`."""
    run_id = str(object_of(await body_of(request)).get("run", ""))
    await to_thread.run_sync(_restore, run_id, _who(request))
    return AsciiJSON({"ok": True})


def _one_of(names: Iterable[Name], wanted: str) -> Name | None:
    return next((name for name in names if name == wanted), None)


def _who(request: Request) -> str:
    return identity.learner_of(request)


def _own(document: dict[str, Any], who: str) -> Run:
    run = find(str(document.get("run", "")))
    if not (who and owner(run) == who):
        raise Forbidden(msg("This run belongs to someone else."))
    return run


def _owns(who: str, run: Run) -> bool:
    return bool(who) and owner(run) == who


def _visible(who: str) -> list[Summary]:
    return [summary for run in list_runs() if owner(run) in ("", who, None) and (summary := summaries().of(run))]


def _list_state(who: str) -> tuple[object, ...]:
    """Return the state that the list of runs is made from."""
    services().wait_until_warm()
    visible = _visible(who)
    return visible, _places(visible), _trash(who)


def _trash(who: str) -> list[DeletedRun]:
    return [{"run": item.run.id, "name": _name(item.run)} for item in trash.trash() if who and owner(item.run) == who]


def _list(who: str) -> RunsList:
    visible = _visible(who)
    return {
        "runs": [summary.as_json(own=_owns(who, summary.run)) for summary in visible],
        "first": [run.id for run in first_selected(visible)],
        "places": _places(visible),
        "trash": _trash(who),
    }


def _places(summaries_of: list[Summary]) -> dict[str, int]:
    scheduler = services().scheduler
    return {summary.run.id: place for summary in summaries_of if (place := scheduler.position(summary.run))}


def _name(run: Run) -> str:
    try:
        return comparison.name(run)
    except PlaygroundError:
        return run.id


def _curves_state(known: dict[str, str], who: str) -> list[tuple[object, ...]]:
    """Return the state that the curves of the selected runs are made from."""
    services().wait_until_warm()
    histories = {run_id: history for run_id in known if (history := _readable(run_id, who))}
    return [(run_id, history.version, summaries().of(history.run)) for run_id, history in histories.items()]


def _curves(known: dict[str, str], who: str, x: Axis, what: Metric) -> SelectedCurves:
    histories = {run_id: history for run_id in known if (history := _readable(run_id, who))}
    points = comparison.points_each(len(histories))
    curves_of: dict[str, Curves] = {}
    facts_of: dict[str, RunFacts] = {}
    for run_id, history in histories.items():
        version = _version(history)
        with contextlib.suppress(PlaygroundError, *RECORD_ERRORS):  # the record is damaged, or the run was deleted just now
            facts = comparison.facts(history.run, history).as_json()
            if version != known[run_id]:
                curves_of[run_id] = _curves_of(history, x, what, points, version)
            facts_of[run_id] = facts
    return {
        "curves": curves_of,
        "facts": facts_of,
        "columns": [column.as_json() for column in comparison.differing([histories[run_id].run for run_id in facts_of])],
        "runs": list(facts_of),
        "gone": [run_id for run_id in known if run_id not in facts_of],
    }


def _curves_of(history: History, x: Axis, what: Metric, points: int, version: str) -> Curves:
    drawn = comparison.overlay(history, x, what, points)
    ranked = drawn if what == "accuracy" else comparison.overlay(history, x, "accuracy", points)
    return {**drawn, "accuracies": ranked["test"], "cuts": comparison.cuts(history, x), "version": version}


def _readable(run_id: str, who: str) -> History | None:
    """Return a run's history; None if the run is gone, damaged, or another learner's."""
    try:
        run = find(run_id)
    except UnknownName:
        return None
    summary = summaries().of(run)
    return services().history(run) if owner(run) in ("", who) and summary and summary.facts else None


def _version(history: History) -> str:
    return f"{history.state}-{len(history.steps)}-{len(history.evaluations)}-{len(history.changes)}-{history.total_steps}"


def _delete(run: Run) -> None:
    scheduler = services().scheduler
    is_trained = scheduler.worker_pid(run) is not None and History(run).follow().state in ACTIVE  # its worker may train only others of its race now
    if scheduler.position(run) or is_trained:
        raise RunError(msg("The run “{name}” is running or queued, so it cannot be deleted.", name=_name(run)), msg("Stop it first."))
    trash.delete(run)


def _restore(run_id: str, who: str) -> None:
    if not any(item.run.id == run_id and who and owner(item.run) == who for item in trash.trash()):
        raise UnknownName(msg("deleted run"), run_id, [])
    trash.restore(run_id)


ROUTES: list[BaseRoute] = [
    Route("/api/compare/runs", runs),
    Route("/api/compare/curves", curves),
    Route("/api/compare/label", relabel, methods=["POST"]),
    Route("/api/compare/resume", resume, methods=["POST"]),
    Route("/api/compare/delete", delete, methods=["POST"]),
    Route("/api/compare/restore", restore, methods=["POST"]),
]
