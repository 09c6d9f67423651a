"""A training run as a folder on disk: the one truth that pages, the command line and workers share.

config.json      how it is trained
network.json     what is trained
events.jsonl     all that happened, one JSON object a line, only ever appended to
checkpoint.pt    the last kept state: weights, optimizer, random numbers, position
checkpoints/     earlier ones, by their step, so that one can go back
start.safetensors  the weights that training starts from, where they are not fresh
own.safetensors  images and labels of the learner's own, where some are learnt beside the data set
snapshots.jsonl  histograms, filters and predictions over time, one JSON object a line
closeup.json     the last iteration that was looked at closely
worker.lock      held by the process that trains, so that a dead one is known at once
worker.log       what that process printed, for whoever looks for a bug
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import pickle
import re
import secrets
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from filelock import FileLock, Timeout

from playground import settings
from playground.data.catalogue import dataset_info
from playground.data.own import Labelled, from_safetensors, refuse_unsound, to_safetensors
from playground.errors import CheckpointError, DataError, PlaygroundError, RunError, UnknownName
from playground.network import spec as networks
from playground.network.spec import NetworkSpec
from playground.training.config import TrainConfig
from playground.training.events import Closeup, Created, Event, Snapshot, Step, Steps, from_json

State = Literal["queued", "running", "paused", "finished", "stopped", "failed", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running", "paused")
"""States in which a run has, or waits for, a worker."""

LOCK_SECONDS = 5.0
"""How long a worker waits for the lock: readers that look whether it is held hold it for an instant themselves."""

FLUSH_SECONDS = 0.2
"""How long a recorded step may wait to be written."""
KEPT = 12
"""Checkpoints that a run keeps at most."""

_ID = re.compile(r"^\d{8}-\d{6}-[a-z0-9-]{1,60}-[0-9a-f]{4}$")


@dataclass(frozen=True)
class Run:
    """A run's folder; everything else is read from it when asked."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def config(self) -> TrainConfig:
        """Raises CheckpointError: the file is not there or not a configuration."""
        try:
            return TrainConfig.from_dict(json.loads((self.path / "config.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(f"The settings of the run “{self.id}” cannot be read: {error}.") from None

    @property
    def network(self) -> NetworkSpec:
        """Raises ConfigError: the file is not there or not a network."""
        return networks.load(self.path / "network.json")

    @property
    def owner(self) -> str:
        """Whose it is; empty for a run that belongs to everyone, as those of the command line do.

        Raises:
            CheckpointError: its record does not begin as one does.
        """
        with self._events_path.open("rb") as file, contextlib.suppress(ValueError):
            first = from_json(file.readline())
            if isinstance(first, Created):
                return first.owner
        raise CheckpointError(f"The record of the run “{self.id}” is damaged, so nobody knows whose it is.")

    @property
    def checkpoint_path(self) -> Path:
        return self.path / "checkpoint.pt"

    @property
    def start_path(self) -> Path:
        return self.path / "start.safetensors"

    @property
    def own_path(self) -> Path:
        return self.path / "own.safetensors"

    @property
    def _kept_folder(self) -> Path:
        return self.path / "checkpoints"

    @property
    def _snapshots_path(self) -> Path:
        return self.path / "snapshots.jsonl"

    @property
    def _closeup_path(self) -> Path:
        return self.path / "closeup.json"

    @property
    def _events_path(self) -> Path:
        return self.path / "events.jsonl"

    def append(self, event: Event) -> None:
        """Add an event to the record. A line that a crash tore is closed first, so that it spoils no other."""
        with self.recorder() as record:
            record(event)

    def remember(self, events: list[Event]) -> None:
        """Append many events at once."""
        with self.recorder() as record:
            for event in events:
                record(event)

    @contextmanager
    def recorder(self) -> Iterator[Callable[[Event], None]]:
        """A function that appends events. All are handed to the operating system before it returns, but for steps
        that follow another within `FLUSH_SECONDS`: those wait for the next event, so that recording costs training little."""
        with _appended(self._events_path) as file:
            waiting: list[Step] = []
            flushed = -math.inf

            def flush() -> None:
                nonlocal flushed
                if waiting:
                    file.write(Steps.of(waiting).to_json() + "\n")
                    waiting.clear()
                file.flush()
                flushed = time.monotonic()

            def record(event: Event) -> None:
                if isinstance(event, Step):
                    waiting.append(event)
                    if time.monotonic() - flushed > FLUSH_SECONDS:
                        flush()
                    return
                flush()
                self._write(event, file)
                file.flush()

            try:
                yield record
            finally:
                flush()

    def _write(self, event: Event, file: IO[str]) -> None:
        """Put an event where it belongs: pictures are large, and of close-ups only the last is kept."""
        match event:
            case Snapshot():
                with _appended(self._snapshots_path) as snapshots:
                    snapshots.write(event.to_json() + "\n")
            case Closeup():
                _replace(self._closeup_path, event.to_json())
            case _:
                file.write(event.to_json() + "\n")

    def snapshots(self) -> list[Snapshot]:
        """The pictures of the network's inside, the earliest first. Those taken behind a checkpoint that the run went back to are void."""
        if not self._snapshots_path.exists():
            return []
        found: list[Snapshot] = []
        for event in _parse(self._snapshots_path.read_bytes()):
            if isinstance(event, Snapshot):
                while found and found[-1].step >= event.step:
                    found.pop()
                found.append(event)
        return found

    def closeup(self) -> Closeup | None:
        """The last iteration that was looked at closely."""
        try:
            event = from_json(self._closeup_path.read_bytes())
        except (OSError, ValueError):
            return None
        return event if isinstance(event, Closeup) else None

    def events(self, offset: int = 0) -> tuple[Iterator[Event], int]:
        """The events from a byte offset on, one by one, and the offset to go on from; a torn last line waits for its rest."""
        try:
            with self._events_path.open("rb") as file:
                file.seek(offset)
                block = file.read()
        except FileNotFoundError:
            return iter(()), offset
        whole = block[: block.rfind(b"\n") + 1]
        return _parse(whole), offset + len(whole)

    def is_held(self) -> bool:
        """Whether a living process trains this run."""
        lock = FileLock(self.path / "worker.lock")
        try:
            with lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the process that trains this run.

        Raises:
            RunError: another process does.
        """
        try:
            with FileLock(self.path / "worker.lock").acquire(timeout=LOCK_SECONDS):
                yield
        except Timeout:
            raise RunError(f"The run “{self.id}” is being trained by another process.") from None

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Keep a training state: written beside its place, then renamed, so that a crash leaves the old one.

        It also stays among the earlier ones until it is thinned out.

        Raises:
            RunError: the disk is full.
        """
        import torch

        temporary = self.checkpoint_path.with_suffix(".tmp")
        try:
            torch.save(state, temporary)
            self._keep(temporary, state["step"])
            temporary.replace(self.checkpoint_path)
        except (OSError, RuntimeError) as error:  # torch reports a failed write as a RuntimeError
            temporary.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise RunError(
                "The checkpoint could not be written: the disk seems to be full.",
                "Free some space, then resume the run; it goes on from its last checkpoint.",
            ) from error

    def _keep(self, path: Path, step: int) -> None:
        """Let the file be known by its step, too, and thin out those that lie closest together; nothing is written twice where links can be made."""
        self._kept_folder.mkdir(exist_ok=True)
        kept = self.checkpoint_path_at(step)
        kept.unlink(missing_ok=True)
        try:
            os.link(path, kept)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, kept)
        steps = self.checkpoints()
        while len(steps) > KEPT:
            gaps = [after - before for before, after in zip(steps, steps[2:], strict=False)]
            self.checkpoint_path_at(steps.pop(1 + gaps.index(min(gaps)))).unlink(missing_ok=True)

    def checkpoints(self) -> list[int]:
        """The steps whose states are kept, rising."""
        return sorted(int(path.stem) for path in self._kept_folder.glob("*.pt") if path.stem.isdecimal())

    def checkpoint_path_at(self, step: int) -> Path:
        """The file of the state after so many steps."""
        return self._kept_folder / f"{step:08d}.pt"

    def load_checkpoint(self, step: int | None = None) -> dict[str, Any] | None:
        """The last kept training state, or None where none was kept yet; or the one after so many steps.

        Raises:
            CheckpointError: the file is not a checkpoint, or holds more than plain data and tensors; or none was kept at that step.
        """
        if step is None:
            return load_state(self.checkpoint_path) if self.checkpoint_path.exists() else None
        if step not in self.checkpoints():
            known = ", ".join(map(str, self.checkpoints())) or "none"
            raise CheckpointError(f"No checkpoint of step {step} was kept.", f"Kept: {known}.")
        return load_state(self.checkpoint_path_at(step))

    def start_weights(self) -> dict[str, Any] | None:
        """The weights to start from; None for fresh ones.

        Raises:
            CheckpointError: the file is damaged.
        """
        if not self.start_path.exists():
            return None
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self.start_path)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"The weights to start from cannot be read: {error}.") from None

    def own_images(self) -> Labelled | None:
        """The learner's own images and labels that are learnt beside the data set; None where there are none.

        Raises:
            CheckpointError: the file is damaged, or does not fit the data set.
        """
        if not self.own_path.exists():
            return None
        try:
            return from_safetensors(self.own_path.read_bytes(), dataset_info(self.config.dataset))
        except (DataError, OSError) as error:
            raise CheckpointError(f"The learner’s own images in the run “{self.id}” cannot be read: {error}") from None


