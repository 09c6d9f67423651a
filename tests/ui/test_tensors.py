"""The Tensors page without a browser: its exercises begin where the learner stopped."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.tensors.exercises import EXERCISES
from playground.tensors.exercises.progress import mark_solved

from ..support.pages import open_page


def exercises(app: AppTest) -> AppTest:
    open_page(app, "tensors")
    app.session_state["tensors-mode"] = "Exercises"
    app.run()
    assert not app.exception
    return app


def test_exercises_begin_with_the_first_that_is_not_solved(app: AppTest) -> None:
    mark_solved("ada", EXERCISES[0].name)
    mark_solved("ada", "an exercise of another version")
    exercises(app)
    chosen = app.selectbox(key="tensors-exercise")
    assert chosen.value == EXERCISES[1].name
    assert chosen.options[:2] == [f"✓ 1. {EXERCISES[0].title}", f"2. {EXERCISES[1].title}"]
    assert f"1 of {len(EXERCISES)} solved" in [caption.value for caption in app.caption]


def test_a_learner_who_has_solved_them_all_begins_again(app: AppTest) -> None:
    for each in EXERCISES:
        mark_solved("ada", each.name)
    exercises(app)
    assert app.selectbox(key="tensors-exercise").value == EXERCISES[0].name
