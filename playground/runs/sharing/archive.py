"""A run as one file, to take along and to open elsewhere; and its curves as a table."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, TypeVar

from playground.data.catalogue import dataset_info
from playground.data.own_drawings import from_safetensors, to_safetensors
from playground.device import BEST
from playground.errors import CheckpointError, DataError, PlaygroundError, RunError, UnknownName
from playground.network import source
from playground.network import spec as networks
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.runs.checkpoints import KEPT
from playground.runs.history import History
from playground.runs.labels import read_label, relabel
from playground.runs.run import Run, create_from
from playground.runs.sharing import torch_archive, validation
from playground.runs.sharing.weights import expected, fitted, read_weights, write_start
from playground.training.config import TrainConfig
from playground.training.events import Closeup, Created, Event, Snapshot, Stopped
from playground.untrusted import UNREADABLE, damaged, opened, unzipped

LIMIT = 2_000_000_000
"""Bytes of a packed run, and of all that is in it, at most."""
STATE_LIMIT = 1_000_000_000
"""Bytes of the tensors in one kept state, at most."""
RECORD_LIMIT = 100_000_000
"""Bytes of its record, at most: some million steps."""
TEXT_LIMIT = 1_000_000
"""Bytes of each of its smaller files, at most."""
OWN_LIMIT = 4_000_000
"""Bytes of the learner's own images, at most: a thousand in colour take three million."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a disk that takes no more."""
COLUMNS = ("step", "epoch", "seconds", "loss", "accuracy", "learning_rate", "test_loss", "test_accuracy")

_README = """\
A training run of the PyTorch playground: {network} on {dataset}.

config.json          how it was trained
network.json         what was trained
network.py           the same as PyTorch code
events.jsonl         all that happened, one JSON object a line
curves.csv           the curves, for a spreadsheet
checkpoint.pt        the last kept state: weights, optimizer, random numbers
checkpoints/         earlier ones, by their step
start.safetensors    the weights that training started from, where they were not fresh
own.safetensors      images and labels of the learner's own, where some were learnt beside the data set

Open it in the playground again, or on the command line:

    python -m playground unpack FILE.zip

Or use the weights without the playground:

    from network import network
    network.load_state_dict(torch.load("checkpoint.pt", weights_only=True)["weights"])
    network.eval()
"""

_NUMBERS: dict[str, tuple[type, ...]] = {
    "step": (int,), "learnt": (int,), "evaluated_at": (int,), "seconds": (int, float), "learning_seconds": (int, float),
    "learning_rate": (int, float), "rate": (int, float), "last_accuracy": (int, float),
}  # fmt: skip
"""The numbers in a training state, and what each may be."""
_KEPT = re.compile(r"checkpoints/\d{8,12}\.pt")

T = TypeVar("T")


def as_csv(run: Run) -> str:
    """The run's curves, one row a step; what was not measured at a step is blank."""
    history = History(run).follow()
    epoch_steps = history.started.steps_per_epoch if history.started else 0
    taken, tried = {event.step: event for event in history.steps}, {event.step: event for event in history.evaluations}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number in sorted({*taken, *tried}):  # weights from elsewhere are tried before their first step
        step, test = taken.get(number), tried.get(number)
        epoch = f"{number / epoch_steps:.6g}" if epoch_steps else ""
        learnt = (step.seconds, step.loss, step.accuracy, step.learning_rate) if step else ("",) * 4
        writer.writerow((number, epoch, *learnt, *((test.test_loss, test.test_accuracy) if test else ("", ""))))
    return table.getvalue()


def as_zip(run: Run) -> IO[bytes]:
    """The run as a zip archive, in a temporary file that is gone when it is closed. Whose the run is, is not in it.

    Raises:
        PlaygroundError: the run's own files cannot be read, or there is no room for the archive.
    """
    config, spec, info = run.config, run.network, dataset_info(run.config.dataset)
    texts = {
        "README.txt": _README.format(network=spec.title or spec.name, dataset=info.title),
        "config.json": json.dumps(config.to_dict(), indent=2) + "\n",
        "network.json": spec.to_json(),
        "network.py": source.sequential_script(spec),
        "curves.csv": as_csv(run),
    }
    try:
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile())
            _pack(run, texts, file)
            stack.pop_all()  # whoever asked for the file closes it
            return file
    except OSError as error:
        raise RunError(f"The run “{run.id}” could not be packed: {error.strerror}.", "Free some space, then try again.") from None


