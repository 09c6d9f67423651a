"""The networks that come with the playground, and those that a person drops into `models/`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from playground import environment
from playground.errors import ConfigError, PlaygroundError, UnknownName
from playground.network.spec import NetworkSpec, load
from playground.network.trace import check


@dataclass(frozen=True)
class Presets:
    """What a folder of network files holds."""

    networks: dict[str, NetworkSpec]
    """The networks that can be used, by name."""
    faults: dict[str, str]
    """For each file that cannot be used, by its name, what is wrong with it."""


def load_presets(folder: Path | None = None) -> Presets:
    """Read every `*.json` of the folder; a broken one is named with its fault and keeps no other from loading."""
    networks: dict[str, NetworkSpec] = {}
    faults: dict[str, str] = {}
    folders = [folder] if folder else environment.model_folders()
    for path in [path for folder in folders for path in sorted(folder.glob("*.json"))]:
        try:
            spec = _load(path, path.stat().st_mtime_ns)
            if spec.name in networks:
                raise ConfigError([f"Another file already holds a network called “{spec.name}”."])
            check(spec)
            networks[spec.name] = spec
        except PlaygroundError as error:
            faults[path.name] = str(error)
    return Presets(networks, faults)


@lru_cache(maxsize=512)
def _load(path: Path, _modified: int) -> NetworkSpec:
    """The network in a file, read again only when the file has changed."""
    return load(path)


def preset(name: str) -> NetworkSpec:
    """The network called `name`.

    Raises:
        UnknownName: there is none.
        ConfigError: its file is broken.
    """
    presets = load_presets()
    if f"{name}.json" in presets.faults:
        raise ConfigError([f"The file {name}.json cannot be used. {presets.faults[f'{name}.json']}"])
    if name not in presets.networks:
        raise UnknownName("network", name, presets.networks)
    return presets.networks[name]