def create(config: TrainConfig, network: NetworkSpec, owner: str = "", race: str = "", own: Labelled | None = None) -> Run:
    """Make the folder of a new run, which then waits for a worker.

    Args:
        config: how it is trained.
        network: what is trained.
        owner: whose it is.
        race: a name shared by runs that race against each other.
        own: images of the learner's own, (K, C, H, W) uint8, with their labels (K,) int64, to be learnt beside the data set.

    Raises:
        DataError: the learner's own images do not fit the data set.
        RunError: the folder cannot be written.
    """
    created = Created(time.time(), owner, race=race)
    if own is None:
        return create_from(config, network, created)
    refuse_unsound(own, dataset_info(config.dataset))
    content = to_safetensors(own)
    return create_from(config, network, created, lambda run: run.own_path.write_bytes(content))


def create_from(config: TrainConfig, network: NetworkSpec, created: Created, fill: Callable[[Run], object] = lambda _run: None) -> Run:
    """Make the folder of a new run.

    Args:
        config: how it is trained.
        network: what is trained.
        created: its first event.
        fill: puts what else belongs there into the folder.

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
        run.append(created)
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
    """A folder that nobody finds, for a run to be made in; without its dot the name is free, too, although a class may click in the same second."""
    while True:
        final = settings.runs_folder() / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}-{secrets.token_hex(2)}"
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
    return RunError(f"The run could not be written to {settings.runs_folder()}: {error.strerror}.", "Free some space or choose another folder.")


def find(run_id: str) -> Run:
    """The run with that identifier.

    Raises:
        UnknownName: there is none.
    """
    path = settings.runs_folder() / run_id
    if not _ID.match(run_id) or not (path / "events.jsonl").exists():
        raise UnknownName("run", run_id, (run.id for run in all_runs()[:10]))
    return Run(path)


def all_runs() -> list[Run]:
    """Every run on this machine, the newest first."""
    folder = settings.runs_folder()
    if not folder.exists():
        return []
    names = sorted((path.name for path in folder.iterdir() if _ID.match(path.name)), reverse=True)
    return [Run(folder / name) for name in names if (folder / name / "events.jsonl").exists()]


def load_state(path: Path) -> dict[str, Any]:
    """Read a file of plain data and tensors; never runs code that a file carries.

    Raises:
        CheckpointError: it is not such a file, or holds anything else.
    """
    import torch

    if not _is_archive(path):  # torch.save writes nothing else; older pickles are not worth their risk
        raise CheckpointError(f"{path.name} is not a checkpoint, or is damaged.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise CheckpointError(f"{path.name} holds more than weights and plain data, so it was not opened: it could run code.") from None
    except Exception as error:  # a damaged file makes torch's reader raise anything: IndexError, AssertionError, …
        raise CheckpointError(f"{path.name} is not a checkpoint, or is damaged: {error}") from None
    if not isinstance(state, dict):
        raise CheckpointError(f"{path.name} is not a checkpoint of the playground.")
    return state


def _is_archive(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return False


@contextmanager
def _appended(path: Path) -> Iterator[IO[str]]:
    """The file, open to append lines to it. A line that a crash tore is closed first, so that it spoils no other."""
    torn = path.exists() and not _ends_with_newline(path)
    with path.open("a", encoding="utf-8") as file:
        if torn:
            file.write("\n")
        yield file


def _replace(path: Path, text: str) -> None:
    """Write a file beside its place, then rename it, so that it is whole whoever reads it."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _parse(block: bytes) -> Iterator[Event]:
    """The events of whole lines; one that a crash tore is no event."""
    for line in block.splitlines():
        try:
            yield from_json(line)
        except ValueError:
            continue
