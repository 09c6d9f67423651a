"""The Draw page as the learner chooses a network there."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.network.presets import preset
from playground.runs.run import create
from playground.training.config import TrainConfig
from playground.ui import state
from playground.ui.components import drawing_pad

from ..support.pages import open_page
from ..support.training import train


@pytest.mark.parametrize(("at", "is_offered"), [(-1, True), (10**6, False)], ids=["a checkpoint", "one that is no longer there"])
def test_a_run_can_be_drawn_for_at_an_earlier_checkpoint(app: AppTest, ada: str, at: int, is_offered: bool) -> None:
    run = train(create(TrainConfig(network="mnist-mlp", epochs=0.2), preset("mnist-mlp"), ada))
    step = run.checkpoints.steps()[at] if is_offered else at
    open_page(app, "train")
    app.session_state[state.DRAW_MODEL.key] = f"{run.id}@{step}"
    open_page(app, "draw")
    assert not app.exception
    network = app.selectbox(key=state.DRAW_MODEL.key)
    assert (network.value == f"{run.id}@{step}") == is_offered
    assert any(f", step {step:,}" in title for title in network.options) == is_offered


PAPERS: Any = {"one": [{"width": 70, "points": [[500, 200], [500, 800]]}], "several": []}
LONG: Any = {"one": [], "several": [{"width": 70, "points": [[0, 0]]}] * (drawing_pad.MAX_STROKES + 1)}


@pytest.mark.parametrize(
    ("drawing", "is_kept"),
    [
        ({"mode": "one", "papers": PAPERS}, True),
        ({"mode": "several", "papers": PAPERS, "cleared": PAPERS}, True),
        ({"mode": "one", "papers": LONG}, False),
        ({"mode": "one", "papers": PAPERS, "cleared": LONG}, False),
        ({"mode": "one", "papers": PAPERS, "cleared": {"one": []}}, False),
        ({"mode": "one", "papers": {"one": "strokes", "several": []}}, False),
        ({"mode": "one", "papers": {"one": ["stroke"], "several": []}}, False),
        ({"mode": "two", "papers": PAPERS}, False),
        ({}, False),
    ],
    ids=["strokes", "and cleared ones", "too many", "too many cleared", "no second paper", "no list", "no stroke", "another mode", "nothing"],
)
def test_only_a_drawing_is_kept_of_what_the_browser_sends(drawing: dict[str, Any], is_kept: bool) -> None:
    assert drawing_pad._is_drawing(drawing) == is_kept
