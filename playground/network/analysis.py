"""Everything that a page shows of a network, and of the layers to make one from, as plain data.

A document may be anything that JSON can hold: it is bounded before it is read, and read before anything is traced.
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
from playground.network.facts import ReceptiveField, activation_bytes, arithmetic, multiply_arithmetic, receptive_fields, size_formula, totals
from playground.network.fixes import Fix
from playground.network.spec import MAX_LAYERS, NetworkSpec, from_dict
from playground.network.trace import ShapeStep, check, layer_class, trace

MAX_PROBLEMS = 20
MAX_TEXT = 300
"""Characters of a problem that are shown; it may quote what was typed."""
LARGEST_NUMBER = 10**12
LARGEST_BATCH = 65536

_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?:\s+(\S.*)")
_ROLE = re.compile(r":\w+:`~?([^`]*)`")
_DEFAULT = re.compile(r" \((?:default|required)[^)]*\)")
_SENTENCE = re.compile(r"(?<=\.)\s")


def analyse(spec_document: object, dataset: str | None, batch_size: int = 64) -> dict[str, Any]:
    """What a network does, layer by layer, and what there is to say about it.

    Args:
        spec_document: a network as `NetworkSpec.to_dict` writes it, or anything else that JSON can hold.
        dataset: name of the data set it shall be trained on, or None.
        batch_size: samples in one step of training.

    Returns:
        `valid` tells whether the document is a network, and `problems` why it is not; then `steps` and `advice` are empty and `totals` is None.
        `fits` tells whether every layer fits and the network is not too large to be built, and `refusal` why not.
        Each of `steps` has `index`, `type`, `title`, `group`, `module` (the class's path), `params` (all settings), `set` (those in the document),
        `in_shape` and `out_shape` (one sample, or None), `parameters`, `arithmetic`, `multiply_adds`, `multiply_arithmetic`, `size_formula`,
        `bytes` (of its output for one sample), `receptive_field`, `error` and `fixes` (each a `title` and `layers`).
        `totals` has the fields of `Totals`, each of `advice` those of `Advice`.

    Raises:
        UnknownName: there is no such data set.
        ConfigError: the data set is not a name, or the batch size not a number from 1 to 65536.
    """
    if dataset is not None and not isinstance(dataset, str):
        raise ConfigError(["The data set must be a name."])
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size <= LARGEST_BATCH:
        raise ConfigError([f"The batch size must be a whole number from 1 to {LARGEST_BATCH}."])
    info = None if dataset is None else dataset_info(dataset)
    problems = list(_out_of_bounds(spec_document))
    try:
        spec = None if problems else from_dict(spec_document)
    except ConfigError as error:
        problems, spec = list(error.problems), None
    if spec is None:
        return {"valid": False, "problems": _told(problems), "fits": False, "refusal": "", "steps": [], "totals": None, "advice": []}
    steps = trace(spec)
    hints = advise(spec, steps, info, batch_size, device.best().memory or None)
    refusal = _refusal(spec)
    return {
        "valid": True,
        "problems": [],
        "fits": not refusal,
        "refusal": refusal,
        "steps": [_step(step, field) for step, field in zip(steps, receptive_fields(spec, steps), strict=True)],
        "totals": asdict(totals(steps)),
        "advice": [{**vars(hint), "fixes": [_fix_as_json(fix) for fix in hint.fixes]} for hint in hints],
    }


def catalogue() -> list[dict[str, Any]]:
    """Every kind of layer: `name`, `title`, `group`, `summary`, `module`, `ranks` (of one sample's shape that it takes) and `params`.

    Each of `params` has `name`, `kind` (int, float, bool or choice), `default`, `low`, `high`, `choices`, `summary` (the playground's words)
    and `help` (PyTorch's).
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
    """What each parameter of a layer kind does, in the first sentence of PyTorch's own documentation, else in the playground's words.

    Raises:
        UnknownName: there is no such layer.
    """
    kind = layer_type(layer_type_name)
    documented = dict(_documented(layer_class(kind.target).__doc__ or ""))
    return {param.name: documented.get(param.name, param.help) for param in kind.params}


def _out_of_bounds(document: object) -> Iterator[str]:
    """What is too large, or of a kind that no network has: told before anything is made of it, or quotes it in full."""
    if not isinstance(document, dict):
        return
    shape, layers = document.get("input_shape"), document.get("layers")
    if isinstance(shape, list) and not all(_is_small(size) for size in shape[:4]):
        yield "The input shape must be (features) or (channels, height, width), each a whole number."
    if isinstance(shape, list) and len(shape) > 3:
        yield f"The input shape must be (features) or (channels, height, width), not {len(shape)} sizes."
    yield from (f"“{name}” must be a short text." for name in ("name", "title", "summary", "source") if not _is_small(document.get(name) or ""))
    if isinstance(layers, list) and len(layers) > MAX_LAYERS:
        yield f"A network has from 1 to {MAX_LAYERS} layers, not {len(layers)}."
        return
    for index, layer in enumerate(layers if isinstance(layers, list) else ()):
        for name, value in layer.items() if isinstance(layer, dict) else ():
            if not _is_small(name) or not _is_small(value):
                yield f"Layer {index}: {str(name)[:40]} must be a number of ordinary size, a short text, true or false."


def _is_small(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return isinstance(value, (bool, int, float)) and (value != value or abs(value) <= LARGEST_NUMBER)


def _told(problems: list[str]) -> list[str]:
    """As many problems as a person reads, and no characters that cannot be sent."""
    more = [f"There are {len(problems) - MAX_PROBLEMS:,} more problems."] if len(problems) > MAX_PROBLEMS else []
    return [problem[:MAX_TEXT].encode("utf-8", "replace").decode() for problem in [*problems[:MAX_PROBLEMS], *more]]


def _refusal(spec: NetworkSpec) -> str:
    """Why the network cannot be built, or an empty text."""
    try:
        check(spec)
    except ShapeError as error:
        return str(error)
    return ""


def _step(step: ShapeStep, field: ReceptiveField | None) -> dict[str, Any]:
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
        "arithmetic": arithmetic(step),
        "multiply_adds": step.multiply_adds,
        "multiply_arithmetic": multiply_arithmetic(step),
        "size_formula": size_formula(step),
        "bytes": activation_bytes(step),
        "receptive_field": field and asdict(field),
        "error": step.error,
        "fixes": [_fix_as_json(fix) for fix in step.fixes],
    }


def _fix_as_json(fix: Fix) -> dict[str, Any]:
    return {"title": fix.title, "layers": [layer.to_dict() for layer in fix.layers]}


def _documented(text: str) -> Iterator[tuple[str, str]]:
    """The arguments in a docstring's section “Args”, each with the first sentence of what is said of it."""
    _, _, section = cleandoc(text).partition("Args:\n")
    entries: list[list[str]] = []
    for line in section.splitlines():
        if line and not line.startswith(" "):  # the next section
            break
        entry = _ENTRY.match(line.strip())
        if entry and len(line) - len(line.lstrip()) == 4:
            entries.append(list(entry.groups()))
        elif entries:
            entries[-1][1] += " " + line.strip()
    for name, words in entries:
        plain = _DEFAULT.sub("", _ROLE.sub(r"\1", words)).replace("`", "").strip()  # the playground's default may be another
        sentence = _SENTENCE.split(plain)[0].rstrip(".")
        yield name, sentence[:1].upper() + sentence[1:] + "."