def from_zip(data: bytes | Path, owner: str = "", name: str = "run.zip") -> Run:
    """Make a run of what `as_zip` wrote, here or elsewhere. One that was training, or waited to, can be resumed.

    Args:
        data: the archive, or where it lies.
        owner: whose the run is here.
        name: what the learner calls the archive.

    Raises:
        CheckpointError: it is no packed run, is damaged, too large, of another version, or holds what no run holds. Nothing is left of it.
        RunError: the run cannot be written.
    """
    with opened(data, name, LIMIT) as file, unzipped(file, name, LIMIT) as archive:
        packed = _Packed(archive, _folder(archive, name), name)
        config = packed.config()
        spec = packed.network(config)
        events = packed.events("events.jsonl", spec, config)
        created = next(events, None)
        if not isinstance(created, Created):
            raise CheckpointError(f"{name} lacks the beginning of its record.")
        return create_from(config, spec, Created(created.time, owner), lambda run: packed.fill(run, spec, config, events))


@dataclass(frozen=True)
class _Packed:
    """A packed run that is being opened."""

    archive: zipfile.ZipFile
    folder: str
    """What the names of its files begin with: empty, or a folder with its slash."""
    name: str
    """What the learner calls the archive."""

    def config(self) -> TrainConfig:
        """The settings; a device that this machine lacks is left to be chosen."""
        from playground import device

        config = self._read("config.json", lambda text: TrainConfig.from_dict(json.loads(text)))
        try:
            device.get(config.device)
        except UnknownName:
            return replace(config, device=BEST)
        return config

    def network(self, config: TrainConfig) -> NetworkSpec:
        spec = self._read("network.json", lambda text: networks.from_json(text.decode()))
        info = dataset_info(config.dataset)
        check(spec, info.input_shape, len(info.classes))
        return spec

    def events(self, file: str, spec: NetworkSpec, config: TrainConfig) -> Iterator[Event]:
        content = self._content(file, RECORD_LIMIT)
        classes = len(dataset_info(config.dataset).classes)
        return validation.read(io.BytesIO(content), len(spec.layers), classes, f"{file} in {self.name}")

    def fill(self, run: Run, spec: NetworkSpec, config: TrainConfig, events: Iterator[Event]) -> None:
        """Put everything but the settings and the network into the folder of the new run."""
        for state in self._states(spec):
            run.checkpoints.save(state)
        if self._has("start.safetensors"):
            weights, _ = fitted(read_weights(self._content("start.safetensors", LIMIT), f"start.safetensors in {self.name}"), spec)
            write_start(run, weights)
        self._fill_own(run, config)
        if self._has("label.json"):
            found = read_label(self._content("label.json", TEXT_LIMIT))
            relabel(run, found.name, found.note)
        with run.journal.recorder() as record:
            for event in self._record(events, spec, config):
                record(event)
        history = History(run).follow()
        if history.state == "queued":  # nobody here has promised to train it
            run.journal.append(Stopped(time.time(), history.step))
        if history.state == "finished" and not self._has("checkpoint.pt"):
            raise CheckpointError(f"{self.name} lacks checkpoint.pt, although its run is finished.")

    def _fill_own(self, run: Run, config: TrainConfig) -> None:
        """Put the learner's own images into the folder, written anew, where there are some."""
        if not self._has("own.safetensors"):
            return
        content = self._content("own.safetensors", OWN_LIMIT)
        try:
            own = from_safetensors(content, dataset_info(config.dataset))
        except DataError as error:
            raise CheckpointError(f"own.safetensors in {self.name} cannot be used. {error}") from None
        run.own_path.write_bytes(to_safetensors(own))

    def _record(self, events: Iterator[Event], spec: NetworkSpec, config: TrainConfig) -> Iterator[Event]:
        """All that happened, and the pictures that were taken, each from its own file."""
        yield from (event for event in events if not isinstance(event, (Created, Snapshot, Closeup)))
        for file, kind in (("snapshots.jsonl", Snapshot), ("closeup.json", Closeup)):
            if self._has(file):
                yield from (event for event in self.events(file, spec, config) if isinstance(event, kind))

    def _states(self, spec: NetworkSpec) -> Iterator[dict[str, Any]]:
        """The kept training states, the last one last."""
        kept = sorted(file for file in self.archive.namelist() if _KEPT.fullmatch(file.removeprefix(self.folder)))
        for file in [*kept[-KEPT:], *([f"{self.folder}checkpoint.pt"] if self._has("checkpoint.pt") else [])]:
            told = f"{file.removeprefix(self.folder)} in {self.name}"
            with tempfile.TemporaryFile() as copy:
                try:
                    with self.archive.open(file) as content:
                        shutil.copyfileobj(content, copy)
                except UNREADABLE as error:
                    if getattr(error, "errno", None) in FULL:
                        raise
                    raise damaged(self.name) from None
                yield _sound_state(torch_archive.read(copy, told, STATE_LIMIT), spec, told)

    def _has(self, file: str) -> bool:
        return f"{self.folder}{file}" in self.archive.namelist()

    def _content(self, file: str, limit: int) -> bytes:
        if not self._has(file):
            raise CheckpointError(f"{self.name} lacks {file}, so it is no packed run.")
        if self.archive.getinfo(f"{self.folder}{file}").file_size > limit:
            raise CheckpointError(f"{file} in {self.name} is too large.")
        try:
            return self.archive.read(f"{self.folder}{file}")
        except UNREADABLE:
            raise damaged(self.name) from None

    def _read(self, file: str, read: Callable[[bytes], T]) -> T:
        content = self._content(file, TEXT_LIMIT)
        try:
            return read(content)
        except (ValueError, TypeError, RecursionError):
            raise CheckpointError(f"{file} in {self.name} is not what the playground writes there.") from None
        except PlaygroundError as error:
            raise CheckpointError(f"{file} in {self.name} cannot be used, perhaps because it is of another version. {error}") from None


