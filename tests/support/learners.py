"""Two learners, each identified by the cookie of a browser."""

from __future__ import annotations

from starlette.testclient import TestClient

from playground.server.identity import COOKIE

ADA, BOB = "ada-secret", "bob-secret"
"""Values of their cookies."""


def as_learner(client: TestClient, cookie: str | None) -> TestClient:
    """Send further requests with this cookie; with none if it is None."""
    client.cookies.clear()
    if cookie:
        client.cookies.set(COOKIE, cookie)
    return client
