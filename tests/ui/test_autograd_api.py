"""The routes of the Autograd page: a script with its gradients, its loss by one number, and the proof; and the page's views."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from playground.autograd.pitfalls.catalogue import PITFALLS
from playground.environment import ROOT
from playground.server.asgi import MIDDLEWARE, ROUTES
from playground.server.services import services
from playground.ui.pages.autograd.pitfalls import TITLES

SQUARE = "x = torch.tensor([1., 2.], requires_grad=True)\nloss = (x * x).sum()\nloss.backward()"
RANDOM = "x = torch.randn(3, requires_grad=True)\nloss = (x * np.random.rand()).sum()\nloss.backward()"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    services().warm.set()
    with TestClient(Starlette(routes=ROUTES, middleware=MIDDLEWARE)) as client:
        yield client
    services().forker.close()


def ask(client: TestClient, what: str, **asked: Any) -> dict[str, Any]:
    answer = client.post(f"/api/autograd/{what}", json=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def leaf(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in document["leaves"] if each["name"] == name)


def test_overrides_replace_the_scripts_values(client: TestClient) -> None:
    found = ask(client, "run", source=SQUARE, overrides={"x": {"1": 5}})
    told = leaf(found, "x")
    assert (told["value"]["values"], told["grad"]["values"], told["loss"], told["overridden"]) == ([1, 5], [2, 10], 26, [1])


def test_a_seed_makes_the_same_numbers_again_and_none_makes_others(client: TestClient) -> None:
    first = ask(client, "run", source=RANDOM)
    again = ask(client, "run", source=RANDOM, seed=first["seed"])
    other = ask(client, "run", source=RANDOM)
    assert again == first
    assert leaf(other, "x")["value"] != leaf(first, "x")["value"]


def test_a_curve_is_the_loss_at_each_place(client: TestClient) -> None:
    assert ask(client, "curve", source=SQUARE, seed=0, name="x", cell=0, **{"pass": 0}, values=[0, 3, -3])["losses"] == [4, 13, 13]


def test_a_proof_holds_both_numbers(client: TestClient) -> None:
    found = ask(client, "gradcheck", source=SQUARE, seed=0, overrides={"x": {"0": 3}})
    assert found["passed"] and [row["autograd"] for row in found["rows"]] == [6, 4]
    assert [row["difference"] for row in found["rows"]] == pytest.approx([6, 4], abs=1e-6)


@pytest.mark.parametrize(
    ("what", "asked"),
    [
        ("run", {"seed": -1}),
        ("run", {"seed": "one"}),
        ("run", {"seed": 2**40}),
        ("run", {"overrides": {"x": 3}}),
        ("run", {"overrides": {"x": {"first": 3}}}),
        ("run", {"overrides": {"x": {"-1": 3}}}),
        ("run", {"overrides": [1]}),
        ("curve", {"seed": 0, "pass": 0}),
        ("curve", {"seed": 0, "pass": 0, "name": "x", "cell": "a", "values": [1]}),
        ("curve", {"seed": 0, "pass": 0, "name": "x", "cell": 0, "values": 7}),
        ("curve", {"seed": 0, "name": "x", "cell": 0, "values": [1]}),
        ("gradcheck", {}),
        ("gradcheck", {"seed": True}),
    ],
)
def test_what_is_no_such_question_is_refused_kindly(client: TestClient, what: str, asked: dict[str, Any]) -> None:
    answer = client.post(f"/api/autograd/{what}", json={"source": SQUARE, **asked})
    assert answer.status_code == 400
    assert "mistake" not in answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"source": 3}', b"{" * 5000, json.dumps({"source": "x" * 200_000}).encode()])
@pytest.mark.parametrize("what", ["run", "curve", "gradcheck"])
def test_a_body_that_is_no_question_is_refused(client: TestClient, what: str, body: bytes) -> None:
    answer = client.post(f"/api/autograd/{what}", content=body)
    assert answer.status_code in (400, 413) and answer.json()["error"]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr("playground.ui.shared.visitor.current_learner", lambda: "ada")
    services().warm.set()
    return AppTest.from_file(str(ROOT / "playground" / "ui" / "shell" / "app.py"), default_timeout=90)


def opened(app: AppTest, view: str) -> AppTest:
    app.run()
    app.switch_page(str(ROOT / "pages" / "autograd.py")).run()
    app.segmented_control(key="view").set_value(view).run()
    assert not app.exception, app.exception
    return app


def test_the_pages_pitfalls_are_those_that_there_are() -> None:
    assert set(TITLES) == set(PITFALLS)


@pytest.mark.parametrize("pitfall", ["zero_grad", "integer", "non_leaf"])
def test_a_pitfall_stands_beside_the_right_way(app: AppTest, pitfall: str) -> None:
    opened(app, "Pitfalls")
    app.pills(key="pitfall").set_value(pitfall).run()
    assert not app.exception
    assert any(":red-badge" in markdown.value for markdown in app.markdown) and any(":green-badge" in markdown.value for markdown in app.markdown)
    assert any("Your script" in markdown.value for markdown in app.markdown)


def test_depth_and_activation_make_gradients_vanish_or_not(app: AppTest) -> None:
    opened(app, "Network")
    assert app.warning and not app.success
    app.selectbox(key="flow-initialisation").set_value("kaiming").run()
    assert app.success and not app.warning
    app.selectbox(key="flow-network").set_value("tiny-vit").run()
    assert not app.exception and not app.error


def test_a_race_on_every_surface(app: AppTest) -> None:
    opened(app, "Descent")
    for surface in ("rosenbrock", "saddle", "minima", "own"):
        app.selectbox(key="descent-surface").set_value(surface).run()
        assert not app.exception and not app.error
