"""The Autograd page in a browser: stepping through a graph, overriding values, pitfalls."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from playground.tensors import link

from ..support.script_editor import NOTHING, choose_example, run_script, without_requests
from ..support.serving import to_the_top
from ..support.waiting import until
from .conftest import KeptPage

SHARED = "x = torch.ones(2, 2, requires_grad=True)\ny = x + 2\nz = y * y * 3\nout = z.mean()\nout.backward()"


@pytest.fixture
def lab(kept: KeptPage, address: str) -> Page:
    """The view of a graph, without one, on the page that stays open."""
    page = kept.get(f"{address}/autograd")
    page.get_by_text("Graph", exact=True).click()
    run(page, NOTHING)
    expect(page.locator(".ways")).to_be_hidden()
    drawings = page.locator(".canvas, .plot svg")
    drawings.evaluate_all("drawings => drawings.forEach((drawing) => drawing.replaceChildren())")  # the hidden ones of the test before
    return page


def run(page: Page, source: str) -> None:
    run_script(page, source, "/api/autograd/run")


def run_into_address(page: Page, source: str) -> None:
    """Run a script, and wait until it is in the address and the numbers of the one before are not."""
    run(page, source)
    expect(page).to_have_url(re.compile(re.escape(f"script={link.pack(source)}")))
    expect(page).not_to_have_url(re.compile("numbers="))


def node(page: Page, name: str) -> Locator:
    return page.locator(f".canvas .node[aria-label^='{name},']")


def number(page: Page, name: str) -> Locator:
    return page.get_by_label(f"{name}, drag or type")


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list, which closes when the page scrolls."""
    to_the_top(page)
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def drag(page: Page, element: Locator, by: int) -> None:
    """Drag something sideways with the mouse."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by, y, steps=6)
    page.mouse.up()


def test_graph_nodes_have_pytorchs_and_the_scripts_names(lab: Page) -> None:
    run(lab, SHARED)
    for name, operation in (("x", "AccumulateGrad"), ("y", "AddBackward0"), ("z", "MulBackward0"), ("out", "MeanBackward0")):
        expect(node(lab, name)).to_contain_text(operation)
    expect(lab.locator(".slope")).to_have_text(["4.5"] * 4)


def test_steps_follow_the_statements_and_then_the_backward_pass(lab: Page) -> None:
    run(lab, SHARED)
    lab.get_by_role("button", name="Go to the start").click()
    expect(node(lab, "y")).to_have_class("node operation waiting")
    following = lab.get_by_role("button", name="One step forward")
    following.click()
    expect(lab.locator(".sentence")).to_have_text("Forward: y = 3   (at cell [0, 0])")
    expect(lab.locator(".cm-line.cm-lit")).to_have_text("y = x + 2")
    for _ in range(6):
        following.click()
    expect(lab.locator(".sentence")).to_contain_text("passes on to y: 0.75 × 3 = 2.25, to y: 0.75 × 3 = 2.25")
    following.click()
    expect(lab.locator(".sentence")).to_contain_text("the gradient of y is 2.25 + 2.25 = 4.5")
    expect(node(lab, "y")).to_have_class("node operation graded current")


def test_stepping_scrubbing_and_hovering_send_no_request(lab: Page) -> None:
    run(lab, SHARED)
    with without_requests(lab):
        lab.get_by_label("Step", exact=True).fill("2")
        expect(lab.locator(".where")).to_have_text("2 of 9")
        lab.get_by_role("button", name="One step back").click()
        expect(lab.locator(".where")).to_have_text("1 of 9")
        node(lab, "z").hover()
        expect(lab.locator(".details .source")).to_have_text("z")
        expect(node(lab, "out")).to_have_class("node operation waiting dim")


def test_play_runs_to_the_last_step_and_stops(lab: Page) -> None:
    run(lab, "x = torch.tensor(2., requires_grad=True)\ny = x * x\ny.backward()")
    lab.get_by_role("button", name="Play", exact=True).click()
    expect(lab.locator(".where")).to_have_text("3 of 3", timeout=30_000)
    expect(lab.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_script_without_a_graph_shows_what_is_missing(lab: Page) -> None:
    run(lab, "x = torch.ones(2)")
    expect(lab.locator(".sentence")).to_contain_text("requires_grad=True")
    expect(lab.locator(".ways")).to_be_hidden()


def test_an_error_of_backward_is_explained(lab: Page) -> None:
    run(lab, "x = torch.ones(2, requires_grad=True)\ny = x * 2\ny.backward()")
    expect(lab.locator(".fault")).to_contain_text("needs a single number")


def test_optimizers_descend_from_a_click_and_on_a_surface_of_the_learners_own(page: Page, address: str) -> None:
    page.goto(f"{address}/autograd?descent-steps=10")  # the least: each step is one more frame for Plotly
    page.get_by_text("Descent", exact=True).click()
    ground = page.locator(".js-plotly-plot .nsewdrag").first
    box = ground.bounding_box()
    assert box is not None
    ground.click(position={"x": box["width"] * 0.75, "y": box["height"] * 0.25})
    expect(page.get_by_role("slider", name="Start x")).to_have_value("2.5")
    expect(page.get_by_role("slider", name="Start y")).to_have_value("1")
    expect(page).to_have_url(re.compile("descent-x-valley=2.5"))
    page.get_by_text("The PyTorch code").click()
    expect(page.get_by_test_id("stCode")).to_contain_text("x = torch.tensor(2.5")
    choose(page, "Surface", "Your own expression")
    field = page.get_by_role("textbox", name="loss(x, y) =")
    field.fill("x**2 + 3 * y**2")
    field.press("Enter")
    expect(page.get_by_text("loss = x**2 + 3 * y**2")).to_be_visible()
    expect(page.locator(".js-plotly-plot .legendtext")).to_have_text(["SGD", "SGD with momentum", "Nesterov", "RMSprop", "Adam", "AdamW"])
    field.fill("x + nothing")
    field.press("Enter")
    expect(page.get_by_text("The name `nothing` is not defined.").or_(page.get_by_text("The name nothing is not defined."))).to_be_visible()


SQUARE = "x = torch.tensor([1., 2.], requires_grad=True)\nc = torch.tensor(3.)\nloss = (x * x).sum() * c\nloss.backward()"


def test_dragging_a_value_updates_loss_and_gradient(lab: Page) -> None:
    run(lab, SQUARE)
    drag(lab, number(lab, "x[1]"), 100)
    expect(number(lab, "x[1]")).to_have_value("4")
    expect(lab.locator(".plot figcaption")).to_have_text("loss as a function of x[1]: 51 at 4, slope = gradient = 24")
    expect(node(lab, "loss")).to_contain_text("51")
    expect(lab.locator(".slope")).to_have_text(["6", "24"])
    expect(lab.locator(".plot .tangent")).to_have_count(1)
    number(lab, "c").fill("-1")
    number(lab, "c").press("Enter")
    expect(lab.locator(".slope")).to_have_text(["−2", "−8"])
    expect(lab.locator(".plot figcaption")).to_have_text("loss as a function of c: −17 at −1; no gradient flows to it")
    lab.get_by_role("button", name="Reset numbers").click()
    expect(lab.locator(".slope")).to_have_text(["6", "12"])
    expect(number(lab, "x[1]")).to_have_value("2")


def test_a_value_can_be_changed_by_arrow_keys_and_on_the_plot(lab: Page) -> None:
    run(lab, SQUARE)
    number(lab, "x[0]").press("ArrowUp")
    expect(number(lab, "x[0]")).to_have_value("1.1")
    expect(lab.locator(".slope").first).to_have_text("6.6")
    picture = lab.locator(".plot svg")
    expect(picture.locator(".curve")).to_have_count(1)
    picture.click(position={"x": 5, "y": 40})
    expect(number(lab, "x[0]")).to_have_value("-1")
    expect(lab.locator(".slope").first).to_have_text("−6")
    held: list[Route] = []
    lab.route("**/api/autograd/curve*", lambda route: held.append(route))
    number(lab, "x[1]").click()
    expect(lab.locator(".plot figcaption")).to_contain_text("x[1]")
    expect(picture.locator("*")).to_have_count(0)  # neither the curve of x[0] nor its axis, while that of x[1] is awaited
    picture.click(position={"x": 5, "y": 40}, force=True)
    until(lambda: lab.evaluate("true") and held)
    held[0].continue_()
    lab.unroute("**/api/autograd/curve*")
    expect(picture.locator(".curve")).to_have_count(1)
    expect(number(lab, "x[1]")).to_have_value("2")


def test_overridden_values_are_in_the_address(lab: Page, page: Page) -> None:
    run_into_address(lab, SQUARE)
    number(lab, "x[0]").fill("5")
    number(lab, "x[0]").press("Enter")
    expect(lab).to_have_url(re.compile("numbers="))
    page.goto(lab.url)
    expect(number(page, "x[0]")).to_have_value("5")
    expect(page.locator(".slope").first).to_have_text("30")
    run(page, SQUARE.replace("* c", "* 2"))
    expect(number(page, "x[0]")).to_have_value("1")


def test_an_edited_example_keeps_its_script_when_a_value_changes(lab: Page) -> None:
    with lab.expect_response("**/api/autograd/run"):
        choose_example(lab, "Paths that meet")
    expect(lab.locator(".lab.busy")).to_have_count(0)
    run_into_address(lab, SQUARE)
    for value, slope in (("5", "30"), ("6", "36")):
        number(lab, "x[0]").fill(value)
        number(lab, "x[0]").press("Enter")
        expect(lab).to_have_url(re.compile(f"numbers=.*{value}"))
        expect(lab.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        expect(lab.locator(".slope").first).to_have_text(slope)
    expect(lab.locator(".cm-content")).to_contain_text("(x * x)")


def test_a_response_does_not_overwrite_a_value_being_typed(lab: Page) -> None:
    run(lab, SQUARE)
    lab.route("**/api/autograd/run", lambda _: None)  # held, not answered
    with lab.expect_request("**/api/autograd/run"):
        number(lab, "x[0]").fill("5")
        number(lab, "x[0]").press("Enter")
    number(lab, "x[1]").fill("7")
    lab.unroute("**/api/autograd/run")  # which lets the held one go
    expect(lab.locator(".slope")).to_have_text(["30", "12"])
    expect(number(lab, "x[1]")).to_have_value("7")
    number(lab, "x[1]").press("Enter")
    expect(lab.locator(".slope")).to_have_text(["30", "42"])


def test_a_reset_value_follows_responses_again(lab: Page) -> None:
    run(lab, SQUARE)
    number(lab, "c").press("End")
    number(lab, "c").press("5")
    number(lab, "c").press("Backspace")
    number(lab, "x[0]").focus()
    number(lab, "c").evaluate("field => { field.value = '9' }")  # what only an answer writes over
    number(lab, "x[0]").fill("5")
    number(lab, "x[0]").press("Enter")
    expect(lab.locator(".slope")).to_have_text(["30", "12"])
    expect(number(lab, "c")).to_have_value("3")


def test_a_value_that_makes_the_script_fail_is_explained(lab: Page) -> None:
    run(lab, "x = torch.tensor(2., requires_grad=True)\nif x < 0:\n    y = nothing\ny = x * 2\ny.backward()")
    number(lab, "x").fill("-1")
    number(lab, "x").press("Enter")
    expect(lab.locator(".fault")).to_contain_text("is not defined")
    number(lab, "x").fill("3")
    number(lab, "x").press("Enter")
    expect(lab.locator(".fault")).to_be_empty()


def test_gradients_are_compared_with_finite_differences(lab: Page) -> None:
    run(lab, SQUARE)
    lab.get_by_role("button", name="Check gradients").click()
    proof = lab.locator(".proof")
    expect(proof.locator(".right")).to_contain_text("agree")
    expect(proof.locator("tr").nth(2)).to_contain_text("x[1]12")
    run(lab, SQUARE.replace("(x * x)", "(x * x.detach())"))
    expect(proof).to_be_empty()
    lab.get_by_role("button", name="Check gradients").click()
    expect(proof.locator("p.wrong")).to_contain_text("disagree")
    expect(proof.locator("pre")).to_contain_text("Jacobian mismatch")


def test_two_branches_are_side_by_side(lab: Page) -> None:
    branch = "x = torch.ones(1, requires_grad=True)\nif torch.rand(()) > 0.5:\n    z = x * 3\nelse:\n    z = x / 3\nz.backward()"
    run(lab, branch)
    expect(lab.locator(".other")).to_be_hidden()
    for _ in range(60):  # one in 2 ** 60 that it takes the same way each time
        with lab.expect_response(re.compile("/api/autograd/run")):
            lab.get_by_role("button", name="Run", exact=True).click()
        expect(lab.locator(".lab.busy")).to_have_count(0)
        if lab.locator(".other .node").count():
            break
    expect(lab.locator(".way .node.operation[aria-label*='MulBackward0']")).to_have_count(1)
    expect(lab.locator(".way .node.operation[aria-label*='DivBackward0']")).to_have_count(1)
    run(lab, SQUARE)
    expect(lab.locator(".other")).to_be_hidden()


def test_the_origin_of_an_infinity_is_shown(lab: Page) -> None:
    run(lab, "x = torch.tensor([0., 1.], requires_grad=True)\ny = x.log()\nz = (y * 2).sum()\nz.backward()")
    expect(lab.locator("p.strange")).to_have_text(
        "The first infinity is the value of y in line 2. The first infinity among the gradients is the one that LogBackward0 passes on."
    )
    expect(node(lab, "y")).to_have_class(re.compile("strange"))
    number(lab, "x[0]").fill("2")
    number(lab, "x[0]").press("Enter")
    expect(lab.locator("p.strange")).to_be_empty()


def test_a_large_graph_is_folded_and_a_click_unfolds_it(lab: Page) -> None:
    run(lab, "x = torch.tensor(1., requires_grad=True)\ny = x\nfor i in range(120):\n    y = y * x + 1\nz = y.sqrt()\nz.backward()")
    loop = lab.locator(".node.group[aria-label^='for i in range(120):, 240 operations']")
    expect(loop).to_be_visible()
    loop.press("Enter")
    expect(lab.locator(".node.group")).to_have_count(12)
    lab.locator(".node.group[aria-label^='turns 1–10']").press("Enter")
    lab.locator(".node.group[aria-label^='turn 1,']").press("Enter")
    expect(lab.locator(".node.operation[aria-label*='MulBackward0']")).to_have_count(1)
    lab.locator(".frame[aria-label^='for i']").press("Enter")
    expect(loop).to_be_visible()


def test_a_pitfall_is_shown_on_the_learners_own_script(lab: Page) -> None:
    run(lab, SHARED)
    lab.get_by_text("Pitfalls", exact=True).click()
    lab.locator(".version").first.wait_for()
    lab.get_by_text("Backward twice", exact=True).click()
    expect(lab.get_by_text(re.compile("Trying to backward through the graph a second time")).first).to_be_visible()
    expect(lab.locator(".version mark").first).to_have_text("out.backward()")
    lab.get_by_text("… with retain_graph").click()
    expect(lab.locator(".version mark").first).to_contain_text("retain_graph=True")
    lab.get_by_role("button", name="Show the graph").first.click()
    expect(lab.locator(".cm-content")).to_contain_text("retain_graph=True")
    expect(lab.locator(".slope")).to_have_text(["4.5"] * 4)  # the first of the two passes
    expect(lab.locator(".passes")).to_contain_text("2 backward passes")


def test_a_pitfall_that_does_not_apply_to_the_script_is_explained(lab: Page) -> None:
    run(lab, "x = torch.ones(2)")
    lab.get_by_text("Pitfalls", exact=True).click()
    lab.get_by_role("button", name="Use an example").click()
    expect(lab.locator(".version").first).to_contain_text("y = x + 2")


def test_the_gradients_of_a_network_are_folded_by_module_and_kept_from_vanishing_by_kaiming_initialisation(lab: Page) -> None:
    lab.get_by_role("radio", name="Network").locator("xpath=..").click()
    expect(lab.get_by_text(re.compile("it vanishes"))).to_be_visible()
    expect(lab.locator(".node.group")).to_have_count(25)  # 12 times Linear and ReLU, and the last Linear; Flatten records nothing
    lab.locator(".node.group[aria-label^='1 Linear']").press("Enter")
    expect(lab.locator(".node.operation[aria-label*='AddmmBackward0']")).to_have_count(1)
    lab.locator(".node.leaf").first.focus()
    expect(lab.locator(".details")).to_contain_text("‖gradient‖")
    lab.get_by_role("button", name="Fold all").click()
    expect(lab.locator(".node.operation[aria-label*='AddmmBackward0']")).to_have_count(0)
    choose(lab, "Weight initialisation", "Kaiming (He)")
    expect(lab.get_by_text(re.compile("every layer can learn"))).to_be_visible()
    lab.get_by_text("The PyTorch code").click()
    expect(lab.get_by_test_id("stCode")).to_contain_text("kaiming_normal_")
