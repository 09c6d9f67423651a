"""Export a run as a zip file or its curves as CSV, and import such a zip file."""

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

from torch import Tensor

from playground import device
from playground.data.catalogue import dataset_info
from playground.data.own_drawings import from_safetensors, to_safetensors
from playground.device import BEST
from playground.errors import CheckpointError, DataError, PlaygroundError, RunError, UnknownName
from playground.messages import msg
from playground.network import source
from playground.network import spec as networks
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.runs.checkpoints import MAX_EARLIER
from playground.runs.history import History
from playground.runs.labels import read_label, relabel
from playground.runs.run import Run, create_from
from playground.runs.sharing import torch_archive, validation
from playground.runs.sharing.weights import expected_state, match_weights, read_weights, write_start
from playground.training.config import TrainConfig
from playground.training.events import Closeup, Created, Event, Snapshot, Stopped
from playground.training.loop import STATE_FORMAT
from playground.untrusted import UNREADABLE, damaged, opened, unzipped

LIMIT = 2_000_000_000
"""Maximum bytes of an exported run, packed and unpacked."""
STATE_LIMIT = 1_000_000_000
"""Maximum bytes of the tensors in one checkpoint."""
RECORD_LIMIT = 100_000_000
"""Maximum bytes of its record: about a million steps."""
TEXT_LIMIT = 1_000_000
"""Maximum bytes of each of its smaller files."""
OWN_LIMIT = 4_000_000
"""Maximum bytes of the learner's own images: a thousand in colour take three million."""

NOT_EXPORTED = msg("Choose a zip file that the playground exported.")
FULL = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a full disk."""
COLUMNS = ("step", "epoch", "seconds", "loss", "accuracy", "learning_rate", "test_loss", "test_accuracy")

_README = """\
A training run of the PyTorch playground: {network} on {dataset}.

config.json          how it was trained
network.json         what was trained
network.py           the same as PyTorch code
events.jsonl         all that happened, one JSON object a line
curves.csv           the curves, for a spreadsheet
checkpoint.pt        the last checkpoint: weights, optimizer, random numbers
checkpoints/         earlier ones, by their step
start.safetensors    the weights that training started from, if they were not initialised
own.safetensors      the learner's own images and labels, if the run was trained on some in addition to the data set

Import it in the playground, or on the command line:

    python -m playground unpack FILE.zip

Or use the weights without the playground:

    from network import network
    network.load_state_dict(torch.load("checkpoint.pt", weights_only=True)["weights"])
    network.eval()
"""  # no text: the archive goes to readers of any language

_NUMBERS: dict[str, tuple[type, ...]] = {
    "step": (int,), "learnt": (int,), "images_processed": (int,), "evaluated_at": (int,), "seconds": (int, float), "learning_seconds": (int, float),
    "learning_rate": (int, float), "rate": (int, float), "last_accuracy": (int, float),
}  # fmt: skip
"""The numbers in a checkpoint, with their allowed types."""
_EARLIER = re.compile(r"checkpoints/\d{8,12}\.pt")

T = TypeVar("T")


def as_csv(run: Run) -> str:
    """Return the run's curves as CSV with one row per step; a value not measured at a step is blank."""
    history = History(run).follow()
    epoch_steps = history.started.steps_per_epoch if history.started else 0
    steps, evaluations = {event.step: event for event in history.steps}, {event.step: event for event in history.evaluations}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number in sorted({*steps, *evaluations}):  # imported weights are evaluated before the first step
        step, test = steps.get(number), evaluations.get(number)
        epoch = f"{number / epoch_steps:.6g}" if epoch_steps else ""
        batch = (step.seconds, step.loss, step.accuracy, step.learning_rate) if step else ("",) * 4
        writer.writerow((number, epoch, *batch, *((test.test_loss, test.test_accuracy) if test else ("", ""))))
    return table.getvalue()


