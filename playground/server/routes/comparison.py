"""The routes of the Compare page: the list of runs with queue and trash, the curves of the selected runs, and changes of names and notes."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground import environment
from playground.errors import PlaygroundError, RunError, UnknownName
from playground.runs import labels, trash
from playground.runs.history import History
from playground.runs.run import Run, find
from playground.runs.views import comparison
from playground.runs.views.comparison import AXES, MAX_RUNS, Facts
from playground.runs.views.summaries import RECORD_ERRORS, Summary, first_selected, list_runs, owner
from playground.server import identity
from playground.server.respond import AsciiJSON, Forbidden, answered, body_of, news, object_of
from playground.server.run_list import summaries
from playground.server.services import services


@answered
async def runs(request: Request) -> Response:
    """Return the runs that the learner may see, the queue and their deleted runs; 204 if the client is up to date."""
    who = _who(request)
    return await news(request, ("runs", who), lambda: _list_state(who), lambda: _list(who))


@answered
async def curves(request: Request) -> Response:
    """Return the curves of the selected runs: `runs` is `id~version,…` with the version of the curves that the client has.

    The response has the curves that have grown, the facts of all runs, the settings in which they differ, and which runs are `gone`.
    """
    who, parameters = _who(request), request.query_params
    x, what = parameters.get("x", "epoch"), parameters.get("what", "loss")
    if x not in AXES or what not in ("loss", "accuracy"):
        raise PlaygroundError("“x” must be step, epoch or seconds, and “what” must be loss or accuracy.")
    known = dict(part.partition("~")[::2] for part in parameters.get("runs", "").split(",") if part)
    if len(known) > MAX_RUNS:
        raise PlaygroundError(f"At most {MAX_RUNS} runs can be compared at once.")
    subject = ("comparison", tuple(sorted(known.items())), who, x, what)
    return await news(request, subject, lambda: _curves_state(known, who), lambda: _curves(known, who, x, what))


@answered
async def relabel(request: Request) -> Response:
    """Change the name or the note of a run: `{"run": …, "name": …, "note": …}`; both texts are optional."""
    document = object_of(await body_of(request))
    run = _own(document, _who(request))
    texts = {key: document[key] for key in ("name", "note") if key in document}
    if not all(isinstance(text, str) for text in texts.values()):
        raise PlaygroundError("“name” and “note” must be strings.")
    await to_thread.run_sync(lambda: labels.relabel(run, **texts))
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


def _who(request: Request) -> str:
    return identity.learner_of(request)


def _own(document: dict[str, Any], who: str) -> Run:
    run = find(str(document.get("run", "")))
    if not (who and owner(run) == who):
        raise Forbidden("This run belongs to someone else.")
    return run


def _visible(who: str) -> list[Summary]:
    return [summary for run in list_runs() if owner(run) in ("", who, None) and (summary := summaries().of(run))]


def _list_state(who: str) -> tuple[Any, ...]:
    """Return the state that the list of runs is made from."""
    services().warm.wait()
    return _visible(who), _queue(list_runs(), who), _trash(who)


def _trash(who: str) -> list[dict[str, Any]]:
    return [{"run": item.run.id, "name": _name(item.run)} for item in trash.trash() if who and owner(item.run) == who]


def _list(who: str) -> dict[str, Any]:
    visible = _visible(who)
    return {
        "runs": [_row(summary, who) for summary in visible],
        "first": [run.id for run in first_selected(visible)],
        "queue": _queue(list_runs(), who),
        "workers": environment.workers(),
        "trash": _trash(who),
    }


def _row(summary: Summary, who: str) -> dict[str, Any]:
    run = summary.run
    row = {"run": run.id, "name": summary.name, "note": summary.note, "state": summary.state, "race": summary.race, "own": bool(who) and owner(run) == who}
    if summary.facts is None:
        return {**row, "fault": summary.fault}
    titles = {"dataset": summary.dataset, "network": summary.network, "started": summary.started}
    return {**row, **titles, **_facts(summary.facts)}


def _facts(facts: Facts) -> dict[str, Any]:
    """Return a run's facts as JSON-ready data: numbers to sort by, and texts to read."""
    share = facts.step / facts.total_steps if facts.total_steps else 0.0
    return {**vars(facts), "seconds": round(facts.seconds, 1), "share": round(share, 2), "compute_text": comparison.macs(facts.compute)}


def _queue(runs: list[Run], who: str) -> list[dict[str, Any]]:
    """Return the running runs, then the queued ones in order; of other learners' runs only their place."""
    scheduler = services().scheduler
    waiting = {run: place for run in runs if (place := scheduler.position(run))}
    places = waiting | {run: 0 for run in runs if scheduler.worker_pid(run) is not None}
    return [
        {"place": place, "own": bool(who) and owner(run) == who, **({"run": run.id, "name": _name(run)} if owner(run) in ("", who) else {})}
        for run, place in sorted(places.items(), key=lambda item: (item[1], item[0].id))
    ]


def _name(run: Run) -> str:
    try:
        return comparison.name(run)
    except PlaygroundError:
        return run.id


def _curves_state(known: dict[str, str], who: str) -> list[tuple[Any, ...]]:
    """Return the state that the curves of the selected runs are made from."""
    services().warm.wait()
    histories = {run_id: history for run_id in known if (history := _readable(run_id, who))}
    return [(run_id, history.version, summaries().of(history.run)) for run_id, history in histories.items()]


def _curves(known: dict[str, str], who: str, x: Any, what: Any) -> dict[str, Any]:
    histories = {run_id: history for run_id in known if (history := _readable(run_id, who))}
    points = comparison.points_each(len(histories))
    curves_of, facts_of = {}, {}
    for run_id, history in histories.items():
        version = _version(history)
        with contextlib.suppress(PlaygroundError, *RECORD_ERRORS):  # the record is damaged, or the run was deleted just now
            facts = _facts(comparison.facts(history.run, history))
            if version != known[run_id]:
                curves_of[run_id] = {**comparison.overlay(history, x, what, points), "version": version}
            facts_of[run_id] = facts
    return {
        "curves": curves_of,
        "facts": facts_of,
        "columns": [asdict(column) for column in comparison.differing([histories[run_id].run for run_id in facts_of])],
        "runs": list(facts_of),
        "gone": [run_id for run_id in known if run_id not in facts_of],
    }


def _readable(run_id: str, who: str) -> History | None:
    """Return a run's history; None if the run is gone, damaged, or another learner's."""
    try:
        run = find(run_id)
    except UnknownName:
        return None
    summary = summaries().of(run)
    return services().history(run) if owner(run) in ("", who) and summary and summary.facts else None


def _version(history: History) -> str:
    return f"{history.state}-{len(history.steps)}-{len(history.evaluations)}-{history.total_steps}"


def _delete(run: Run) -> None:
    scheduler = services().scheduler
    if scheduler.position(run) or scheduler.worker_pid(run) is not None:
        raise RunError(f"The run “{_name(run)}” is running or queued, so it cannot be deleted.", "Stop it first.")
    trash.delete(run)


def _restore(run_id: str, who: str) -> None:
    if not any(item.run.id == run_id and who and owner(item.run) == who for item in trash.trash()):
        raise UnknownName("deleted run", run_id, [])
    trash.restore(run_id)


ROUTES: list[BaseRoute] = [
    Route("/api/compare/runs", runs),
    Route("/api/compare/curves", curves),
    Route("/api/compare/label", relabel, methods=["POST"]),
    Route("/api/compare/delete", delete, methods=["POST"]),
    Route("/api/compare/restore", restore, methods=["POST"]),
]
