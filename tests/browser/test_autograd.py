"""The Autograd page in a browser: stepping through a graph, overriding values, pitfalls, the race downhill."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from playground.autograd.examples import EXAMPLES
from playground.tensors import link

from ..support.accessibility import check_accessibility
from ..support.controls import pick
from ..support.script_editor import NOTHING, choose_example, run_script, without_requests
from ..support.serving import new_context, to_the_top
from ..support.sizes import SMALLEST, size_faults
from .conftest import KeptPage
from .test_languages import settled
from .test_shell import SHIFTS

SHARED = "x = torch.ones(2, 2, requires_grad=True)\ny = x + 2\nz = y * y * 3\nout = z.mean()\nout.backward()"


@pytest.fixture
def lab(kept: KeptPage, address: str) -> Page:
    """The view of a graph, without one and at rest, on the page that stays open."""
    page = kept.get(f"{address}/autograd")
    page.emulate_media(reduced_motion="reduce")
    page.get_by_text("Graph", exact=True).click()
    expect(page.locator(".lab")).to_be_visible()
    settled(page)
    run(page, NOTHING)
    expect(page.locator(".steps")).to_be_hidden()
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


def gradients(page: Page, name: str = "x") -> Locator:
    return node(page, name).locator(".number.grad")


def press(page: Page, name: str) -> None:
    page.locator(".steps").get_by_role("button", name=name).click()


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
        expect(node(lab, name)).to_have_attribute("aria-label", f"{name}, {operation}")
    expect(gradients(lab)).to_have_text(["4.5"] * 4)
    expect(node(lab, "z").locator(".number.value")).to_have_text(["27"] * 4)
    expect(node(lab, "y").locator(".label")).to_have_text(["value", "grad", "", ""])


def test_steps_follow_the_statements_and_then_the_backward_pass(lab: Page) -> None:
    run(lab, SHARED)
    expect(lab.locator(".where")).to_have_text("0 of 9")
    expect(node(lab, "y")).to_have_class("node operation waiting")
    press(lab, "Step")
    expect(lab.locator(".sentence")).to_have_text("Forward: y = 3   (at [0, 0])")
    expect(lab.locator(".cm-line.cm-lit")).to_have_text("y = x + 2")
    for _ in range(6):
        press(lab, "Step")
    expect(lab.locator(".sentence")).to_have_text("gradient of y * y 0.75 × slope 3 = 2.25 for y   (at [0, 0])")
    press(lab, "Step")
    expect(lab.locator(".sentence")).to_contain_text("gradient of y = 2.25 + 2.25 = 4.5")
    expect(node(lab, "y")).to_have_class("node operation graded current")


def test_no_gradient_is_seen_before_the_backward_pass_has_reached_it(lab: Page) -> None:
    run(lab, SHARED)
    expect(gradients(lab).first).to_be_hidden()
    expect(lab.locator(".one")).not_to_contain_text("4.5")
    expect(lab.locator(".plot .curve")).to_have_count(1)
    expect(lab.locator(".plot .tangent")).to_have_count(0)
    press(lab, "End")
    expect(gradients(lab).first).to_be_visible()
    expect(lab.locator(".one")).to_contain_text("gradient, 4.5")
    expect(lab.locator(".plot .tangent")).to_have_count(1)


def test_nothing_moves_on_a_phone_while_a_view_loads(chromium: Browser, address: str) -> None:
    context = new_context(chromium, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.add_init_script(SHIFTS)
    page = context.new_page()
    shifts = {}
    for view, part in {"Graph": ".plot .curve", "Pitfalls": ".version", "Network": ".node.group"}.items():
        page.goto(f"{address}/autograd?view={view}")
        page.locator(part).first.wait_for()
        page.wait_for_load_state("networkidle")
        settled(page)
        shifts[view] = page.evaluate("window.shifts")
    context.close()
    assert {view: shift for view, shift in shifts.items() if shift >= 0.05} == {}


def test_stepping_scrubbing_and_hovering_send_no_request(lab: Page) -> None:
    run(lab, SHARED)
    expect(lab.locator(".plot .curve")).to_have_count(1)
    with without_requests(lab):
        lab.get_by_role("slider", name="Step").press("End")
        expect(lab.locator(".where")).to_have_text("9 of 9")
        press(lab, "Back")
        expect(lab.locator(".where")).to_have_text("8 of 9")
        press(lab, "Start")
        expect(lab.locator(".where")).to_have_text("0 of 9")
        node(lab, "z").hover()
        expect(lab.locator(".details .source")).to_have_text("z")
        expect(node(lab, "out")).to_have_class("node operation waiting dim")
        node(lab, "z").get_by_role("button").click()
        node(lab, "out").hover()
        expect(lab.locator(".details .source")).to_have_text("out")
        lab.get_by_role("slider", name="Step").hover()
        expect(lab.locator(".details .source")).to_have_text("z")
        expect(lab.locator(".node.pinned")).to_have_count(1)
        node(lab, "z").get_by_role("button", pressed=True).press("Enter")
        expect(lab.locator(".node.pinned")).to_have_count(0)


def test_a_new_graph_plays_once_from_its_start_to_its_end(lab: Page) -> None:
    lab.emulate_media(reduced_motion="no-preference")
    run(lab, "x = torch.tensor(2., requires_grad=True)\ny = x * x\ny.backward()")
    expect(lab.locator(".where")).to_have_text("3 of 3")
    expect(lab.get_by_role("button", name="Play")).to_be_visible()
    press(lab, "Play")
    expect(lab.get_by_role("button", name="Pause")).to_be_visible()
    expect(lab.locator(".where")).to_have_text("3 of 3")


def test_graph_curve_and_sentence_are_in_view_together_and_the_examples_fit_their_editor(lab: Page) -> None:
    to_the_top(lab)
    for name, example in EXAMPLES.items():
        run(lab, example.source)
        press(lab, "End")
        wide, room, height = lab.locator(".cm-scroller").evaluate("box => [box.scrollWidth, box.clientWidth, box.querySelector('.cm-line').offsetHeight]")
        assert wide <= room, f"lines of the example {name} are cut"
        assert lab.locator(".cm-line").evaluate_all("(lines, height) => lines.every((line) => line.offsetHeight === height)", height), name
        expect(lab.locator(".plot .curve")).to_have_count(1)
        for part in (".canvas >> nth=0", ".plot", ".note-of-plot", ".steps", ".sentence"):
            box = lab.locator(part).bounding_box()
            assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 800, f"{part} of the example {name}"
        sizes = lab.locator(".canvas >> nth=0").evaluate(TEXT_SIZES)
        assert min(sizes) >= 12.99, f"text of the example {name} is {min(sizes)} pixels high"


def test_a_projector_shows_a_whole_graph_in_large_type(lab: Page) -> None:
    lab.set_viewport_size({"width": 1920, "height": 1080})
    lab.get_by_role("button", name="Present").click()
    try:
        run(lab, EXAMPLES["neuron"].source)
        press(lab, "End")
        canvas = lab.locator(".canvas >> nth=0")
        assert min(canvas.evaluate(TEXT_SIZES)) >= 20
        outer, last = canvas.bounding_box(), node(lab, "loss").bounding_box()
        assert outer is not None and last is not None and last["x"] + last["width"] < outer["x"] + outer["width"]
    finally:
        lab.get_by_role("button", name="Present").click()
        lab.set_viewport_size({"width": 1280, "height": 800})


TEXT_SIZES = """canvas => {
  const scale = new DOMMatrix(getComputedStyle(canvas.querySelector('.world')).transform).a
  return [...canvas.querySelectorAll('.node *')].filter((part) => part.textContent.trim()).map((part) => scale * parseFloat(getComputedStyle(part).fontSize))
}"""


def test_a_script_without_a_graph_shows_what_is_missing(lab: Page) -> None:
    run(lab, "x = torch.ones(2)")
    expect(lab.locator(".nothing")).to_contain_text("requires_grad=True")
    expect(lab.locator(".steps")).to_be_hidden()
    run(lab, "x = torch.ones(2")
    expect(lab.locator(".nothing")).to_contain_text("The script stopped")
    check_accessibility(lab)


def test_a_graph_without_a_backward_pass_has_the_names_of_the_script_and_says_how_to_go_on(lab: Page) -> None:
    run(lab, "x = torch.ones(2, requires_grad=True)\ny = x * 2")
    press(lab, "End")
    expect(node(lab, "y")).to_be_visible()
    expect(lab.locator(".sentence")).to_contain_text("Call backward() on it")
    expect(lab.locator(".nothing")).to_be_hidden()


def test_an_error_of_backward_is_explained_in_the_place_of_the_curve(lab: Page) -> None:
    run(lab, SQUARE)
    expect(lab.locator(".one")).to_be_visible()
    run(lab, "x = torch.ones(2, requires_grad=True)\ny = x * 2\ny.backward()")
    expect(lab.locator(".fault")).to_contain_text("needs a single number")
    expect(lab.locator(".one")).to_be_hidden()


def test_the_race_is_computed_in_the_browser_and_begins_where_the_circle_is_dragged(lab: Page) -> None:
    lab.get_by_text("Race downhill", exact=True).click()
    race = lab.locator(".race")
    expect(race.locator(".where")).to_have_text("step 200 of 200")  # with reduced motion at its end
    expect(race.locator(".racer .loss")).to_have_text([re.compile(r"\d")] * 6)
    with without_requests(lab):
        race.get_by_role("button", name="Start ▶").or_(race.get_by_role("button", name="◀ Start")).click()
        expect(race.locator(".where")).to_have_text("step 0 of 200")
        race.get_by_role("button", name="Step").click()
        expect(race.locator(".paths polyline").first).to_have_attribute("points", re.compile(r"^\S+ \S+$"))
        ground = race.locator(".ground")
        box = ground.bounding_box()
        assert box is not None
        lab.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.2)
        lab.mouse.down()
        lab.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25, steps=4)
        lab.mouse.up()
        expect(race.get_by_role("button", name=re.compile(r"The start, at x = 2\.5"))).to_be_visible()
    expect(lab).to_have_url(re.compile("descent-start=2.5"))
    race.get_by_role("button", name="SGD with momentum").click()
    expect(race.locator(".racer[aria-pressed=false]")).to_have_count(1)
    expect(lab).to_have_url(re.compile("descent-optimizers="))
    race.get_by_role("button", name="The PyTorch code").click()
    expect(race.locator(".cm-content")).to_contain_text("x = torch.tensor(2.5")
    pick(race, "Steps", "500")
    expect(race.locator(".where")).to_have_text("step 500 of 500")
    expect(lab).to_have_url(re.compile("descent-steps=500"))
    race.get_by_role("slider", name="Learning rate").press("End")
    expect(race.locator(".racer .diverged").first).to_have_text("✕ diverged")
    for _ in range(3):
        lab.go_back()
    expect(race.get_by_role("button", name=re.compile(r"The start, at x = −4\.5 and y = 1\.5"))).to_be_visible()  # no start in the address


def test_the_surface_can_be_seen_in_three_dimensions_and_turned(lab: Page) -> None:
    lab.get_by_text("Race downhill", exact=True).click()
    race = lab.locator(".race")
    expect(race.locator(".where")).to_contain_text("of 200")
    race.get_by_role("button", name="3-D").click()
    landscape = race.locator(".landscape")
    expect(landscape).to_be_visible()
    expect(race.locator(".start-mark")).to_be_hidden()
    before = landscape.evaluate("canvas => canvas.toDataURL()")
    drag(lab, landscape, 60)
    turned = landscape.evaluate("canvas => canvas.toDataURL()")
    landscape.press("ArrowUp")
    assert len({before, turned, landscape.evaluate("canvas => canvas.toDataURL()")}) == 3
    expect(lab).to_have_url(re.compile("descent-view=surface"))
    check_accessibility(lab)
    race.get_by_role("button", name="Map").click()
    expect(race.locator(".start-mark")).to_be_visible()
    expect(lab).not_to_have_url(re.compile("descent-view"))


def test_a_surface_of_the_learners_own_races_on_the_server_and_can_be_tried_again(lab: Page) -> None:
    lab.get_by_text("Race downhill", exact=True).click()
    race = lab.locator(".race")
    pick(race, "Surface", "Your own expression")
    expect(race.locator(".where")).to_have_text("step 100 of 100")
    field = race.get_by_role("textbox", name="loss(x, y) =")
    field.fill("x + nothing")
    field.press("Enter")
    expect(race.locator(".fault")).to_contain_text("The name `nothing` is not defined.")
    with lab.expect_response("**/api/autograd/descend"):
        race.get_by_role("button", name="Try again").click()
    field.fill("x**2 + 3 * y**2")
    field.press("Enter")
    expect(race.locator(".fault")).to_be_empty()
    expect(race.locator(".racer .loss")).to_have_text([re.compile(r"\d")] * 6)


SQUARE = "x = torch.tensor([1., 2.], requires_grad=True)\nc = torch.tensor(3.)\nloss = (x * x).sum() * c\nloss.backward()"


def test_dragging_a_number_in_its_node_updates_loss_and_gradient(lab: Page) -> None:
    run(lab, SQUARE)
    drag(lab, number(lab, "x[1]"), 100)
    expect(number(lab, "x[1]")).to_have_value("4")
    expect(lab.locator(".note-of-plot")).to_have_text("Loss 51 at x[1] = 4. The slope there is the gradient, 24.")
    expect(node(lab, "loss")).to_contain_text("51")
    expect(gradients(lab)).to_have_text(["6", "24"])
    expect(gradients(lab).first).to_be_visible()
    expect(lab.locator(".plot .tangent")).to_have_count(1)
    number(lab, "c").fill("-1")
    number(lab, "c").press("Enter")
    expect(gradients(lab)).to_have_text(["−2", "−8"])
    expect(number(lab, "c")).to_have_value("−1")
    expect(lab.locator(".note-of-plot")).to_have_text("Loss −17 at c = −1. No gradient flows to it.")
    lab.get_by_role("button", name="Reset numbers").click()
    expect(gradients(lab)).to_have_text(["6", "12"])
    expect(number(lab, "x[1]")).to_have_value("2")


def test_a_number_can_be_chosen_changed_by_arrow_keys_and_on_the_plot(lab: Page) -> None:
    run(lab, SQUARE)
    pick(lab, "Number", "x[1]")
    field = lab.get_by_label("Its value, drag or type")
    expect(field).to_have_value("2")
    number(lab, "x[0]").press("ArrowUp")
    expect(number(lab, "x[0]")).to_have_value("1.1")
    expect(field).to_have_value("1.1")
    expect(gradients(lab).first).to_have_text("6.6")
    picture = lab.locator(".plot svg")
    expect(picture.locator(".curve")).to_have_count(1)
    picture.click(position={"x": 5, "y": 40})
    expect(number(lab, "x[0]")).to_have_value("−1")
    expect(gradients(lab).first).to_have_text("−6")


def test_a_number_dragged_beyond_its_curve_asks_for_another_one_once(lab: Page) -> None:
    run(lab, SQUARE)
    expect(lab.locator(".plot .curve")).to_have_count(1)
    curves: list[str] = []
    lab.on("request", lambda request: curves.append(request.url) if "autograd/curve" in request.url else None)
    drag(lab, number(lab, "x[0]"), 400)
    expect(gradients(lab).first).to_have_text("30")
    expect(lab.locator(".plot .tick").nth(3)).to_have_text("15")
    assert len(curves) == 1


def test_a_curve_that_fails_says_why_and_can_be_tried_again(lab: Page) -> None:
    lab.route("**/api/autograd/curve*", lambda route: route.fulfill(status=503, json={"error": "The server was busy."}))
    run(lab, SQUARE)
    expect(lab.locator(".plot")).to_contain_text("The server was busy.")
    lab.unroute("**/api/autograd/curve*")
    lab.locator(".plot").get_by_role("button", name="Try again").click()
    expect(lab.locator(".plot .curve")).to_have_count(1)


def test_overridden_values_are_in_the_address(lab: Page, page: Page) -> None:
    run_into_address(lab, SQUARE)
    number(lab, "x[0]").fill("5")
    number(lab, "x[0]").press("Enter")
    expect(lab).to_have_url(re.compile("numbers="))
    page.goto(lab.url)
    expect(number(page, "x[0]")).to_have_value("5")
    expect(gradients(page).first).to_have_text("30")
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
        expect(gradients(lab).first).to_have_text(slope)
    expect(lab.locator(".cm-content")).to_contain_text("(x * x)")


def test_a_response_does_not_overwrite_a_value_being_typed(lab: Page) -> None:
    run(lab, SQUARE)
    lab.route("**/api/autograd/run", lambda _: None)  # held, not answered
    with lab.expect_request("**/api/autograd/run"):
        number(lab, "x[0]").fill("5")
        number(lab, "x[0]").press("Enter")
    number(lab, "x[1]").fill("7")
    lab.unroute("**/api/autograd/run")  # which lets the held one go
    expect(gradients(lab)).to_have_text(["30", "12"])
    expect(number(lab, "x[1]")).to_have_value("7")
    number(lab, "x[1]").press("Enter")
    expect(gradients(lab)).to_have_text(["30", "42"])


def test_a_late_response_to_a_number_does_not_bring_back_the_script_before(lab: Page) -> None:
    run(lab, SQUARE)
    held: list[Route] = []
    lab.route("**/api/autograd/run", lambda route: route.continue_() if held else held.append(route))
    with lab.expect_request("**/api/autograd/run"):
        number(lab, "c").fill("5")
        number(lab, "c").press("Tab")
    run(lab, NOTHING)
    expect(lab.locator(".steps")).to_be_hidden()
    with lab.expect_response("**/api/autograd/run") as response:
        held[0].continue_()
    response.value.finished()
    lab.evaluate("() => new Promise((taken) => requestAnimationFrame(() => setTimeout(taken)))")
    assert lab.locator(".steps").is_hidden()
    lab.unroute("**/api/autograd/run")


def test_a_reset_value_follows_responses_again(lab: Page) -> None:
    run(lab, SQUARE)
    number(lab, "c").press("End")
    number(lab, "c").press("5")
    number(lab, "c").press("Backspace")
    number(lab, "x[0]").focus()
    number(lab, "c").evaluate("field => { field.value = '9' }")  # what only an answer writes over
    number(lab, "x[0]").fill("5")
    number(lab, "x[0]").press("Enter")
    expect(gradients(lab)).to_have_text(["30", "12"])
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
    expect(lab.locator("p.origin")).to_have_text(
        "The first infinity is the value of y in line 2. The first infinity among the gradients is the one that LogBackward0 passes on."
    )
    expect(node(lab, "y")).to_have_class(re.compile("strange"))
    number(lab, "x[0]").fill("2")
    number(lab, "x[0]").press("Enter")
    expect(lab.locator("p.origin")).to_be_empty()


def test_a_large_graph_is_folded_and_a_click_unfolds_it(lab: Page) -> None:
    run(lab, "x = torch.tensor(1., requires_grad=True)\ny = x\nfor i in range(120):\n    y = y * x + 1\nz = y.sqrt()\nz.backward()")
    loop = lab.locator(".node.group[aria-label^='for i in range(120):, 240 operations']")
    expect(loop).to_be_visible()
    loop.locator(".title").press("Enter")
    expect(lab.locator(".node.group")).to_have_count(12)
    lab.locator(".node.group[aria-label^='turns 1–10'] .title").press("Enter")
    lab.locator(".node.group[aria-label^='turn 1,'] .title").press("Enter")
    expect(lab.locator(".way:not(.other) .node.operation[aria-label*='MulBackward0']")).to_have_count(1)
    lab.get_by_role("button", name=re.compile("^for i.*unfolded")).press("Enter")
    expect(loop).to_be_visible()


def test_a_pitfall_is_shown_on_the_learners_own_script(lab: Page) -> None:
    run_into_address(lab, SHARED)
    lab.get_by_text("Pitfalls", exact=True).click()
    lab.get_by_text("Backward twice", exact=True).click()
    expect(lab.get_by_text(re.compile("Trying to backward through the graph a second time")).first).to_be_visible()
    assert size_faults(lab, SMALLEST) == []
    expect(lab.locator(".version.wrong mark")).to_have_text("out.backward()")
    lab.get_by_text("… with retain_graph").click()
    expect(lab.locator(".version.wrong mark").first).to_contain_text("retain_graph=True")
    lab.get_by_role("radio", name="Your script").click()
    expect(lab.locator(".version mark")).to_have_count(0)
    lab.get_by_role("radio", name=re.compile("^✕ ")).click()
    lab.get_by_role("button", name="Show the graph").click()
    expect(lab.locator(".cm-content")).to_contain_text("retain_graph=True")
    expect(gradients(lab)).to_have_text(["4.5"] * 4)
    expect(lab.locator(".passes")).to_contain_text("2 backward passes")


def test_a_pitfall_that_does_not_apply_to_the_script_is_explained(lab: Page) -> None:
    run_into_address(lab, "x = torch.ones(2)")
    lab.get_by_text("Pitfalls", exact=True).click()
    lab.get_by_role("button", name="Use an example").click()
    expect(lab.locator(".version").first).to_contain_text("y = x + 2")


def test_the_gradients_of_a_network_are_folded_by_module_and_kept_from_vanishing_by_kaiming_initialisation(lab: Page) -> None:
    lab.get_by_text("Whole network", exact=True).click()
    expect(lab.get_by_text(re.compile("it vanishes"))).to_be_visible()
    expect(lab.locator(".node.group")).to_have_count(25)  # 12 times Linear and ReLU, and the last Linear; Flatten records nothing
    lab.locator(".node.group[aria-label^='1 Linear'] .title").press("Enter")
    expect(lab.locator(".node.operation[aria-label*='AddmmBackward0']")).to_have_count(1)
    lab.locator(".node.leaf .title").first.focus()
    expect(lab.locator(".details")).to_contain_text("‖gradient‖")
    lab.get_by_role("button", name="Fold all").click()
    expect(lab.locator(".node.operation[aria-label*='AddmmBackward0']")).to_have_count(0)
    choose(lab, "Weight initialisation", "Kaiming (He)")
    expect(lab.get_by_text(re.compile("every layer can learn"))).to_be_visible()
    lab.get_by_text("The PyTorch code").click()
    expect(lab.get_by_test_id("stCode")).to_contain_text("kaiming_normal_")
