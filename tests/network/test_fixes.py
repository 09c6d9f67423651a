"""Fixes for networks that do not fit: every one works, which is checked by running the network in PyTorch."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from playground.data.catalogue import dataset_info
from playground.network.advice import advise
from playground.network.fixes import Fix, divisors
from playground.network.spec import MAX_LAYERS, NetworkSpec
from playground.network.trace import trace

from ..support.tiers import repetitions
from .stacks import BATCH, Layer, network, run, stacks, without_misfits


def works(spec: NetworkSpec, fixed: NetworkSpec, broken: int) -> bool:
    """Return whether PyTorch and the trace run a fixed network up to and including the layer that did not fit."""
    behind = len(spec.layers) - broken - 1
    run(fixed.layers[: len(fixed.layers) - behind], fixed.input_shape)
    return all(step.out_shape for step in trace(fixed)[: len(fixed.layers) - behind])


def output_fixes(spec: NetworkSpec, classes: int) -> tuple[Fix, ...]:
    """Return the fixes of the hint that the output does not have one score for each class; () where there is no such hint."""
    dataset = replace(dataset_info("mnist"), classes=tuple(map(str, range(classes))))
    return next((hint.fixes for hint in advise(spec, trace(spec), dataset, 64, None) if hint.kind == "wrong-output"), ())


@settings(max_examples=repetitions(520))
@given(stacks)
def test_every_fix_makes_the_layer_fit(spec: NetworkSpec) -> None:
    broken = next((step for step in trace(spec) if step.error), None)
    assume(broken)
    assert len(spec.layers) == 1 or broken.fixes
    assert len({fix.layers for fix in broken.fixes}) == len(broken.fixes)
    for fix in broken.fixes:
        event(f"{broken.layer.type}: {fix.title.split(' layer ')[0].rstrip('0123456789')}")
        assert works(spec, spec.with_layers(fix.layers), broken.index)


@settings(max_examples=repetitions(200))
@given(stacks, st.integers(1, 12))
def test_every_output_fix_gives_one_output_for_each_class(stack: NetworkSpec, classes: int) -> None:
    spec = without_misfits(stack)
    assume(spec)
    fixes = output_fixes(spec, classes)
    assert bool(fixes) == (trace(spec)[-1].out_shape != (classes,))
    for fix in fixes:
        assert run(fix.layers, spec.input_shape).shape == (BATCH, classes)


@pytest.mark.parametrize(
    ("layers", "titles"),
    [
        ((Layer("Linear"),), ["Set out_features of layer 0 to 10", "Add Linear with 10 outputs at the end"]),
        ((Layer("Linear"), Layer("Softmax")), ["Set out_features of layer 0 to 10", "Add Linear with 10 outputs at the end"]),
        ((Layer("Linear"), Layer("ReLU")), ["Add Linear with 10 outputs at the end", "Set out_features of layer 0 to 10"]),
        ((Layer("ReLU"),), ["Add Linear with 10 outputs at the end"]),
        ((Layer("Linear", {"out_features": 10}),), []),
        ((Layer("Conv2d"),), []),
    ],
    ids=["last", "behind-softmax", "unfinished", "none", "right", "broken"],
)
def test_an_output_fix_changes_the_layer_that_computes_the_logits(layers: tuple[Layer, ...], titles: list[str]) -> None:
    assert [fix.title for fix in output_fixes(network((4,), *layers), 10)] == titles


TITLES = [
    (network((1, 28, 28), Layer("Linear")), ["Put a Flatten layer before it: a vector of 784 values", "Put a PatchEmbedding layer before it"]),
    (network((1, 28, 28), Layer("BatchNorm1d")), ["Use BatchNorm2d here", "Put a Flatten"]),
    (network((10,), Layer("BatchNorm2d")), ["Use BatchNorm1d here"]),
    (network((1, 28, 28), Layer("PatchEmbedding"), Layer("BatchNorm1d")), ["Use LayerNorm", "Put a TokenMean", "Put a Flatten", "Leave this layer"]),
    (network((1, 28, 28), Layer("TransformerEncoderLayer")), ["Put a PatchEmbedding"]),
    (network((1, 28, 28), Layer("Flatten"), Layer("Conv2d")), ["Leave out layer 0 (Flatten)", "Move this layer before layer 0", "Leave this layer out"]),
    (network((1, 28, 28), Layer("Flatten"), Layer("Linear"), Layer("Conv2d")), ["Move this layer before layer 0 (Flatten)", "Leave this layer out"]),
    (
        network((1, 28, 28), Layer("Flatten"), Layer("TransformerEncoderLayer", {"nhead": 5})),
        ["Use PatchEmbedding in place of layer 0", "Leave this layer out"],
    ),
    (network((1, 28, 28), Layer("PatchEmbedding", {"patch_size": 5})), ["Set patch_size to 4", "Set patch_size to 7", "Put an Adaptive"]),
    (network((1, 20, 28), Layer("PatchEmbedding")), ["Put an AdaptiveAvgPool2d layer before it: 20×20 pixels"]),
    (
        network((1, 28, 28), Layer("PatchEmbedding", {"embed_dim": 9}), Layer("TransformerEncoderLayer")),
        ["Set nhead to 3", "Set nhead to 9", "Set embed_dim of layer 0 to 12", "Leave this"],
    ),
    (
        network((1, 5, 8), Layer("Conv2d", {"kernel_size": 7})),
        ["Set kernel_size to 5", "Set kernel_size to 3", "Set padding to 1"],
    ),
    (network((1, 5, 8), Layer("Conv2d", {"dilation": 4})), ["Set dilation to 2", "Set kernel_size to 2", "Set padding to 2", "Set dilation to 1"]),
    (
        network((1, 5, 8), Layer("Conv2d", {"padding": 9, "padding_mode": "reflect"})),
        ["Set padding to 1", "Set padding to 4", "Set padding_mode to zeros", "Set padding to 0"],
    ),
    (network((1, 5, 5), Layer("Conv2d", {"kernel_size": 31, "dilation": 8})), ["Set kernel_size to 1", "Set kernel_size to 5, dilation to 1"]),
    (network((1, 8, 8), Layer("MaxPool2d", {"padding": 2})), ["Set padding to 1", "Set padding to 0"]),
    (network((1, 1, 1), Layer("ReLU"), Layer("AvgPool2d")), ["Leave this pooling layer out", "Set padding to 1", "Set kernel_size to 1"]),
    (
        network((1, 8, 8), Layer("MaxPool2d"), Layer("ReLU"), Layer("Conv2d", {"kernel_size": 5})),
        ["Set kernel_size to 4", "Set kernel_size to 3", "Set padding to 1", "Leave out layer 0 (MaxPool2d)", "Leave this layer out"],
    ),
]


@pytest.mark.parametrize(("spec", "titles"), TITLES, ids=[str(number) for number in range(len(TITLES))])
def test_fixes_are_ordered_best_first(spec: NetworkSpec, titles: list[str]) -> None:
    step = trace(spec)[-1]
    assert len(step.fixes) == len(titles), [fix.title for fix in step.fixes]
    assert all(fix.title.startswith(title) for fix, title in zip(step.fixes, titles, strict=True)), [fix.title for fix in step.fixes]
    assert all(works(spec, spec.with_layers(fix.layers), step.index) for fix in step.fixes)


def test_fixes_after_which_every_layer_fits_come_first() -> None:
    layers = (Layer("Conv2d", {"kernel_size": 7}), Layer("MaxPool2d"), Layer("Conv2d"))
    assert [fix.title for fix in trace(network((1, 6, 6), *layers))[0].fixes] == [
        "Leave this layer out",  # 6 → 3 → 1
        "Set kernel_size to 6",
        "Set kernel_size to 3",
        "Set padding to 1",
    ]


def test_some_misfits_have_no_fix() -> None:
    assert trace(network((10,), Layer("Conv2d")))[0].fixes == ()


def test_a_fix_never_exceeds_the_maximum_number_of_layers() -> None:
    full = network((1, 8, 8), *[Layer("ReLU")] * (MAX_LAYERS - 1), Layer("Linear"))
    assert [fix.title for fix in trace(full)[-1].fixes] == ["Leave this layer out"]
    one_less = full.with_layers(full.layers[1:])
    assert "Put a Flatten layer before it: a vector of 64 values" in [fix.title for fix in trace(one_less)[-1].fixes]


def test_divisors_are_sorted_and_bounded() -> None:
    assert divisors(28, 32) == [1, 2, 4, 7, 14, 28]
    assert divisors(28, 7) == [1, 2, 4, 7]