def as_zip(run: Run) -> IO[bytes]:
    """Return the run as a zip archive without its owner, in a temporary file that is deleted when it is closed.

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
            stack.pop_all()  # the caller closes the file
            return file
    except OSError as error:
        raise RunError(
            msg("The run “{run}” could not be exported: {error}.", run=run.id, error=error.strerror), msg("Free some space, then try again.")
        ) from None


def from_zip(data: bytes | Path, owner: str = "", name: str = "run.zip") -> Run:
    """Import a run that `as_zip` exported here or on another machine. If it was running or queued, it can be resumed.

    Args:
        data: the archive's content or path.
        owner: the learner who gets the run.
        name: the archive's name in messages.

    Raises:
        CheckpointError: it is not an exported run, is damaged, too large, of another version, or has values that no run has.
        RunError: the run cannot be written.
    """
    with opened(data, name, LIMIT) as file, unzipped(file, name, LIMIT) as archive:
        packed = _Packed(archive, _folder(archive, name), name)
        config = packed.config()
        spec = packed.network(config)
        events = packed.events("events.jsonl", spec, config)
        created = next(events, None)
        if not isinstance(created, Created):
            raise CheckpointError(msg("The record in {name} does not begin with the event that created the run, so the run cannot be imported.", name=name))
        return create_from(config, spec, Created(created.time, owner), lambda run: packed.fill(run, spec, config, events))


@dataclass(frozen=True)
class _Packed:
    """An exported run that is being imported."""

    archive: zipfile.ZipFile
    folder: str
    """Prefix of the names of its files: empty, or a folder with its slash."""
    name: str
    """The archive's name in messages."""

    def config(self) -> TrainConfig:
        """Return the configuration; a device that this machine does not have becomes `best`."""
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
        return validation.read(io.BytesIO(content), len(spec.layers), classes, self._place(file))

    def fill(self, run: Run, spec: NetworkSpec, config: TrainConfig, events: Iterator[Event]) -> None:
        """Write everything but the configuration and the network into the folder of the new run."""
        for state in self._states(spec):
            run.checkpoints.save(state)
        if self._has("start.safetensors"):
            weights, _ = match_weights(read_weights(self._content("start.safetensors", LIMIT), self._place("start.safetensors")), spec)
            write_start(run, weights)
        self._fill_own(run, config)
        if self._has("label.json"):
            label = read_label(self._content("label.json", TEXT_LIMIT))
            relabel(run, label.name, label.note)
        with run.journal.recorder() as record:
            for event in self._record(events, spec, config):
                record(event)
        history = History(run).follow()
        if history.state == "queued":  # no scheduler here has it in its queue
            run.journal.append(Stopped(time.time(), history.step))
        if history.state == "finished" and not self._has("checkpoint.pt"):
            raise CheckpointError(msg("{archive} does not contain checkpoint.pt, although its run is finished.", archive=self.name))

    def _fill_own(self, run: Run, config: TrainConfig) -> None:
        """Validate the learner's own images, if there are any, and write them into the folder."""
        if not self._has("own.safetensors"):
            return
        content, info = self._content("own.safetensors", OWN_LIMIT), dataset_info(config.dataset)
        try:
            drawings = from_safetensors(content, info)
        except DataError as error:
            raise CheckpointError(msg("own.safetensors in {archive} cannot be imported. {reason}", archive=self.name, reason=error.text)) from None
        run.own_path.write_bytes(to_safetensors(drawings, info))

    def _record(self, events: Iterator[Event], spec: NetworkSpec, config: TrainConfig) -> Iterator[Event]:
        """Yield the events of the record, then the snapshots and the close-up from their own files."""
        yield from (event for event in events if not isinstance(event, (Created, Snapshot, Closeup)))
        for file, kind in (("snapshots.jsonl", Snapshot), ("closeup.json", Closeup)):
            if self._has(file):
                yield from (event for event in self.events(file, spec, config) if isinstance(event, kind))

    def _states(self, spec: NetworkSpec) -> Iterator[dict[str, Any]]:
        """Yield the checkpoints, the last one last."""
        earlier = sorted(file for file in self.archive.namelist() if _EARLIER.fullmatch(file.removeprefix(self.folder)))
        for file in [*earlier[-MAX_EARLIER:], *([f"{self.folder}checkpoint.pt"] if self._has("checkpoint.pt") else [])]:
            shown_name = self._place(file.removeprefix(self.folder))
            with tempfile.TemporaryFile() as copy:
                try:
                    with self.archive.open(file) as content:
                        shutil.copyfileobj(content, copy)
                except UNREADABLE as error:
                    if getattr(error, "errno", None) in FULL:
                        raise
                    raise damaged(self.name) from None
                yield _require_valid_state(torch_archive.read(copy, shown_name, STATE_LIMIT), spec, shown_name)

    def _place(self, file: str) -> str:
        """Name a file of the archive in messages."""
        return msg("{file} in {archive}", file=file, archive=self.name)

    def _has(self, file: str) -> bool:
        return f"{self.folder}{file}" in self.archive.namelist()

    def _content(self, file: str, limit: int) -> bytes:
        if not self._has(file):
            raise CheckpointError(msg("{archive} does not contain {file}, so it is not an exported run.", archive=self.name, file=file), NOT_EXPORTED)
        if self.archive.getinfo(f"{self.folder}{file}").file_size > limit:
            raise CheckpointError(msg("{file} in {archive} has more than {most:,.0f} MB, which is too large.", file=file, archive=self.name, most=limit / 1e6))
        try:
            return self.archive.read(f"{self.folder}{file}")
        except UNREADABLE:
            raise damaged(self.name) from None

    def _read(self, file: str, read: Callable[[bytes], T]) -> T:
        content = self._content(file, TEXT_LIMIT)
        try:
            return read(content)
        except (ValueError, TypeError, RecursionError):
            raise CheckpointError(msg("{file} in {archive} is not in the format that the playground writes.", file=file, archive=self.name)) from None
        except PlaygroundError as error:
            raise CheckpointError(
                msg("{file} in {archive} cannot be read; it may be of another version. {reason}", file=file, archive=self.name, reason=error.text)
            ) from None