def _sound_state(state: object, spec: NetworkSpec, name: str) -> dict[str, Any]:
    """A training state as the loop keeps them, of this network.

    Raises:
        CheckpointError: it is none.
    """
    from torch import Tensor

    from playground.training.loop import STATE_FORMAT

    if not isinstance(state, dict) or state.get("format") != STATE_FORMAT:
        raise CheckpointError(f"{name} is not a checkpoint of the playground, or one of another version.")
    weights, wanted = state.get("weights"), expected(spec)
    if state.get("network") != spec.to_json() or not isinstance(weights, dict) or weights.keys() != wanted.keys():
        raise CheckpointError(f"{name} belongs to another network.")
    found = [(weights[key], tensor) for key, tensor in wanted.items()]
    if not all(isinstance(its, Tensor) and its.shape == tensor.shape and its.dtype == tensor.dtype for its, tensor in found):
        raise CheckpointError(f"{name} belongs to another network.")
    if not all(type(state.get(key)) in kinds and 0 <= state[key] < math.inf for key, kinds in _NUMBERS.items()):
        raise damaged(name)
    return state


def _pack(run: Run, texts: dict[str, str], file: IO[bytes]) -> None:
    """Write the archive into the file, and go back to its start."""
    with zipfile.ZipFile(file, "w") as archive:
        for path in _checkpoints(run):  # before the record, which then reaches at least as far
            _copy(archive, path, f"{run.id}/{path.relative_to(run.path).as_posix()}")
        for name, text in texts.items():
            archive.writestr(_entry(f"{run.id}/{name}"), text)
        with archive.open(_entry(f"{run.id}/events.jsonl"), "w", force_zip64=True) as record:
            for event in run.journal.events()[0]:
                record.write(_anonymous(event).to_json().encode() + b"\n")
        for name in ("snapshots.jsonl", "closeup.json", "label.json", "start.safetensors", "own.safetensors"):
            _copy(archive, run.path / name, f"{run.id}/{name}")
    file.seek(0)


def _folder(archive: zipfile.ZipFile, name: str) -> str:
    """What the names of the run's files begin with: what packs a folder puts its name there, and what packs its files does not."""
    names = archive.namelist()
    found = [entry.removesuffix("config.json") for entry in names if entry.count("/") <= 1 and entry.rpartition("/")[2] == "config.json"]
    if not found:
        raise CheckpointError(f"{name} lacks config.json, so it is no packed run.")
    return found[0]


def _checkpoints(run: Run) -> Iterator[Path]:
    """The files of the kept states, each once: the last is known by its step, too."""
    if run.checkpoints.latest_path.exists():
        yield run.checkpoints.latest_path
    for path in map(run.checkpoints.path_at, run.checkpoints.steps()):
        with suppress(FileNotFoundError):  # a run that trains thins them out
            if not path.samefile(run.checkpoints.latest_path):
                yield path


def _copy(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    """Put a file into the archive, if it is there. Numbers are stored as they are: they hardly become smaller."""
    method = zipfile.ZIP_STORED if path.suffix in (".pt", ".safetensors") else zipfile.ZIP_DEFLATED
    with suppress(FileNotFoundError), path.open("rb") as content, archive.open(_entry(name, method), "w", force_zip64=True) as target:
        shutil.copyfileobj(content, target)


def _entry(name: str, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.compress_type, entry.external_attr = method, 0o644 << 16
    return entry


def _anonymous(event: Event) -> Event:
    return replace(event, owner="") if isinstance(event, Created) else event
