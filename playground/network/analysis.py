"""The analysis of a network and the layer catalogue as JSON-ready data for pages.

A document comes from a browser and may be any JSON value: its size is checked before it is parsed, and it is parsed before anything is traced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from inspect import cleandoc
from typing import Any

from playground import device
from playground.data.catalogue import dataset_info
from playground.errors import ConfigError, ShapeError
from playground.network.advice import advise
from playground.network.catalogue import LAYERS, layer_type
from playground.network.fixes import Fix
from playground.network.formulas import write_multiply_add_formula, write_output_size_formula, write_parameter_formula
from playground.network.receptive_fields import ReceptiveField, receptive_fields
from playground.network.spec import MAX_LAYERS, NetworkSpec, from_dict
from playground.network.totals import activation_bytes, compute_totals
from playground.network.trace import ShapeStep, check, layer_class, trace

MAX_PROBLEMS = 20
MAX_TEXT = 300
"""Longest text that a document may contain, and longest problem that is shown, in characters."""
LARGEST_NUMBER = 10**12
MAX_BATCH_SIZE = 65536

_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?:\s+(\S.*)")
_ROLE = re.compile(r":\w+:`~?([^`]*)`")
_DEFAULT = re.compile(r" \((?:default|required)[^)]*\)")
_SENTENCE = re.compile(r"(?<=\.)\s")


def analyse(spec_document: object, dataset: str | None, batch_size: int = 64) -> dict[str, Any]:
    """Trace a network and collect shapes, costs, errors, fixes and advice for each layer.

    Args:
        spec_document: a network in the format of `NetworkSpec.to_dict`, or any other JSON value.
        dataset: name of the data set to train on, or None.
        batch_size: number of samples in one training step.

    Returns:
        `valid`: whether the document is a network; if not, `problems` says why, `steps` and `advice` are empty, and `totals` is None.
        `fits`: whether every layer fits and the network is small enough to be built; if not, `refusal` says why.
        `steps`: for each layer `index`, `type`, `title`, `group`, `module` (import path of the class), `params` (all parameters), `set` (those in
        the document), `in_shape` and `out_shape` (one sample, or None), `parameters`, `arithmetic` (its formula), `multiply_adds`,
        `multiply_arithmetic` (its formula), `size_formula`, `bytes` (of the output for one sample), `receptive_field`, `error`, and `fixes` (each
        with `title` and `layers`).
        `totals`: the fields of `Totals`.
        `advice`: a list with the fields of `Advice`.

    Raises:
        UnknownName: there is no data set of that name.
        ConfigError: `dataset` is not a string, or `batch_size` not a whole number from 1 to `MAX_BATCH_SIZE`.
    """
    if dataset is not None and not isinstance(dataset, str):
        raise ConfigError([f"The data set must be a name, not a value of type {type(dataset).__name__}."])
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size <= MAX_BATCH_SIZE:
        raise ConfigError([f"The batch size must be a whole number from 1 to {MAX_BATCH_SIZE:,}, not {batch_size!r}."])
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
        "totals": asdict(compute_totals(steps)),
        "advice": [{**vars(hint), "fixes": [_fix_as_json(fix) for fix in hint.fixes]} for hint in hints],
    }


def describe_layer_types() -> list[dict[str, Any]]:
    """List every kind of layer with its parameters.

    Returns:
        For each kind `name`, `title`, `group`, `summary`, `module` (import path of the class), `ranks` (of one input sample) and `params`: for each
        parameter `name`, `kind` (int, float, bool or choice), `default`, `low`, `high`, `choices`, `summary` (the playground's description) and
        `help` (PyTorch's description).
    """
    return [
        {
            "name": kind.name,
            "title": kind.title,
            "group": kind.group,
            "summary": kind.summary,
            "module": kind.target,
            "ranks": list(kind.ranks),
            "params": [
                {
                    "name": param.name,
                    "kind": param.kind,
                    "default": param.default,
                    "low": param.low,
                    "high": param.high,
                    "choices": list(param.choices),
                    "summary": param.help,
                    "help": parameter_help(kind.name)[param.name],
                }
                for param in kind.params
            ],
        }
        for kind in LAYERS
    ]


@cache
def parameter_help(layer_type_name: str) -> dict[str, str]:
    """Describe each parameter of a layer kind by the first sentence of PyTorch's documentation, else by the playground's description.

    Raises:
        UnknownName: there is no layer of that name.
    """
    kind = layer_type(layer_type_name)
    torch_help = dict(_parse_argument_help(layer_class(kind.target).__doc__ or ""))
    return {param.name: torch_help.get(param.name, param.help) for param in kind.params}


def _find_oversized(document: object) -> Iterator[str]:
    """Yield a problem for each value that is too large to parse or to quote, or whose type no network has."""
    if not isinstance(document, dict):
        return
    shape, layers = document.get("input_shape"), document.get("layers")
    if isinstance(shape, list) and not all(_is_small(size) for size in shape[:4]):
        yield "The input shape must be (features) or (channels, height, width), with whole numbers as sizes."
    if isinstance(shape, list) and len(shape) > 3:
        yield f"The input shape must be (features) or (channels, height, width), not {len(shape)} sizes."
    yield from (
        f"“{name}” must be a text of at most {MAX_TEXT} characters."
        for name in ("name", "title", "summary", "source")
        if not _is_small(document.get(name) or "")
    )
    if isinstance(layers, list) and len(layers) > MAX_LAYERS:
        yield f"A network must have from 1 to {MAX_LAYERS} layers, not {len(layers)}."
        return
    for index, layer in enumerate(layers if isinstance(layers, list) else ()):
        for name, value in layer.items() if isinstance(layer, dict) else ():
            if not _is_small(name) or not _is_small(value):
                yield f"Layer {index}: {str(name)[:40]} must be a number up to {LARGEST_NUMBER:,}, a text of at most {MAX_TEXT} characters, true or false."


def _is_small(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return isinstance(value, (bool, int, float)) and (value != value or abs(value) <= LARGEST_NUMBER)


def _shorten(problems: list[str]) -> list[str]:
    """Limit the number and length of the problems, and replace characters that UTF-8 cannot encode."""
    more = [f"There are {len(problems) - MAX_PROBLEMS:,} more problems."] if len(problems) > MAX_PROBLEMS else []
    return [problem[:MAX_TEXT].encode("utf-8", "replace").decode() for problem in [*problems[:MAX_PROBLEMS], *more]]


def _find_refusal(spec: NetworkSpec) -> str:
    """Say why the network cannot be built; return "" if it can."""
    try:
        check(spec)
    except ShapeError as error:
        return str(error)
    return ""


def _describe_step(step: ShapeStep, field: ReceptiveField | None) -> dict[str, Any]:
    kind = layer_type(step.layer.type)
    return {
        "index": step.index,
        "type": kind.name,
        "title": kind.title,
        "group": kind.group,
        "module": kind.target,
        "params": kind.settings(step.layer.params),
        "set": dict(step.layer.params),
        "in_shape": step.in_shape and list(step.in_shape),
        "out_shape": step.out_shape and list(step.out_shape),
        "parameters": step.parameters,
        "arithmetic": write_parameter_formula(step),
        "multiply_adds": step.multiply_adds,
        "multiply_arithmetic": write_multiply_add_formula(step),
        "size_formula": write_output_size_formula(step),
        "bytes": activation_bytes(step),
        "receptive_field": field and asdict(field),
        "error": step.error,
        "fixes": [_fix_as_json(fix) for fix in step.fixes],
    }


def _fix_as_json(fix: Fix) -> dict[str, Any]:
    return {"title": fix.title, "layers": [layer.to_dict() for layer in fix.layers]}


def _parse_argument_help(docstring: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each argument in a docstring's section “Args”, and the first sentence of its description."""
    _, _, section = cleandoc(docstring).partition("Args:\n")
    entries: list[list[str]] = []
    for line in section.splitlines():
        if line and not line.startswith(" "):  # the next section
            break
        entry = _ENTRY.match(line.strip())
        if entry and len(line) - len(line.lstrip()) == 4:
            entries.append(list(entry.groups()))
        elif entries:
            entries[-1][1] += " " + line.strip()
    for name, description in entries:
        plain = _DEFAULT.sub("", _ROLE.sub(r"\1", description)).replace("`", "").strip()  # the playground may have another default
        sentence = _SENTENCE.split(plain)[0].rstrip(".")
        yield name, sentence[:1].upper() + sentence[1:] + "."
