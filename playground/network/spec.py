"""Network specifications: plain data that is saved as JSON, sent to pages, traced and built."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from playground.errors import ConfigError, PlaygroundError
from playground.messages import msg
from playground.network.catalogue import Settings, layer_type
from playground.network.types import Shape, Value

VERSION = 1
"""Version of the file format; a file without `version` has this one."""
MAX_LAYERS = 200
MAX_SIZE = 4096

SavedLayer = dict[str, Value]
"""A layer as it is saved: its `type` and the parameters that are set."""


class SavedNetwork(TypedDict):
    """A network as it is saved; one that was written elsewhere may lack the texts."""

    name: str
    title: NotRequired[str]
    summary: NotRequired[str]
    source: NotRequired[str]
    input_shape: list[int]
    layers: list[SavedLayer]
    """Of each its `type` and the parameters that are set; on the Network page one may be `off`."""


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a network: its kind and the parameters that are set; the others have their defaults."""

    type: str
    params: Mapping[str, Value] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.type, *sorted(self.params.items())))

    @property
    def settings(self) -> Settings:
        """Values of all parameters, defaults included."""
        return cast("Settings", layer_type(self.type).settings(self.params))  # the catalogue has their types as data

    def to_dict(self) -> SavedLayer:
        return {"type": self.type, **self.params}


@dataclass(frozen=True)
class NetworkSpec:
    """A stack of layers and the shape of one input sample.

    Raises:
        ConfigError: a layer kind or a parameter does not exist or is out of range; lists all of them.
    """

    name: str
    input_shape: Shape
    """Sizes of one sample without the batch: ``(F,)`` or ``(C, H, W)``."""
    layers: tuple[LayerSpec, ...]
    title: str = ""
    summary: str = ""
    """Purpose of the network in a sentence."""
    source: str = ""
    """Publication or documentation that describes the network."""

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise ConfigError(problems)

    def with_layers(self, layers: tuple[LayerSpec, ...]) -> NetworkSpec:
        return replace(self, layers=layers)

    def to_dict(self) -> SavedNetwork:
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "source": self.source,
            "input_shape": list(self.input_shape),
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def to_json(self) -> str:
        """Write the format of `models/*.json`, with one line for each layer."""
        head = {key: value for key, value in self.to_dict().items() if key != "layers"}
        lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in head.items()]
        layers = ",\n".join(f"    {json.dumps(layer.to_dict())}" for layer in self.layers)
        return "\n".join(["{", *lines, '  "layers": [', layers, "  ]", "}"]) + "\n"


def from_dict(document: object) -> NetworkSpec:
    """Read a network from plain data in the format of `NetworkSpec.to_dict`.

    Raises:
        ConfigError: a field is missing, has the wrong type or is out of range; lists all problems.
    """
    if not isinstance(document, dict):
        raise ConfigError([msg("A network is a JSON object with “name”, “input_shape” and “layers”.")])
    if document.get("version", VERSION) != VERSION:
        saved = str(document["version"])[:20]
        raise ConfigError(
            [msg("This network was saved in version {saved} of the format; this playground reads version {version}.", saved=saved, version=VERSION)]
        )
    shape, layers = document.get("input_shape"), document.get("layers")
    problems = []
    if not isinstance(shape, list) or not all(isinstance(size, int) and not isinstance(size, bool) for size in shape):
        problems.append(msg("“input_shape” must be a list of whole numbers, such as [1, 28, 28]."))
    if not isinstance(layers, list) or not all(isinstance(layer, dict) and isinstance(layer.get("type"), str) for layer in layers):
        problems.append(msg("“layers” must be a list of objects, each with a “type”."))
    if not isinstance(document.get("name"), str) or not document["name"]:
        problems.append(msg("“name” must be a non-empty string."))
    if problems or not isinstance(shape, list) or not isinstance(layers, list):
        raise ConfigError(problems)
    texts = {key: str(document.get(key) or "") for key in ("name", "title", "summary", "source")}
    specs = tuple(LayerSpec(layer["type"], {key: value for key, value in layer.items() if key != "type"}) for layer in layers)
    return NetworkSpec(input_shape=tuple(shape), layers=specs, **texts)


def from_json(text: str) -> NetworkSpec:
    """Read a network from JSON in the format of `NetworkSpec.to_json`.

    Raises:
        ConfigError: the text is not JSON, or not a network.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError([msg("This is not JSON: {error}.", error=str(error))]) from None
    return from_dict(document)


def load(path: Path) -> NetworkSpec:
    """Read a network from a JSON file.

    Raises:
        ConfigError: the file cannot be read, is not JSON, or is not a network.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([msg("The file {file} cannot be read: {error}.", file=path.name, error=str(error))]) from None
    return from_json(text)


def _problems(spec: NetworkSpec) -> list[str]:
    problems: list[str] = []
    if len(spec.input_shape) not in (1, 3) or not all(1 <= size <= MAX_SIZE for size in spec.input_shape):
        problems.append(
            msg("The input shape {shape} must be (features) or (channels, height, width), with sizes from 1 to {most}.", shape=spec.input_shape, most=MAX_SIZE)
        )
    if not 1 <= len(spec.layers) <= MAX_LAYERS:
        problems.append(msg("A network must have from 1 to {most} layers, not {count}.", most=MAX_LAYERS, count=len(spec.layers)))
    for index, layer in enumerate(spec.layers):
        try:
            layer_problems = layer_type(layer.type).problems(layer.params)
        except PlaygroundError as error:
            layer_problems = [error.text]
        problems.extend(msg("Layer {index}: {problem}", index=index, problem=problem) for problem in layer_problems)
    return problems
