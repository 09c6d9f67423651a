"""The analysis of a network and the layer catalogue as JSON-ready data for pages.

A document comes from a browser and may be any JSON value: its size is checked before it is parsed, and it is parsed before anything is traced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from playground import device
from playground.data.catalogue import dataset_info
from playground.errors import ConfigError, ShapeError
from playground.messages import msg, nmsg
from playground.network.advice import Advice, advise
from playground.network.catalogue import GROUP_TITLES, LAYERS, layer_type
from playground.network.fixes import Fix
from playground.network.formulas import write_multiply_add_formula, write_output_size_formula, write_parameter_formula
from playground.network.receptive_fields import Extent, ReceptiveField, receptive_fields
from playground.network.spec import MAX_LAYERS, NetworkSpec, SavedLayer, from_dict
from playground.network.totals import Totals, activation_bytes, compute_totals
from playground.network.trace import ShapeStep, check, trace
from playground.network.types import ParamKind, Shape, Value

MAX_PROBLEMS = 20
MAX_TEXT = 300
"""Longest text that a document may contain, and longest problem that is shown, in characters."""
LARGEST_NUMBER = 10**12
MAX_BATCH_SIZE = 65536


class LayerParam(TypedDict):
    """A parameter of a kind of layer."""

    name: str
    kind: ParamKind
    default: Value
    low: float
    high: float
    choices: list[str]
    help: str
    """What it means."""
    term: str
    """Of the glossary, which says more; empty for none."""


class LayerKind(TypedDict):
    """A kind of layer."""

    name: str
    title: str
    group: str
    group_title: str
    summary: str
    module: str
    """Import path of its class."""
    ranks: list[int]
    """Of one input sample."""
    term: str
    """Of the glossary, which says more; empty for none."""
    params: list[LayerParam]


class LayerFix(TypedDict):
    """A change of a network that solves a problem."""

    title: str
    layers: list[SavedLayer]
    """All layers of the changed network."""
    input_shape: list[int] | None
    """Its input shape; null where it stays."""


class FieldExtent(TypedDict):
    """The extent of a receptive field along one axis of the input image, in pixels."""

    size: int
    effective_stride: int | None
    """Distance between the fields of neighbouring outputs; 0 where all have the same field, null where the distances differ."""
    start: int
    """Of the first output; negative in the padding."""


class LayerField(TypedDict):
    """The receptive field of a layer."""

    height: FieldExtent
    width: FieldExtent
    covers_image: bool
    """Whether every value depends on the whole image."""


class LayerAnalysis(TypedDict):
    """One layer of an analysed network; shapes and costs are those of one sample."""

    index: int
    type: str
    title: str
    group: str
    module: str
    """Import path of its class."""
    params: dict[str, Value]
    """All parameters."""
    set: dict[str, Value]
    """Those in the document."""
    in_shape: list[int] | None
    out_shape: list[int] | None
    parameters: int
    arithmetic: str
    """The formula of their number."""
    multiply_adds: int
    multiply_arithmetic: str
    """The formula of their number."""
    size_formula: str
    bytes: int
    """Of the output."""
    receptive_field: LayerField | None
    error: str
    """Why the layer does not fit; empty for all but the first that does not."""
    fixes: list[LayerFix]


class NetworkTotals(TypedDict):
    """Sums over all layers of a network."""

    parameters: int
    multiply_adds: int
    """For one sample."""
    activation_bytes: int
    """For one sample."""
    disk_bytes: int
    layers: int


class NetworkHint(TypedDict):
    """One hint about a network."""

    kind: str
    """The rule, such as `softmax-before-loss`."""
    layer: int | None
    """Null for the whole network."""
    text: str
    """The mistake, with its values."""
    reason: str
    """Why it is a mistake and what to do, with terms of the glossary in double brackets."""
    fixes: list[LayerFix]


class NetworkAnalysis(TypedDict):
    """An analysed network."""

    valid: bool
    """Whether the document is a network."""
    problems: list[str]
    """Why it is not."""
    fits: bool
    """Whether every layer fits and the network is small enough to be built."""
    refusal: str
    """Why it is not."""
    steps: list[LayerAnalysis]
    """Empty where the document is not a network, as is the advice."""
    totals: NetworkTotals | None
    advice: list[NetworkHint]


def analyse(spec_document: object, dataset: str | None, batch_size: int = 64) -> NetworkAnalysis:
    """Trace a network and collect shapes, costs, errors, fixes and advice for each layer.

    Args:
        spec_document: a network in the format of `NetworkSpec.to_dict`, or any other JSON value.
        dataset: name of the data set to train on, or None.
        batch_size: number of samples in one training step.

    Raises:
        UnknownName: there is no data set of that name.
        ConfigError: `dataset` is not a string, or `batch_size` not a whole number from 1 to `MAX_BATCH_SIZE`.
    """
    if dataset is not None and not isinstance(dataset, str):
        raise ConfigError([msg("The data set must be a name, not a value of type {type}.", type=type(dataset).__name__)])
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size <= MAX_BATCH_SIZE:
        raise ConfigError([msg("The batch size must be a whole number from 1 to {most:,}, not {value}.", most=MAX_BATCH_SIZE, value=repr(batch_size))])
    info = None if dataset is None else dataset_info(dataset)
    problems = list(_find_oversized(spec_document))
    try:
        spec = None if problems else from_dict(spec_document)
    except ConfigError as error:
        problems, spec = list(error.problems), None
    if spec is None:
        return {"valid": False, "problems": _shorten(problems), "fits": False, "refusal": "", "steps": [], "totals": None, "advice": []}
    steps = trace(spec)
    hints = advise(spec, steps, info, batch_size, device.best().memory or None)
    refusal = _find_refusal(spec)
    return {
        "valid": True,
        "problems": [],
        "fits": not refusal,
        "refusal": refusal,
        "steps": [_describe_step(step, field) for step, field in zip(steps, receptive_fields(spec, steps), strict=True)],
        "totals": _describe_totals(compute_totals(steps)),
        "advice": [_describe_hint(hint) for hint in hints],
    }


def describe_layer_types() -> list[LayerKind]:
    """List every kind of layer with its parameters."""
    return [
        {
            "name": kind.name,
            "title": kind.title,
            "group": kind.group,
            "group_title": GROUP_TITLES[kind.group],
            "summary": kind.summary,
            "module": kind.target,
            "ranks": list(kind.ranks),
            "term": kind.term,
            "params": [
                {
                    "name": param.name,
                    "kind": param.kind,
                    "default": param.default,
                    "low": param.low,
                    "high": param.high,
                    "choices": list(param.choices),
                    "help": param.help,
                    "term": param.term,
                }
                for param in kind.params
            ],
        }
        for kind in LAYERS
    ]


def _find_oversized(document: object) -> Iterator[str]:
    """Yield a problem for each value that is too large to parse or to quote, or whose type no network has."""
    if not isinstance(document, dict):
        return
    shape, layers = document.get("input_shape"), document.get("layers")
    if isinstance(shape, list) and not all(_is_small(size) for size in shape[:4]):
        yield msg("The input shape must be (features) or (channels, height, width), with whole numbers as sizes.")
    if isinstance(shape, list) and len(shape) > 3:
        yield msg("The input shape must be (features) or (channels, height, width), not {count} sizes.", count=len(shape))
    yield from (
        msg("“{name}” must be a text of at most {most} characters.", name=name, most=MAX_TEXT)
        for name in ("name", "title", "summary", "source")
        if not _is_small(document.get(name) or "")
    )
    if isinstance(layers, list) and len(layers) > MAX_LAYERS:
        yield msg("A network must have from 1 to {most} layers, not {count}.", most=MAX_LAYERS, count=len(layers))
        return
    for index, layer in enumerate(layers if isinstance(layers, list) else ()):
        for name, value in layer.items() if isinstance(layer, dict) else ():
            if not _is_small(name) or not _is_small(value):
                yield msg(
                    "Layer {index}: {name} must be a number up to {largest:,}, a text of at most {most} characters, true or false.",
                    index=index,
                    name=str(name)[:40],
                    largest=LARGEST_NUMBER,
                    most=MAX_TEXT,
                )


def _is_small(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return isinstance(value, (bool, int, float)) and (value != value or abs(value) <= LARGEST_NUMBER)


def _shorten(problems: list[str]) -> list[str]:
    """Limit the number and length of the problems, and replace characters that UTF-8 cannot encode; a problem that this changes stays English."""
    rest = len(problems) - MAX_PROBLEMS
    more = [nmsg("There is {n:,} more problem.", "There are {n:,} more problems.", rest)] if rest > 0 else []
    shortened = [problem[:MAX_TEXT].encode("utf-8", "replace").decode() for problem in problems[:MAX_PROBLEMS]]
    return [problem if problem == short else short for problem, short in zip(problems, shortened, strict=False)] + more


def _find_refusal(spec: NetworkSpec) -> str:
    """Say why the network cannot be built; return "" if it can."""
    try:
        check(spec)
    except ShapeError as error:
        return error.text
    return ""


def _describe_step(step: ShapeStep, field: ReceptiveField | None) -> LayerAnalysis:
    kind = layer_type(step.layer.type)
    return {
        "index": step.index,
        "type": kind.name,
        "title": kind.title,
        "group": kind.group,
        "module": kind.target,
        "params": kind.settings(step.layer.params),
        "set": dict(step.layer.params),
        "in_shape": _sizes(step.in_shape),
        "out_shape": _sizes(step.out_shape),
        "parameters": step.parameters,
        "arithmetic": write_parameter_formula(step),
        "multiply_adds": step.multiply_adds,
        "multiply_arithmetic": write_multiply_add_formula(step),
        "size_formula": write_output_size_formula(step),
        "bytes": activation_bytes(step),
        "receptive_field": None if field is None else _describe_field(field),
        "error": step.error,
        "fixes": [_describe_fix(fix) for fix in step.fixes],
    }


def _sizes(shape: Shape | None) -> list[int] | None:
    return None if shape is None else list(shape)


def _describe_field(field: ReceptiveField) -> LayerField:
    return {"height": _describe_extent(field.height), "width": _describe_extent(field.width), "covers_image": field.covers_image}


def _describe_extent(extent: Extent) -> FieldExtent:
    return {"size": extent.size, "effective_stride": extent.effective_stride, "start": extent.start}


def _describe_totals(totals: Totals) -> NetworkTotals:
    return {
        "parameters": totals.parameters,
        "multiply_adds": totals.multiply_adds,
        "activation_bytes": totals.activation_bytes,
        "disk_bytes": totals.disk_bytes,
        "layers": totals.layers,
    }


def _describe_hint(hint: Advice) -> NetworkHint:
    return {"kind": hint.kind, "layer": hint.layer, "text": hint.text, "reason": hint.reason, "fixes": [_describe_fix(fix) for fix in hint.fixes]}


def _describe_fix(fix: Fix) -> LayerFix:
    return {"title": fix.title, "layers": [layer.to_dict() for layer in fix.layers], "input_shape": _sizes(fix.input_shape)}
