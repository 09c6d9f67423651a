"""The Network page as Streamlit runs it: what the builder is given, the link, and the ways to other pages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.network.presets import load_presets, preset
from playground.tensors import link

from ..support.networks import layer, network
from ..support.pages import new_app, open_page, switch_page

PRESETS = load_presets().networks
TUTORIAL_CNN = preset("tutorial-cnn").to_dict()


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The arguments that the page last mounted the builder with. `change`, `choose` and `go` in it are sent as the builder's events in the next run."""
    arguments: dict[str, Any] = {}

    def mount(stack: Any, presets: Any, dataset: str, **calls: Any) -> None:
        arguments.update(network=stack, presets=presets, dataset=dataset)
        if "change" in arguments:
            calls["on_change"](arguments.pop("change"))
        if "choose" in arguments:
            calls["on_dataset"](arguments.pop("choose"))
        if "go" in arguments:
            calls["on_go"](*arguments.pop("go"))

    monkeypatch.setattr("playground.ui.pages.network.network_builder", mount)
    return arguments


def test_the_page_opens_with_its_component(app: AppTest) -> None:
    open_page(app, "network")
    assert not app.exception and not app.error


def test_the_builder_gets_presets_and_a_first_network(app: AppTest, builder: dict[str, Any]) -> None:
    open_page(app, "network")
    assert {each["name"] for each in builder["presets"]} == set(PRESETS) and TUTORIAL_CNN in builder["presets"]
    assert builder["network"] == TUTORIAL_CNN


def test_the_chosen_data_set_is_kept_and_an_unknown_one_is_not(app: AppTest, builder: dict[str, Any]) -> None:
    open_page(app, "network")
    assert builder["dataset"] == "mnist-5k"
    for chosen, expected in (("shapes", "shapes"), ("nothing", "shapes"), ("", "")):
        builder["choose"] = chosen
        app.run()
        app.run()
        assert builder["dataset"] == expected and not app.exception
    open_page(open_page(app, "home"), "network")
    assert builder["dataset"] == ""


def component_network(*layers: dict[str, Any]) -> dict[str, Any]:
    """Return a network as the component sends it."""
    documents = []
    for place, each in enumerate(layers):
        params = {name: value for name, value in each.items() if name not in ("type", "off")}
        documents.append({"id": place, "type": each["type"], "params": params, "off": each.get("off", False)})
    return {"name": "mine", "title": "Mine", "input_shape": [1, 28, 28], "layers": documents}


def test_a_changed_network_is_in_the_address_with_its_disabled_layers(app: AppTest, builder: dict[str, Any]) -> None:
    open_page(app, "network")
    layers = [layer("Flatten"), layer("Tanh", off=True), layer("Linear", out_features=10)]
    builder["change"] = component_network(*layers)
    app.run()
    packed = app.query_params["network"]
    other = new_app()
    other.run()
    other.query_params["network"] = packed
    switch_page(other, "network").run()
    assert not other.exception and not other.error
    assert builder["network"]["layers"] == layers and builder["network"]["input_shape"] == [1, 28, 28]


LINKS = {
    "damaged": "abc",
    "not JSON": link.pack("x = 1"),
    "a list": link.pack("[]"),
    "deep": link.pack("[" * 5000),
    "an unknown layer": link.pack(json.dumps(network([4], layer("Nothing")))),
    "a layer of a list": link.pack(json.dumps({**TUTORIAL_CNN, "layers": [[1]]})),
    "off is no layer": link.pack(json.dumps({**TUTORIAL_CNN, "layers": ["off"]})),
    "a huge shape": link.pack(json.dumps(network([10**300], layer("ReLU")))),
    "no name": link.pack(json.dumps({"input_shape": [4], "layers": [layer("ReLU")]})),
}


@pytest.mark.parametrize("packed", LINKS.values(), ids=LINKS)
def test_a_link_without_a_valid_network_shows_an_error(app: AppTest, builder: dict[str, Any], packed: str) -> None:
    app.run()
    app.query_params["network"] = packed
    switch_page(app, "network").run()
    assert not app.exception
    assert app.error and "mistake" not in app.error[0].value
    assert builder["network"] == TUTORIAL_CNN


def test_an_own_network_can_be_trained_on_data_that_fits(app: AppTest, builder: dict[str, Any]) -> None:
    open_page(app, "network")
    builder["go"] = ("train", TUTORIAL_CNN, "mnist-5k")
    app.run()
    assert not app.exception
    assert app.title[0].value == "Train a network"
    assert app.selectbox(key="dataset").value == "mnist-5k"
    assert app.selectbox(key="network-mnist-5k").value == "mine" and "My network" in app.selectbox(key="network-mnist-5k").options
    open_page(app, "train").selectbox(key="dataset").set_value("shapes").run()
    assert not app.exception
    assert "My network" not in app.selectbox(key="network-shapes").options


@pytest.mark.parametrize(
    ("document", "dataset"),
    [
        (preset("cifar-cnn").to_dict(), "mnist-5k"),
        (network([1, 28, 28], layer("Linear", out_features=10)), "mnist-5k"),
        (network([1, 28, 28], layer("Flatten"), layer("Linear")), "mnist-5k"),
        (TUTORIAL_CNN, ""),
        ({"layers": "none"}, "mnist-5k"),
    ],
    ids=["another input", "a misfit", "another output", "no data set", "no network"],
)
def test_a_network_that_cannot_be_trained_is_not_taken_to_another_page(app: AppTest, builder: dict[str, Any], document: dict[str, Any], dataset: str) -> None:
    open_page(app, "network")
    builder.clear()
    builder["go"] = ("train", document, dataset)
    app.run()
    assert not app.exception
    assert "go" not in builder and not app.title, "the builder is still the page"
    assert "My network" not in open_page(app, "train").selectbox(key="network-mnist-5k").options


def test_the_gradients_of_an_own_network_can_be_opened(app: AppTest, builder: dict[str, Any]) -> None:
    open_page(app, "network")
    builder["go"] = ("gradients", TUTORIAL_CNN, "mnist-5k")
    app.run()
    assert not app.exception and not app.error
    assert app.title[0].value == "Autograd"
    assert app.selectbox(key="flow-network").value == "mine"
    assert any(header.value == "My network" for header in app.header)
