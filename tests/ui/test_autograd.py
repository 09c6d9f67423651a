"""The views of the Autograd page as Streamlit runs them."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from playground.autograd.pitfalls.catalogue import PITFALLS
from playground.ui.pages.autograd.pitfalls import TITLES

from ..support.pages import open_page, switch_page


def open_view(app: AppTest, view: str) -> AppTest:
    open_page(app, "autograd").segmented_control(key="view").set_value(view).run()
    assert not app.exception, app.exception
    return app


def test_every_pitfall_has_a_title_on_the_page() -> None:
    assert set(TITLES) == set(PITFALLS)


@pytest.mark.parametrize("older", [False, True])
def test_an_address_names_choices_by_their_ids_and_an_older_one_by_their_titles(app: AppTest, older: bool) -> None:
    app.query_params |= {"view": "Pitfalls", "pitfall": TITLES["backward_twice"] if older else "backward_twice"}
    open_page(app, "autograd")
    assert app.pills(key="pitfall").value == "backward_twice"
    app.pills(key="pitfall").set_value("integer").run()
    assert app.query_params == {"view": "Pitfalls", "pitfall": "integer"}
    app.segmented_control(key="view").set_value("Graph").run()
    assert "view" not in app.query_params


def test_a_choice_is_still_there_when_the_page_is_opened_again(app: AppTest) -> None:
    open_view(app, "Pitfalls")
    open_page(app, "tensors")
    app.query_params.clear()  # as Streamlit's sidebar does
    switch_page(app, "autograd").run()
    assert app.segmented_control(key="view").value == "Pitfalls"
    assert app.query_params["view"] == "Pitfalls"


@pytest.mark.parametrize("pitfall", ["zero_grad", "integer", "non_leaf"])
def test_a_pitfall_is_one_script_with_a_switch_between_its_versions(app: AppTest, pitfall: str) -> None:
    open_view(app, "Pitfalls")
    app.pills(key="pitfall").set_value(pitfall).run()
    assert not app.exception
    switch = app.segmented_control(key=f"pitfall-version-{pitfall}")
    assert [option[0] for option in switch.options[:3]] == ["Y", "✕", "✓"]
    assert switch.value == "wrong"
    assert app.button(key="pitfall-open")
    switch.set_value("original").run()
    assert not app.exception
    assert "pitfall-open" not in [button.key for button in app.button]


def test_kaiming_initialisation_removes_the_warning_about_vanishing_gradients(app: AppTest) -> None:
    open_view(app, "Network")
    assert app.warning and not app.success
    app.selectbox(key="flow-initialisation").set_value("kaiming").run()
    assert app.success and not app.warning
    app.selectbox(key="flow-network").set_value("tiny-vit").run()
    assert not app.exception and not app.error


def test_the_race_takes_its_settings_from_the_address_and_what_is_missing_from_the_surface(app: AppTest) -> None:
    app.query_params |= {"view": "Descent", "descent-surface": "saddle", "descent-rate": "0.2", "descent-start": "9,nan", "descent-optimizers": "Adam,None"}
    open_page(app, "autograd")
    settings = app.session_state["race"]["settings"]
    assert settings == {
        "surface": "saddle", "expression": "torch.sin(2 * x) + x**2 / 4 + y**2", "rate": 0.2, "momentum": 0.9, "start": (2.0, 0.01), "steps": 200,
        "optimizers": ["Adam"], "view": "map",
    }  # fmt: skip
    assert app.query_params["descent-start"] == "2,0.01"
    assert "descent-momentum" not in app.query_params


def test_a_race_has_as_many_steps_as_the_address_says_if_its_surface_allows_them(app: AppTest) -> None:
    app.query_params |= {"view": "Descent", "descent-steps": "1000", "descent-view": "surface"}
    open_page(app, "autograd")
    settings = app.session_state["race"]["settings"]
    assert (settings["steps"], settings["view"]) == (1000, "surface")
    app.query_params["descent-surface"] = "own"
    del app.session_state["race"]
    app.run()
    assert app.session_state["race"]["settings"]["steps"] == 100


def test_an_address_without_settings_starts_where_the_surface_does(app: AppTest) -> None:
    open_view(app, "Descent")
    settings = app.session_state["race"]["settings"]
    assert settings["start"] == (-4.5, 1.5)
    assert len(settings["optimizers"]) == 6
    assert app.query_params == {"view": "Descent"}
