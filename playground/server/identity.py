"""Identify learners by a random identifier in a cookie, and decide which runs they may see and control."""

from __future__ import annotations

import hashlib

from starlette.requests import Request

from playground.runs.run import Run

COOKIE = "playground_learner"
COOKIE_SECONDS = 365 * 24 * 3600


def learner(cookie: str | None) -> str:
    """Return the learner's identifier in the records: a hash, so that a run's folder does not reveal the cookie; empty without one."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:24] if cookie else ""


def learner_of(request: Request) -> str:
    """Return the identifier of the learner who sent the request."""
    return learner(request.cookies.get(COOKIE))


def may_see(run: Run, who: str) -> bool:
    """Return whether a learner may see the run: it is theirs, or from the command line and so everyone's."""
    return run.owner in ("", who)


def may_steer(run: Run, who: str) -> bool:
    """Return whether a learner may control the run: only if it is theirs."""
    return bool(who) and run.owner == who
