"""Walking through an autograd graph in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from .test_tensors import run_script

SHARED = "x = torch.ones(2, 2, requires_grad=True)\ny = x + 2\nz = y * y * 3\nout = z.mean()\nout.backward()"


@pytest.fixture
def lab(page: Page, address: str) -> Page:
    page.goto(f"{address}/autograd")
    page.locator(".canvas .node").first.wait_for()
    return page


def run(page: Page, source: str) -> None:
    run_script(page, source, "/api/autograd/run")


def node(page: Page, name: str) -> Locator:
    return page.locator(f".canvas .node[aria-label^='{name},']")


def test_the_graph_has_pytorchs_names_and_the_learners(lab: Page) -> None:
    run(lab, SHARED)
    for name, operation in (("x", "AccumulateGrad"), ("y", "AddBackward0"), ("z", "MulBackward0"), ("out", "MeanBackward0")):
        expect(node(lab, name)).to_contain_text(operation)
    expect(lab.locator(".leaves")).to_contain_text("[[4.5, 4.5], [4.5, 4.5]]")


def test_steps_go_forward_by_statement_and_back_as_the_engine_went(lab: Page) -> None:
    run(lab, SHARED)
    lab.get_by_role("button", name="To the start").click()
    expect(node(lab, "y")).to_have_class("node operation waiting")
    following = lab.get_by_role("button", name="One step on")
    following.click()
    expect(lab.locator(".sentence")).to_have_text("Forward: y = 3   (at cell [0, 0])")
    expect(lab.locator(".cm-line.cm-lit")).to_have_text("y = x + 2")
    for _ in range(6):
        following.click()
    expect(lab.locator(".sentence")).to_contain_text("passes on to y: 0.75 × 3 = 2.25, to y: 0.75 × 3 = 2.25")
    following.click()
    expect(lab.locator(".sentence")).to_contain_text("the gradient of y is 2.25 + 2.25 = 4.5")
    expect(node(lab, "y")).to_have_class("node operation graded current")


def test_stepping_scrubbing_and_pointing_need_no_server(lab: Page) -> None:
    run(lab, SHARED)
    lab.context.set_offline(True)
    lab.get_by_label("Step", exact=True).fill("2")
    expect(lab.locator(".where")).to_have_text("2 of 9")
    lab.get_by_role("button", name="One step back").click()
    expect(lab.locator(".where")).to_have_text("1 of 9")
    node(lab, "z").hover()
    expect(lab.locator(".details .source")).to_have_text("z")
    expect(node(lab, "out")).to_have_class("node operation waiting dim")
    lab.context.set_offline(False)


def test_play_walks_to_the_end_and_stops(lab: Page) -> None:
    run(lab, "x = torch.tensor(2., requires_grad=True)\ny = x * x\ny.backward()")
    lab.get_by_role("button", name="Play", exact=True).click()
    expect(lab.locator(".where")).to_have_text("3 of 3", timeout=30_000)
    expect(lab.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_script_without_a_graph_says_what_is_missing(lab: Page) -> None:
    run(lab, "x = torch.ones(2)")
    expect(lab.locator(".sentence")).to_contain_text("requires_grad=True")
    expect(lab.locator(".canvas")).to_be_hidden()


def test_what_pytorch_refuses_is_explained(lab: Page) -> None:
    run(lab, "x = torch.ones(2, requires_grad=True)\ny = x * 2\ny.backward()")
    expect(lab.locator(".fault")).to_contain_text("starts at one number")


def test_optimizers_race_down_a_surface_of_ones_own(lab: Page) -> None:
    lab.get_by_text("Descent", exact=True).click()
    lab.get_by_role("combobox", name="Surface").click()
    lab.get_by_role("option", name="My own expression").click()
    field = lab.get_by_role("textbox", name="loss(x, y) =")
    field.fill("x**2 + 3 * y**2")
    field.press("Enter")
    expect(lab.get_by_text("loss = x**2 + 3 * y**2")).to_be_visible()
    expect(lab.locator(".js-plotly-plot .legendtext")).to_have_text(["SGD", "SGD with momentum", "Nesterov", "RMSprop", "Adam", "AdamW"])
    field.fill("x + nothing")
    field.press("Enter")
    expect(lab.get_by_text("The name `nothing` is not defined.").or_(lab.get_by_text("The name nothing is not defined."))).to_be_visible()
