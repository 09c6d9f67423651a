"""The calculation of one value, as data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from playground.inference.receptive_field import Box, Place, bounding_box


@dataclass(frozen=True)
class Term:
    """One input value with its contribution to the result."""

    place: Place | None
    """Index of the value in the layer's input, without the batch dimension; None in the padding."""
    value: float
    """The value x; minus infinity in the padding of max pooling."""
    weight: float | None
    """The weight w that it is multiplied by; None if the term is not a product."""
    product: float
    """The contribution: w·x, exp(z − max z) of a logit in a softmax, or f(x) of an activation."""
    copied: Place | None = None
    """Index of the input value that the padding copies, with padding mode reflect, replicate or circular."""


@dataclass(frozen=True)
class Step:
    """An intermediate result."""

    name: str
    """Its standard name: English words, or a symbol of the formula."""
    value: float


@dataclass(frozen=True)
class Calculation:
    """How one value of a layer's output was computed, in float64 from the network's float32 weights."""

    formula: str
    """One line in standard notation."""
    place: Place
    """Index of the value in the layer's output, without the batch dimension."""
    result: float
    """The value."""
    terms: tuple[Term, ...] = ()
    """The input values that it is computed from; of a normalisation, only the one that is normalised. A block has children instead."""
    bias: float | None = None
    """The number added to the terms; None if there is none."""
    steps: tuple[Step, ...] = ()
    """The intermediate results, in the order in which they are computed."""
    grid: tuple[int, ...] = ()
    """Shape in which the terms are laid out, in row-major order: (channels, height, width) for the window of a convolution."""
    region: Box | None = None
    """Rows and columns of the input, each as (first, last + 1), that the terms or a block's receptive field span;
    None if the input is not an image, or all of them lie in the padding."""
    channel: int | None = None
    """The channel of the input, if all terms are in the same one; None if they are not, or the input is not an image."""
    children: tuple[tuple[str, Calculation], ...] = ()
    """For a block, one calculation for each of its inner layers, from the last layer backwards, with the layer's name.
    Their places refer to the inner layers' inputs and outputs."""


class TermJson(TypedDict):
    """A term; a number that is not finite is None."""

    place: list[int] | None
    """Index of the value in the layer's input; None in the padding."""
    value: float | None
    weight: float | None
    """Also None if the term is not a product."""
    product: float | None
    copied: NotRequired[list[int]]
    """Index of the input value that the padding copies."""


class StepJson(TypedDict):
    """An intermediate result; a number that is not finite is None."""

    name: str
    value: float | None


class CalculationJson(TypedDict):
    """A calculation; a number that is not finite is None."""

    formula: str
    place: list[int]
    """Index of the value in the layer's output."""
    result: float | None
    terms: list[TermJson]
    bias: float | None
    steps: list[StepJson]
    grid: list[int]
    """Shape in which the terms are laid out."""
    region: Box | None
    """Rows and columns of the input, each as (first, last + 1)."""
    channel: int | None
    children: list[ChildJson]


class ChildJson(CalculationJson):
    """The calculation of an inner layer of a block."""

    name: str


def from_terms(
    terms: Sequence[Term], *, formula: str, place: Place, result: float, grid: tuple[int, ...], bias: float | None = None, steps: tuple[Step, ...] = ()
) -> Calculation:
    """Create a calculation with these terms; derive `region` and `channel` from them."""
    places = [term.place for term in terms if term.place is not None and len(term.place) == 3]
    channels = {place[0] for place in places}
    region = bounding_box((place[1] for place in places), (place[2] for place in places)) if places else None
    channel = channels.pop() if len(channels) == 1 else None
    return Calculation(formula, place, result, tuple(terms), bias, steps, grid, region, channel)


def as_json(calculation: Calculation) -> CalculationJson:
    """Return the calculation as plain data for JSON; non-finite values become None."""
    return {
        "formula": calculation.formula,
        "place": list(calculation.place),
        "result": _finite(calculation.result),
        "terms": [_term(term) for term in calculation.terms],
        "bias": _finite(calculation.bias),
        "steps": [{"name": step.name, "value": _finite(step.value)} for step in calculation.steps],
        "grid": list(calculation.grid),
        "region": calculation.region,
        "channel": calculation.channel,
        "children": [{**as_json(child), "name": name} for name, child in calculation.children],
    }


def _term(term: Term) -> TermJson:
    document: TermJson = {
        "place": list(term.place) if term.place else None,
        "value": _finite(term.value),
        "weight": _finite(term.weight),
        "product": _finite(term.product),
    }
    if term.copied is not None:
        document["copied"] = list(term.copied)
    return document


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
