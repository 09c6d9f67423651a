"""A training run as a folder on disk, which pages, the command line and workers share.

config.json      the settings
network.json     the network
events.jsonl     the record: one JSON object a line, only ever appended to
checkpoint.pt    the last checkpoint: weights, optimizer, random numbers, position
checkpoints/     earlier ones, by their step, to go back to
start.safetensors  the weights that training starts from, if they are not initialised
own.safetensors  the learner's own images and labels, if the run is trained on some in addition to the data set
snapshots.jsonl  histograms, filters and predictions over time, one JSON object a line
closeup.json     the last iteration that was recorded in full
worker.lock      held by the process that trains, so that a dead one is known at once
worker.log       the output of that process, if no other run of its race has it
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from playground import environment
from playground.errors import CheckpointError, PlaygroundError, RunError, UnknownName
from playground.messages import msg
from playground.network import spec as networks
from playground.network.spec import NetworkSpec
from playground.runs.checkpoints import Checkpoints
from playground.runs.journal import Journal
from playground.runs.lock import Lock
from playground.training.config import TrainConfig
from playground.training.events import Created

State = Literal["queued", "running", "paused", "finished", "stopped", "failed", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running", "paused")
"""States in which a run has or needs a worker."""
STATES: dict[State, str] = {
    "queued": msg("queued"),
    "running": msg("running"),
    "paused": msg("paused"),
    "finished": msg("finished"),
    "stopped": msg("stopped"),
    "failed": msg("failed"),
    "interrupted": msg("interrupted"),
}
"""The word for each state, as in “The run is paused”."""

CACHED = 4096
"""Number of runs whose settings, network and first event are kept in memory."""

_ID = re.compile(r"^\d{8}-\d{6}-[a-z0-9-]{1,60}-[0-9a-f]{4}$")


@dataclass(frozen=True)
class Run:
    """A run's folder. Files that never change are read once, others at each access."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def journal(self) -> Journal:
        """The record: events, snapshots, the last close-up."""
        return Journal(self.path)

    @property
    def checkpoints(self) -> Checkpoints:
        """The training states that were saved."""
        return Checkpoints(self.path)

    @property
    def lock(self) -> Lock:
        """Held by the process that trains the run."""
        return Lock(self.path)

    @property
    def config(self) -> TrainConfig:
        """The settings; parsed again only if the file has changed.

        Raises:
            CheckpointError: the file is missing or is not a configuration.
        """
        return _config(self, modified_ns(self.path / "config.json"))

    @property
    def network(self) -> NetworkSpec:
        """The network; parsed again only if the file has changed.

        Raises:
            ConfigError: the file is missing or is not a network.
        """
        return _network(self, modified_ns(self.path / "network.json"))

    @property
    def created(self) -> Created:
        """The first event; read once.

        Raises:
            CheckpointError: the record does not begin with it.
        """
        return _created(self, modified_ns(self.path / "config.json"))

    @property
    def owner(self) -> str:
        """The learner whose run it is; empty for a run of the command line, which belongs to everyone.

        Raises:
            CheckpointError: the record is damaged.
        """
        return self.created.owner

    @property
    def start_path(self) -> Path:
        return self.path / "start.safetensors"

    @property
    def own_path(self) -> Path:
        return self.path / "own.safetensors"


@lru_cache(maxsize=CACHED)
def _config(run: Run, _modified: int) -> TrainConfig:
    try:
        return TrainConfig.from_dict(json.loads((run.path / "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(msg("The settings of the run “{run}” cannot be read: {error}.", run=run.id, error=str(error))) from None


@lru_cache(maxsize=CACHED)
def _network(run: Run, _modified: int) -> NetworkSpec:
    return networks.load(run.path / "network.json")


@lru_cache(maxsize=CACHED)
def _created(run: Run, _modified: int) -> Created:
    return run.journal.created()


def modified_ns(path: Path) -> int:
    """Return when the file was last changed, in nanoseconds; 0 if it does not exist."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def create(config: TrainConfig, network: NetworkSpec, owner: str = "", race: str = "", own: bytes | None = None) -> Run:
    """Create a queued run.

    Args:
        config: the settings.
        network: the network.
        owner: the learner whose run it is.
        race: a name shared by runs that race against each other.
        own: the content of `own.safetensors`: the learner's own images and labels, to train on in addition to the data set.

    Raises:
        RunError: the folder cannot be written.
    """
    created = Created(time.time(), owner, race=race)
    if own is None:
        return create_from(config, network, created)
    return create_from(config, network, created, lambda run: run.own_path.write_bytes(own))


def create_from(config: TrainConfig, network: NetworkSpec, created: Created, fill: Callable[[Run], object] = lambda _run: None) -> Run:
    """Create a run.

    Args:
        config: the settings.
        network: the network.
        created: its first event.
        fill: writes further files into the folder.

    Raises:
        RunError: the folder cannot be written.
    """
    name = re.sub(r"[^a-z0-9]+", "-", f"{config.dataset} {network.name}".lower()).strip("-")[:60]
    path = _reserved(name)
    final = path.with_name(path.name.removeprefix("."))
    try:
        run = Run(path)
        (path / "config.json").write_text(json.dumps(config.to_dict(), indent=2) + "\n", encoding="utf-8")
        (path / "network.json").write_text(network.to_json(), encoding="utf-8")
        run.journal.append(created)
        fill(run)
        path.rename(final)
    except PlaygroundError:
        shutil.rmtree(path, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(path, ignore_errors=True)
        raise _unwritable(error) from error
    return Run(final)


def _reserved(name: str) -> Path:
    """Create a hidden folder to build a run in, whose name without the dot is free, even if a class clicks in the same second."""
    while True:
        final = environment.runs_folder() / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}-{secrets.token_hex(2)}"
        path = final.with_name(f".{final.name}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritable(error) from error
        if not final.exists():
            return path
        path.rmdir()


def _unwritable(error: OSError) -> RunError:
    return RunError(
        msg("The run could not be written to {folder}: {error}.", folder=str(environment.runs_folder()), error=error.strerror),
        msg("Free some space or choose another folder."),
    )


def find(run_id: str) -> Run:
    """Return the run with that identifier.

    Raises:
        UnknownName: there is none.
    """
    path = environment.runs_folder() / run_id
    if not _ID.match(run_id) or not (path / "events.jsonl").exists():
        raise UnknownName(msg("run"), run_id, everyones_runs())
    return Run(path)


def everyones_runs() -> list[str]:
    """Return identifiers of the newest runs that belong to no learner: a message to one learner must not name the runs of others."""
    return [run.id for run in all_runs() if not run.owner][:10]


def all_runs() -> list[Run]:
    """Return all runs on this machine, the newest first."""
    folder = environment.runs_folder()
    if not folder.exists():
        return []
    names = sorted((path.name for path in folder.iterdir() if _ID.match(path.name)), reverse=True)
    return [Run(folder / name) for name in names if (folder / name / "events.jsonl").exists()]
