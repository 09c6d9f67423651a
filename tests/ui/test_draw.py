"""The Draw page as the learner chooses a network there."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from playground.network.presets import preset
from playground.runs.run import create
from playground.training.config import TrainConfig
from playground.ui import state

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
