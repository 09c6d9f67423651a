"""One number written out, as data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playground.inference.receptive_field import Box, Place, box_of


@dataclass(frozen=True)
class Term:
    """One input value with what it contributes."""

    place: Place | None
    """Where the value stands in the layer's input, the batch left out; None in the padding."""
    value: float
    """The value x; minus infinity in the padding of a max pooling."""
    weight: float | None
    """What it is multiplied by, w; None where it is not a product."""
    product: float
    """What it comes to: w·x, or what the formula makes of it: exp(z − max z) of a softmax's logit, f(x) of an activation."""
    copied: Place | None = None
    """The input value that padding repeats where it is filled with copies: reflect, replicate, circular."""


@dataclass(frozen=True)
class Step:
    """A number on the way to the result."""

    name: str
    """Its standard name, in English words or a sign of the formula."""
    value: float


@dataclass(frozen=True)
class Calculation:
    """How one number of a layer's output came about, in float64 from the network's float32 numbers."""

    formula: str
    """One line in standard notation."""
    place: Place
    """Where the number stands in the layer's output, the batch left out."""
    result: float
    """The number."""
    terms: tuple[Term, ...] = ()
    """The input values it is made of; of a normalisation only the value at its place. A block has none, but children."""
    bias: float | None = None
    """What is added to the terms; None where nothing is."""
    steps: tuple[Step, ...] = ()
    """The numbers between terms and result, in the order in which they are computed."""
    grid: tuple[int, ...] = ()
    """Sizes in which the terms are laid out, the last dimension fastest: (channels, height, width) of a convolution's window."""
    region: Box | None = None
    """Rows and columns of the input, from the first to the one behind the last, in which the terms lie, of a block what it sees;
    None where the input is no image, or all lies in the padding."""
    channel: int | None = None
    """The only channel of the input in which the terms lie; None where they lie in several, or the input is no image."""
    children: tuple[tuple[str, Calculation], ...] = ()
    """The numbers of a block's inner layers from which this one came, from the last layer backwards, each with its layer's name.
    Their places are those in the inner layers' inputs and outputs."""


def made_of(terms: Sequence[Term], **fields: Any) -> Calculation:
    """A number with its terms, and where in an image they lie."""
    places = [term.place for term in terms if term.place is not None and len(term.place) == 3]
    channels = {place[0] for place in places}
    region = box_of((place[1] for place in places), (place[2] for place in places)) if places else None
    return Calculation(terms=tuple(terms), region=region, channel=channels.pop() if len(channels) == 1 else None, **fields)


def as_json(written: Calculation) -> dict[str, Any]:
    """The same as plain data for JSON; None for a number that is not finite."""
    return {
        "formula": written.formula,
        "place": list(written.place),
        "result": _finite(written.result),
        "terms": [_term(term) for term in written.terms],
        "bias": _finite(written.bias),
        "steps": [{"name": step.name, "value": _finite(step.value)} for step in written.steps],
        "grid": list(written.grid),
        "region": [list(side) for side in written.region] if written.region else None,
        "channel": written.channel,
        "children": [{"name": name, **as_json(child)} for name, child in written.children],
    }


def _term(term: Term) -> dict[str, Any]:
    told: dict[str, Any] = {
        "place": list(term.place) if term.place else None,
        "value": _finite(term.value),
        "weight": _finite(term.weight),
        "product": _finite(term.product),
    }
    return told if term.copied is None else {**told, "copied": list(term.copied)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
