"""Presets: the networks that come with the playground, and those that a user puts into `models/`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from playground import environment
from playground.errors import ConfigError, PlaygroundError, UnknownName
from playground.messages import msg
from playground.network.spec import NetworkSpec, load
from playground.network.trace import check


@dataclass(frozen=True)
class Presets:
    """The networks in the folders of network files."""

    networks: dict[str, NetworkSpec]
    """Networks that can be built, by name."""
    faults: dict[str, str]
    """Error messages of the files that cannot be used, by file name."""


def load_presets(folder: Path | None = None) -> Presets:
    """Read every `*.json` of `folder`, or of all model folders; report the error of a broken file and read the others."""
    networks: dict[str, NetworkSpec] = {}
    faults: dict[str, str] = {}
    folders = [folder] if folder else environment.model_folders()
    for path in [path for folder in folders for path in sorted(folder.glob("*.json"))]:
        try:
            spec = _load(path, path.stat().st_mtime_ns)
            if spec.name in networks:
                raise ConfigError([msg("Another file already has a network called “{name}”. Rename one of them.", name=spec.name)])
            check(spec)
            networks[spec.name] = spec
        except PlaygroundError as error:
            faults[path.name] = error.text
    return Presets(networks, faults)


@lru_cache(maxsize=512)
def _load(path: Path, _modified: int) -> NetworkSpec:
    """Read the network in a file; the modification time is part of the cache key, so that a changed file is read again."""
    return load(path)


def preset(name: str) -> NetworkSpec:
    """Return the preset called `name`.

    Raises:
        UnknownName: there is no preset of that name.
        ConfigError: its file cannot be used.
    """
    presets = load_presets()
    file = f"{name}.json"
    if file in presets.faults:
        raise ConfigError([msg("The file {file} cannot be used. {fault}", file=file, fault=presets.faults[file])])
    if name not in presets.networks:
        raise UnknownName(msg("network"), name, presets.networks)
    return presets.networks[name]