def _require_valid_state(state: object, spec: NetworkSpec, name: str) -> dict[str, Any]:
    """Return the checkpoint, if it belongs to this network and has the format that `Training` writes.

    Raises:
        CheckpointError: it does not.
    """
    if not isinstance(state, dict) or state.get("format") != STATE_FORMAT:
        raise CheckpointError(msg("{name} is not a checkpoint of the playground, or one of another version.", name=name))
    weights, reference = state.get("weights"), expected_state(spec)
    if state.get("network") != spec.to_json() or not isinstance(weights, dict) or weights.keys() != reference.keys():
        raise CheckpointError(msg("{name} belongs to another network.", name=name))
    pairs = [(weights[key], tensor) for key, tensor in reference.items()]
    if not all(isinstance(value, Tensor) and value.shape == tensor.shape and value.dtype == tensor.dtype for value, tensor in pairs):
        raise CheckpointError(msg("{name} belongs to another network.", name=name))
    numbers = {"images_processed": 0, **state}  # states of earlier versions lack it
    if not all(type(numbers.get(key)) in kinds and 0 <= numbers[key] < math.inf for key, kinds in _NUMBERS.items()):
        raise damaged(name)
    return state


def _pack(run: Run, texts: dict[str, str], file: IO[bytes]) -> None:
    """Write the archive into the file, and seek to its start."""
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
    """Return the prefix of the names of the run's files: some programs pack the folder, others only its files."""
    names = archive.namelist()
    folders = [entry.removesuffix("config.json") for entry in names if entry.count("/") <= 1 and entry.rpartition("/")[2] == "config.json"]
    if not folders:
        raise CheckpointError(msg("{archive} does not contain {file}, so it is not an exported run.", archive=name, file="config.json"), NOT_EXPORTED)
    return folders[0]


def _checkpoints(run: Run) -> Iterator[Path]:
    """Yield the checkpoint files, each once: the last one also has a name by its step."""
    if run.checkpoints.latest_path.exists():
        yield run.checkpoints.latest_path
    for path in map(run.checkpoints.path_at, run.checkpoints.steps()):
        with suppress(FileNotFoundError):  # a running training deletes some of them
            if not path.samefile(run.checkpoints.latest_path):
                yield path


def _copy(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    """Copy a file into the archive if it exists; tensors are stored uncompressed, because they hardly become smaller."""
    method = zipfile.ZIP_STORED if path.suffix in (".pt", ".safetensors") else zipfile.ZIP_DEFLATED
    with suppress(FileNotFoundError), path.open("rb") as content, archive.open(_entry(name, method), "w", force_zip64=True) as target:
        shutil.copyfileobj(content, target)


def _entry(name: str, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.compress_type, entry.external_attr = method, 0o644 << 16
    return entry


def _anonymous(event: Event) -> Event:
    return replace(event, owner="") if isinstance(event, Created) else event
