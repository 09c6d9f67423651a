"""Advice: each rule applies where it should and nowhere else, and its fixes remove it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from playground.data.catalogue import dataset_info
from playground.glossary import BY_NAME
from playground.network.advice import MAX_PER_KIND, Advice, advise
from playground.network.presets import load_presets
from playground.network.spec import MAX_LAYERS, NetworkSpec
from playground.network.totals import compute_totals
from playground.network.trace import fits, trace

from ..support.tiers import repetitions
from .stacks import BATCH, Layer, network, run, stacks

MARKED = re.compile(r"\[\[(.+?)\]\]")
"""A term of the glossary; another text stands before a bar."""
MNIST = dataset_info("mnist")
IMAGE = (1, 28, 28)
HEAD = (Layer("Flatten"), Layer("Linear", {"out_features": 10}))
TEN = Layer("Linear", {"out_features": 10})
PRESETS = load_presets().networks
LENET = PRESETS["lenet-5"]
LENET_32 = replace(LENET, input_shape=(1, 32, 32), layers=(Layer("Conv2d", {"out_channels": 6, "kernel_size": 5}), *LENET.layers[1:]))
"""As it was published, for 32×32 pixels."""


def advice(spec: NetworkSpec, dataset: str | None = None, batch_size: int = 64, memory: int | None = None) -> list[Advice]:
    return advise(spec, trace(spec), dataset_info(dataset) if dataset else None, batch_size, memory)


def kinds(items: list[Advice]) -> list[tuple[str, int | None]]:
    return [(item.kind, item.layer) for item in items]


def image(*layers: Layer) -> NetworkSpec:
    return network(IMAGE, *layers)


CASES = [
    ("softmax-before-loss", image(*HEAD, Layer("Softmax")), 2, ["Leave out Softmax at the end"], image(Layer("Flatten"), Layer("Softmax"), TEN)),
    ("softmax-before-loss", image(*HEAD, Layer("Sigmoid"), Layer("Dropout")), 2, ["Leave out Sigmoid at the end"], image(*HEAD)),
    ("activation-last", image(*HEAD, Layer("ReLU")), 2, ["Leave out ReLU at the end"], image(*HEAD, Layer("Softmax"))),
    ("activation-last", image(*HEAD, Layer("Tanh"), Layer("Dropout"), Layer("ReLU")), 4, ["Leave out Tanh and ReLU at the end"], image(Layer("Tanh"), *HEAD)),
    ("dropout-on-output", image(*HEAD, Layer("Dropout")), 2, ["Leave out this Dropout layer"], image(Layer("Dropout"), *HEAD)),
    (
        "no-activation",
        image(Layer("Flatten"), Layer("Linear"), Layer("Dropout"), TEN),
        3,
        ["Put a ReLU layer after layer 1 (Linear)"],
        image(Layer("Flatten"), Layer("Linear"), Layer("GELU"), TEN),
    ),
    (
        "no-activation",
        image(Layer("Conv2d"), Layer("BatchNorm2d"), Layer("AvgPool2d"), Layer("Conv2d")),
        3,
        ["Put a ReLU layer after layer 1 (BatchNorm2d)"],
        image(Layer("Conv2d"), Layer("MaxPool2d"), Layer("Conv2d")),
    ),
    (
        "no-activation",
        image(Layer("Flatten"), Layer("Linear"), Layer("Linear"), Layer("Conv2d")),
        2,
        ["Put a ReLU layer after layer 1 (Linear)"],
        image(Layer("Linear"), Layer("Linear")),
    ),
    ("no-activation", image(Layer("Conv2d"), *HEAD), 2, ["Put a ReLU layer after layer 0 (Conv2d)"], image(Layer("ResidualBlock"), *HEAD)),
    (
        "vanishing-gradients",
        network((8,), *[Layer("Linear"), Layer("Tanh")] * 6, TEN),
        1,
        ["Use ReLU in place of all of them"],
        network((8,), *[Layer("Linear"), Layer("Tanh")] * 5, TEN),
    ),
    ("rows-dropped", network((1, 11, 11), Layer("MaxPool2d")), 0, ["Set padding to 1", "Set kernel_size to 3"], network((1, 12, 12), Layer("MaxPool2d"))),
    (
        "rows-dropped",
        network((1, 12, 13), Layer("Conv2d", {"stride": 4})),
        0,
        ["Set padding to 2"],
        network((1, 28, 28), Layer("Conv2d", {"stride": 2, "padding": 1})),
    ),
    (
        "one-layer-dominates",
        image(Layer("Conv2d"), Layer("ReLU"), Layer("Flatten"), Layer("Linear", {"out_features": 32}), Layer("ReLU"), Layer("Linear")),
        3,
        [],
        image(Layer("Flatten"), Layer("Linear", {"out_features": 12}), Layer("ReLU"), TEN),
    ),
    (
        "one-layer-dominates",
        PRESETS["tutorial-cnn"],
        7,
        ["Put a MaxPool2d layer before layer 6 (Flatten)"],
        image(Layer("Flatten"), Layer("Linear", {"out_features": 1000})),
    ),
    (
        "bias-before-batch-norm",
        image(Layer("Conv2d"), Layer("BatchNorm2d")),
        0,
        ["Set bias to False"],
        image(Layer("Conv2d", {"bias": False}), Layer("BatchNorm2d")),
    ),
    (
        "bias-before-batch-norm",
        network((4,), Layer("Linear"), Layer("BatchNorm1d")),
        0,
        ["Set bias to False"],
        network((4,), Layer("ReLU"), Layer("BatchNorm1d")),
    ),
]


@pytest.mark.parametrize(("kind", "spec", "layer", "titles", "without"), CASES, ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)])
def test_a_rule_gives_advice_only_where_it_applies(kind: str, spec: NetworkSpec, layer: int | None, titles: list[str], without: NetworkSpec) -> None:
    items = [item for item in advice(spec) if item.kind == kind]
    assert kinds(items) == [(kind, layer)]
    assert [fix.title for fix in items[0].fixes] == titles
    assert kind not in dict(kinds(advice(without)))


@pytest.mark.parametrize(
    ("dataset", "spec", "expected"),
    [
        ("mnist", PRESETS["tutorial-cnn"], set()),
        ("mnist", PRESETS["cifar-cnn"], {("wrong-input", None)}),
        ("mnist", image(Layer("Flatten"), Layer("Linear", {"out_features": 3})), {("wrong-output", 1)}),
        ("mnist", image(Layer("Conv2d")), {("wrong-output", 0)}),
        ("mnist", image(Layer("ReLU")), {("wrong-output", 0), ("nothing-to-learn", None)}),
        ("mnist", image(Layer("Flatten"), Layer("Conv2d")), set()),
        (None, image(Layer("Flatten"), Layer("Linear", {"out_features": 3})), set()),
        (None, image(Layer("Flatten")), {("nothing-to-learn", None)}),
    ],
    ids=["fits", "input", "units", "image-out", "nothing", "broken", "no-data", "nothing-and-no-data"],
)
def test_input_and_output_are_compared_with_the_data_set(dataset: str | None, spec: NetworkSpec, expected: set[tuple[str, int | None]]) -> None:
    assert {item for item in kinds(advice(spec, dataset)) if item[0] in ("wrong-input", "wrong-output", "nothing-to-learn")} == expected


@pytest.mark.parametrize(
    ("spec", "fixes"),
    [
        (LENET_32, ["Set the input shape to (1, 28, 28) and padding of layer 0 to 2"]),
        (PRESETS["cifar-cnn"], ["Set the input shape to (1, 28, 28) and padding of layer 0 to 2", "Set the input shape to (1, 28, 28)"]),
        (network((784,), TEN), ["Set the input shape to (1, 28, 28) and put a Flatten layer first"]),
        (network((3, 32, 32), *HEAD), ["Set the input shape to (1, 28, 28)"]),
        (network((1, 99, 99), Layer("Conv2d", {"kernel_size": 31}), *HEAD), []),
    ],
    ids=["padding", "padding or not", "a vector", "no window", "too small"],
)
def test_a_fix_lets_the_network_take_the_images(spec: NetworkSpec, fixes: list[str]) -> None:
    item = next(item for item in advice(spec, "mnist") if item.kind == "wrong-input")
    assert [fix.title for fix in item.fixes] == fixes
    assert all(fits(fix.apply(spec), IMAGE, 10) for fix in item.fixes)


@pytest.mark.parametrize("kind", ["wrong-output", "nothing-to-learn"])
def test_a_fix_gives_the_network_one_output_for_each_class(kind: str) -> None:
    spec = image(Layer("ReLU"))
    item = next(item for item in advice(spec, "mnist") if item.kind == kind)
    assert [fix.title for fix in item.fixes] == ["Add Flatten and Linear with 10 outputs at the end"]
    assert run(item.fixes[0].layers, IMAGE).shape == (BATCH, 10)


NORMED = network((8,), Layer("Linear"), Layer("BatchNorm1d"), Layer("ReLU"), TEN)


def test_batch_normalisation_with_a_batch_size_of_1_gets_advice() -> None:
    items = [item for item in advice(NORMED, batch_size=1) if item.kind == "batch-norm-of-one"]
    assert kinds(items) == [("batch-norm-of-one", 1)] and [fix.title for fix in items[0].fixes] == ["Use LayerNorm here"]
    assert "batch-norm-of-one" not in dict(kinds(advice(NORMED, batch_size=2)))
    blocks = [item for item in advice(image(Layer("ResidualBlock")), batch_size=1) if item.kind == "batch-norm-of-one"]
    assert kinds(blocks) == [("batch-norm-of-one", 0)] and blocks[0].fixes == ()


def test_a_network_too_large_for_the_device_gets_advice() -> None:
    spec = PRESETS["tutorial-cnn"]
    counts = compute_totals(trace(spec))
    memory = counts.parameters * 16 + counts.activation_bytes // 4 * 64 * 8
    assert "too-large-for-device" not in dict(kinds(advice(spec, memory=memory)))
    assert ("too-large-for-device", None) in kinds(advice(spec, memory=memory - 1))
    assert "too-large-for-device" not in dict(kinds(advice(spec, memory=None)))
    assert "too-large-for-device" not in dict(kinds(advice(spec, batch_size=32, memory=memory - 1)))


def test_advice_contains_the_numbers_of_the_network() -> None:
    texts = {item.kind: item.text + item.reason for item in advice(PRESETS["tutorial-cnn"], "mnist")}
    assert "(800 + 1)·128 = 102,528" in texts["one-layer-dominates"] and "94\N{NARROW NO-BREAK SPACE}%" in texts["one-layer-dominates"]
    assert "(11 + 2·0 − 2) / 2 leaves 1" in texts["rows-dropped"] and "1 px at the bottom and 1 px at the right" in texts["rows-dropped"]
    assert "about 5.3 GB, but the device has 3.0 GB" in advice(image(Layer("Conv2d", {"out_channels": 1024})), batch_size=1024, memory=3 * 2**30)[0].text


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_get_only_minor_advice(name: str) -> None:
    assert {item.kind for item in advice(PRESETS[name])} <= {"rows-dropped", "one-layer-dominates", "no-activation"}


def test_repeated_advice_is_limited() -> None:
    spec = network((8,), *[Layer("Linear", {"out_features": 8})] * MAX_LAYERS)
    assert kinds(advice(spec)) == [("no-activation", index) for index in range(1, MAX_PER_KIND + 1)]


@settings(max_examples=repetitions(300))
@given(stacks, st.sampled_from(["mnist", None]), st.sampled_from([1, 64]))
def test_a_fix_removes_its_advice_and_breaks_no_layer(spec: NetworkSpec, dataset: str | None, batch_size: int) -> None:
    items = advice(spec, dataset, batch_size)
    times = Counter(item.kind for item in items)
    assert max(times.values(), default=0) <= MAX_PER_KIND
    is_unreachable = [step.out_shape is None for step in trace(spec)]
    for item in items:
        assert item.text.endswith(".") and item.reason.endswith(".")
        assert all(term.split("|")[-1] in BY_NAME for term in MARKED.findall(item.reason))
        event(f"{item.kind}: {len(item.fixes)} fixes")
        for fix in item.fixes:
            fixed = fix.apply(spec)
            fitting = len(fixed.layers) - sum(is_unreachable)
            run(fixed.layers[:fitting], fixed.input_shape)
            after = Counter(other.kind for other in advice(fixed, dataset, batch_size))
            assert after[item.kind] < times[item.kind] or times[item.kind] == MAX_PER_KIND
