"""Who a learner is: a random name in a cookie, and nothing more."""

from __future__ import annotations

import hashlib

from starlette.requests import Request

from playground.runs.run import Run

COOKIE = "playground_learner"
COOKIE_SECONDS = 365 * 24 * 3600


def learner(cookie: str | None) -> str:
    """The learner's name in the records: a hash, so that reading a run's folder does not give the cookie away."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:24] if cookie else ""


def learner_of(request: Request) -> str:
    """The learner whose browser sends the request."""
    return learner(request.cookies.get(COOKIE))


def may_see(run: Run, who: str) -> bool:
    """One's own runs, and those of the command line, which belong to everyone."""
    return run.owner in ("", who)


def may_steer(run: Run, who: str) -> bool:
    """One's own runs."""
    return bool(who) and run.owner == who
