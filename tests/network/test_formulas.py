"""Formulas: Python evaluates their left sides, and built modules have the numbers on their right sides."""

from __future__ import annotations

import ast
import operator

import pytest
from hypothesis import assume, event, given, settings

from playground.network.formulas import write_multiply_add_formula, write_output_size_formula, write_parameter_formula
from playground.network.spec import NetworkSpec
from playground.network.trace import ShapeStep, construct, trace

from ..support.tiers import repetitions
from .stacks import Layer, network, stacks, without_misfits

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv}


def evaluate(expression: str) -> int:
    """Compute an expression of a formula; ⌊a / b⌋ is floor division."""
    text = expression.replace("·", "*").replace("−", "-").replace("⌊", "(").replace("⌋", ")").replace("/", "//")

    def value(node: ast.expr) -> int:
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        assert isinstance(node, ast.Constant)
        return node.value

    return value(ast.parse(text, mode="eval").body)


def both_sides(formula: str) -> tuple[int, int]:
    """Return the value of the left side of `a = b`, and the number on its right side."""
    left, right = formula.split(" = ")
    return evaluate(left), int(right.replace(",", ""))


def last(*layers: Layer, input_shape: tuple[int, ...] = (1, 28, 28)) -> ShapeStep:
    return trace(network(input_shape, *layers))[-1]


@settings(max_examples=repetitions(500))
@given(stacks)
def test_formulas_agree_with_the_built_module(stack: NetworkSpec) -> None:
    spec = without_misfits(stack)
    assume(spec)
    for step in trace(spec):
        event(step.layer.type)
        parameters = sum(parameter.numel() for parameter in construct(step.layer, step.in_shape).parameters())
        formula = write_parameter_formula(step)
        assert bool(formula) == bool(parameters)
        assert not formula or both_sides(formula) == (parameters, parameters)
        multiply_adds = write_multiply_add_formula(step)
        assert not multiply_adds or both_sides(multiply_adds) == (step.multiply_adds, step.multiply_adds)
        assert multiply_adds or step.multiply_adds == 0 or step.layer.type == "TransformerEncoderLayer"
        sizes = [both_sides(line.split(": ")[-1]) for line in write_output_size_formula(step).splitlines()]
        assert bool(sizes) == ("kernel_size" in dict(vars(construct(step.layer, step.in_shape))))
        assert not sizes or [size for size, _ in sizes] * (3 - len(sizes)) == list(step.out_shape[1:])
        assert all(left == right for left, right in sizes)


@pytest.mark.parametrize(
    ("step", "parameters", "work", "size"),
    [
        (last(Layer("Conv2d")), "(3·3·1 + 1)·16 = 160", "26·26·16·9·1 = 97,344", "⌊(28 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 26"),
        (last(Layer("Conv2d", {"bias": False})), "3·3·1·16 = 144", "26·26·16·9·1 = 97,344", "⌊(28 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 26"),
        (last(Layer("Flatten"), Layer("Linear")), "(784 + 1)·128 = 100,480", "784·128 = 100,352", ""),
        (last(Layer("Flatten"), Layer("Linear", {"bias": False})), "784·128 = 100,352", "784·128 = 100,352", ""),
        (last(Layer("Conv2d"), Layer("BatchNorm2d")), "2·16 = 32", "", ""),
        (last(Layer("LayerNorm")), "2·1·28·28 = 1,568", "", ""),
        (last(Layer("MaxPool2d")), "", "", "⌊(28 + 2·0 − 1·(2 − 1) − 1) / 2⌋ + 1 = 14"),
        (last(Layer("AvgPool2d")), "", "", "⌊(28 + 2·0 − 2) / 2⌋ + 1 = 14"),
        (last(Layer("AvgPool2d"), input_shape=(1, 8, 6)), "", "", "height: ⌊(8 + 2·0 − 2) / 2⌋ + 1 = 4\nwidth: ⌊(6 + 2·0 − 2) / 2⌋ + 1 = 3"),
        (last(Layer("PatchEmbedding", {"patch_size": 7})), "(7·7·1 + 1)·64 + 16·64 = 4,224", "16·64·49·1 = 50,176", ""),
        (
            last(Layer("ResidualBlock", {"out_channels": 8})),
            "3·3·1·8 + 2·8 + 3·3·8·8 + 2·8 + 1·8 + 2·8 = 704",
            "28·28·(3·3·1·8 + 3·3·8·8 + 1·8) = 514,304",
            "",
        ),
        (
            last(Layer("ResidualBlock", {"out_channels": 1, "stride": 2})),
            "3·3·1·1 + 2·1 + 3·3·1·1 + 2·1 + 1·1 + 2·1 = 25",
            "14·14·(3·3·1·1 + 3·3·1·1 + 1·1) = 3,724",
            "",
        ),
        (last(Layer("ResidualBlock", {"out_channels": 1})), "3·3·1·1 + 2·1 + 3·3·1·1 + 2·1 = 22", "28·28·(3·3·1·1 + 3·3·1·1) = 14,112", ""),
        (last(Layer("ReLU")), "", "", ""),
        (last(Layer("Linear")), "", "", ""),
        (last(Layer("Conv2d", {"kernel_size": 31})), "", "", ""),
    ],
    ids=[
        "conv", "conv-no-bias", "linear", "linear-no-bias", "batch-norm", "layer-norm", "max-pool", "avg-pool", "not-square", "patches", "residual",
        "residual-stride", "residual-same",
        "none", "misfit", "window-misfit",
    ],
)  # fmt: skip
def test_formulas_are_written_with_the_numbers_of_the_layer(step: ShapeStep, parameters: str, work: str, size: str) -> None:
    assert (write_parameter_formula(step), write_multiply_add_formula(step), write_output_size_formula(step)) == (parameters, work, size)


def test_the_parameter_count_of_an_encoder_layer_is_the_sum_of_its_parts() -> None:
    step = last(Layer("PatchEmbedding", {"patch_size": 7}), Layer("TransformerEncoderLayer"))
    module = construct(step.layer, step.in_shape)
    parts = [part.strip() for part in write_parameter_formula(step).split(" = ")[0].split(" + ")]
    assert len(parts) == 10  # four of them are written (64 + 1)·…
    attention = sum(parameter.numel() for parameter in module.self_attn.parameters())
    assert evaluate("(64 + 1)·3·64 + (64 + 1)·64") == attention
    assert write_parameter_formula(step).startswith("(64 + 1)·3·64 + (64 + 1)·64 + ")
