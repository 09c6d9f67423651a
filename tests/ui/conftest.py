"""The playground's pages as the learner `ada` opens them, without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from playground.server.services import services

from ..support.pages import new_app


@pytest.fixture
def ada(monkeypatch: pytest.MonkeyPatch) -> str:
    """The learner who opens the pages: AppTest has no cookies, which would say so."""
    monkeypatch.setattr("playground.ui.shared.visitor.current_learner", lambda: "ada")
    return "ada"


@pytest.fixture
def app(ada: str) -> Iterator[AppTest]:
    """The playground before its first run."""
    services().warm.set()
    yield new_app()
    services().fault = None
