"""The catalogue of layers against the signatures of PyTorch's classes."""

from __future__ import annotations

import inspect
from typing import get_type_hints

import pytest
import torch
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from torch import nn

from playground.errors import UnknownName
from playground.glossary import BY_NAME
from playground.network.catalogue import LAYERS, Settings, layer_type
from playground.network.trace import construct, layer_class, trace
from playground.network.types import LayerType, Param

from ..support.tiers import repetitions
from .stacks import BATCH, Layer, layer_of, network

OTHER_DEFAULTS = {
    ("MaxPool2d", "stride"): 2,  # torch: None, “as large as the kernel”, which for the default kernel is 2
    ("AvgPool2d", "stride"): 2,  # likewise
    ("TransformerEncoderLayer", "dim_feedforward"): 128,  # torch: 2048, far too wide for small images
}
"""Where the playground's default is not torch's, on purpose."""

FITTED = {"MaxPool2d", "AvgPool2d"}
"""Kinds whose stride default stands for the kernel's size."""

each_layer = pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.name)
each_param = pytest.mark.parametrize(("kind", "param"), [(kind, param) for kind in LAYERS for param in kind.params], ids=lambda item: item.name)


def signature(kind: LayerType) -> dict[str, inspect.Parameter]:
    """The arguments with a name of their own: a class without a constructor shows `*args` and `**kwargs`."""
    parameters = inspect.signature(layer_class(kind.target)).parameters
    return {name: parameter for name, parameter in parameters.items() if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)}


def passed(kind: LayerType) -> list[str]:
    """The arguments that the playground passes."""
    return [param.name for param in kind.params] + [name for name, _ in kind.inferred] + [name for name, _ in kind.fixed]


@each_layer
def test_every_parameter_is_an_argument_of_the_torch_class(kind: LayerType) -> None:
    assert set(passed(kind)) <= set(signature(kind))


@each_layer
def test_terms_are_in_the_glossary(kind: LayerType) -> None:
    assert {kind.term, *(param.term for param in kind.params)} <= {"", *BY_NAME}


@each_layer
def test_no_argument_is_passed_twice(kind: LayerType) -> None:
    assert len(passed(kind)) == len(set(passed(kind)))


@each_layer
def test_every_required_argument_is_passed(kind: LayerType) -> None:
    required = {name for name, parameter in signature(kind).items() if parameter.default is inspect.Parameter.empty}
    assert required <= set(passed(kind))


@each_layer
def test_the_parameter_name_is_that_of_the_torch_class(kind: LayerType) -> None:
    assert kind.target.rsplit(".", 1)[1] == kind.name == layer_class(kind.target).__name__


@each_param
def test_the_default_of_a_parameter_is_that_of_torch(kind: LayerType, param: Param) -> None:
    theirs = signature(kind)[param.name].default
    if (kind.name, param.name) in OTHER_DEFAULTS:
        assert param.default == OTHER_DEFAULTS[kind.name, param.name] != theirs
    elif theirs is not inspect.Parameter.empty:
        assert param.default == theirs
        assert type(param.default) is type(theirs)


@pytest.mark.parametrize("name", sorted(FITTED))
def test_the_default_stride_of_pooling_is_its_default_kernel_size(name: str) -> None:
    settings = layer_type(name).settings({})
    assert settings["stride"] == settings["kernel_size"]


@each_param
def test_the_default_of_a_parameter_is_valid(kind: LayerType, param: Param) -> None:
    assert param.problem(param.default) == ""


@each_param
def test_the_bounds_of_a_parameter_are_valid_and_values_beyond_are_not(kind: LayerType, param: Param) -> None:
    if param.kind in ("int", "float"):
        number = int if param.kind == "int" else float
        assert param.low < param.high
        assert param.problem(number(param.low)) == param.problem(number(param.high)) == ""
        assert param.problem(number(param.low) - 1) and param.problem(number(param.high) + 1)
    elif param.kind == "choice":
        assert [choice for choice in param.choices if param.problem(choice)] == []
        assert param.problem("no such choice")


