"""A training script that is pasted on the Train page."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.ui import state

from ..pasted.scripts import SCRIPT
from ..support.pages import open_page

COLOURED = SCRIPT.replace("datasets.FashionMNIST(", "datasets.CIFAR100(").replace("Conv2d(1, 8", "Conv2d(3, 8").replace("8 * 13 * 13", "8 * 15 * 15")
"""On images of which the playground has none: those of *Shapes*, which come with it, are taken."""


def read(app: AppTest, text: str) -> None:
    open_page(app, "train")
    app.text_area(key=state.TRAINING_SCRIPT.key).set_value(text).run()
    app.button(key="read-the-script").click().run()


def test_a_script_fills_in_the_form(app: AppTest) -> None:
    read(app, COLOURED)
    assert not app.exception and [each.value for each in app.success] == ["No mistake was seen in this script."]
    table = next(each.value for each in app.markdown if "| Learning rate |" in each.value)
    line = next(place for place, text in enumerate(SCRIPT.splitlines(), 1) if text.startswith("optimizer ="))
    assert f"| Learning rate | `0.05` | {line} |" in table
    app.button(key="use-script").click().run()
    assert not app.exception and app.selectbox(key="dataset").value == "shapes"
    assert app.selectbox(key=state.NETWORK.of("shapes").key).value == "mine"
    assert app.selectbox(key=state.SETTING.of("shapes", "mine", "optimizer").key).value == "sgd"
    assert app.number_input(key=state.SETTING.of("shapes", "mine", "batch_size").key).value == 100
    assert state.READ_SCRIPT.key not in app.session_state


def test_mistakes_and_errors_are_shown(app: AppTest) -> None:
    read(app, COLOURED.replace("        optimizer.zero_grad()\n", "").replace("8 * 15 * 15, 10", "8 * 15 * 15, 7"))
    assert any("The gradients of the batch before are added" in each.value for each in app.warning)
    assert any("does not end in" in each.value for each in app.warning)
    read(app, COLOURED.replace("nn.Linear(8 * 15 * 15", "nn.LSTM(8 * 15 * 15"))
    assert any("has no layer LSTM" in each.value for each in app.error)
    assert not app.success and any("| Learning rate |" in each.value for each in app.markdown)
    app.text_area(key=state.TRAINING_SCRIPT.key).set_value("x = 1").run()
    app.button(key="read-the-script").click().run()
    assert [each.value for each in app.error] == ["There is no training in this code."] and not app.warning