@each_param
@pytest.mark.parametrize("value", [None, "7", [3], {}, float("nan"), float("inf"), 10**400], ids=["null", "text", "list", "object", "nan", "inf", "huge"])
def test_values_of_another_type_are_refused(kind: LayerType, param: Param, value: object) -> None:
    assert param.name in param.problem(value)


@each_param
def test_only_boolean_parameters_accept_true(kind: LayerType, param: Param) -> None:
    assert bool(param.problem(True)) == (param.kind != "bool")


def test_every_problem_of_a_layer_is_listed() -> None:
    problems = layer_type("Conv2d").problems({"kernel_size": 0, "bias": 1, "colour": "red"})
    assert len(problems) == 3
    assert {name for name in ("kernel_size", "bias", "colour") if any(name in problem for problem in problems)} == {"kernel_size", "bias", "colour"}


def test_settings_are_completed_with_defaults() -> None:
    assert layer_type("Linear").settings({"out_features": 3}) == {"out_features": 3, "bias": True}


def test_the_declared_settings_have_the_types_of_the_catalogue() -> None:
    declared = get_type_hints(Settings)
    types = {"int": int, "float": float, "bool": bool, "choice": str}
    params = [param for kind in LAYERS for param in kind.params]
    assert {param.name: types[param.kind] for param in params if param.name in declared} == declared


def test_the_error_for_an_unknown_layer_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"Conv3d.*Conv2d.*Linear"):
        layer_type("Conv3d")


def test_names_are_unique() -> None:
    assert len({kind.name for kind in LAYERS}) == len(LAYERS)


INSIDE = {
    ("TransformerEncoderLayer", "nhead"): "self_attn.num_heads",
    ("TransformerEncoderLayer", "dim_feedforward"): "linear1.out_features",
    ("TransformerEncoderLayer", "dropout"): "dropout.p",
    ("ResidualBlock", "out_channels"): "body.3.out_channels",
    ("ResidualBlock", "stride"): "body.0.stride",
    ("PatchEmbedding", "embed_dim"): "project.out_channels",
    ("PatchEmbedding", "patch_size"): "project.kernel_size",
}
"""Where a module keeps an argument under another name, or in a part of it."""
SHAPES = {1: st.just((12,)), 2: st.just((4, 12)), 3: st.sampled_from([(3, 12, 12), (1, 9, 16), (2, 5, 5)])}
"""Inputs of each rank."""


def setting(module: nn.Module, kind: str, name: str) -> object:
    """What a built module works with: a pair of equal numbers counts as the one that was given."""
    value: object = module
    for part in INSIDE.get((kind, name), name).split("."):
        value = getattr(value, part)
    if name == "bias":
        return value is not None
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


@settings(max_examples=repetitions(400))
@given(st.sampled_from(LAYERS), st.data())
def test_a_constructed_layer_is_that_of_torch(kind: LayerType, data: st.DataObject) -> None:
    """Its settings, its parameters and the shape of a real forward pass."""
    layer, shape = data.draw(layer_of(kind.name)), data.draw(st.sampled_from(kind.ranks).flatmap(SHAPES.__getitem__))
    if len(shape) == 2:
        tokens = Layer("PatchEmbedding", {"embed_dim": 12, "patch_size": 2})
        step = trace(network((1, 4, 4), tokens, layer))[1]
    else:
        step = trace(network(shape, layer))[0]
    assume(not step.error)
    event(kind.name)
    module = construct(layer, shape)
    assert {param.name: setting(module, kind.name, param.name) for param in kind.params} == kind.settings(layer.params)
    assert step.parameters == sum(parameter.numel() for parameter in module.parameters())
    assert step.out_shape == tuple(module(torch.randn(BATCH, *shape)).shape[1:])


@each_layer
def test_defaults_are_those_of_the_built_module(kind: LayerType) -> None:
    shape = {1: (12,), 2: (4, 12), 3: (3, 12, 12)}[kind.ranks[0]]
    module = construct(Layer(kind.name), shape)
    assert {param.name: setting(module, kind.name, param.name) for param in kind.params} == {param.name: param.default for param in kind.params}
