"""Export and import the weights of a run, as a `state_dict` of PyTorch or as safetensors."""

from __future__ import annotations

import io
import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save, save_file
from torch import Tensor

from playground.errors import CheckpointError, RunError
from playground.messages import joined, listed, msg
from playground.network.build import build
from playground.network.spec import NetworkSpec
from playground.runs.history import History
from playground.runs.run import Run, create_from
from playground.runs.sharing import torch_archive
from playground.training.config import TrainConfig
from playground.training.events import Created
from playground.untrusted import damaged, opened

LIMIT = 500_000_000
"""Maximum bytes of a file of weights."""
MAX_MISFITS = 5
"""Maximum number of tensors with another shape that a message lists."""
MAX_RENAMED = 24
"""Maximum number of renamed layers that a note lists."""
NAME_LIMIT = 200
"""Maximum characters of a tensor's name."""

_WRAPPERS = ("weights", "state_dict", "model_state_dict", "model")
"""Keys under which a checkpoint can store the weights: the playground's, and those common in tutorials."""
_PREFIXES = ("module.", "_orig_mod.")
"""Prefixes that `nn.DataParallel` and `torch.compile` add to every name."""


def weights_of(run: Run, step: int | None = None) -> dict[str, Tensor]:
    """Return a run's weights: the `state_dict` of its `nn.Sequential`.

    Args:
        run: the run.
        step: the step of the checkpoint; None for the last one.

    Raises:
        CheckpointError: there is no checkpoint, or none of that step, or it cannot be read.
    """
    return _plain_weights(_state(run, step))


def as_state_dict(run: Run, step: int | None = None) -> bytes:
    """Return the content of a file for `network.load_state_dict(torch.load(…, weights_only=True))`.

    Raises:
        CheckpointError: as `weights_of` does.
    """
    file = io.BytesIO()
    torch.save(weights_of(run, step), file)
    return file.getvalue()


def as_safetensors(run: Run, step: int | None = None) -> bytes:
    """Return the weights as safetensors, with the network, the settings and the test accuracy in the header.

    Raises:
        CheckpointError: as `weights_of` does.
    """
    state = _state(run, step)
    evaluated = [event.test_accuracy for event in History(run).follow().evaluations if event.step <= state["step"]]
    facts = {"network": run.network.to_json(), "config": json.dumps(run.config.to_dict())}
    if evaluated:
        facts["test_accuracy"] = f"{evaluated[-1]:.4f}"
    content: bytes = save(_plain_weights(state), facts)
    return content


def read_weights(data: bytes | Path, name: str) -> dict[str, Tensor]:
    """Read the tensors in a file of unknown origin; no code in it is ever run.

    The file is safetensors, or a `state_dict` that `torch.save` wrote, alone or in a checkpoint.

    Args:
        data: its content or path.
        name: its name in messages.

    Raises:
        CheckpointError: it is neither, is damaged or too large, has more than weights, or non-finite values.
    """
    with opened(data, name, LIMIT) as file:
        start = file.read(9)
        file.seek(0)
        if start[:4] == b"PK\3\4":
            weights = _state_dict(torch_archive.read(file, name, LIMIT), name)
        elif start[8:] == b"{":
            weights = _by_name(_safetensors(file, name))
        elif start[:1] == b"\x80":
            raise CheckpointError(
                msg("{name} is a pickle, which could run code, so it was not opened.", name=name),
                msg("Save model.state_dict() with a recent PyTorch instead."),
            )
        else:
            raise CheckpointError(
                msg("{name} is not a file of weights: it is neither a zip archive of torch.save nor safetensors.", name=name),
                msg("Choose a file that torch.save(model.state_dict(), …) wrote, or safetensors."),
            )
    if not weights:
        raise CheckpointError(msg("{name} contains no weights.", name=name), msg("Save model.state_dict() of a network with parameters."))
    _refuse_non_finite(weights, name)
    return weights


def match_weights(weights: Mapping[str, Tensor], spec: NetworkSpec) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Match weights of a file to a network by name, else by order and shape.

    If the names differ, each layer of the network takes the first remaining layer of the file whose tensors have the same names and
    shapes, so that `conv1`, `conv2`, `fc1` of a class match an `nn.Sequential`. A file does not say whether layers of the same shapes
    were used in this order; the notes list the matches.

    Args:
        weights: by their names in the file.
        spec: the network.

    Returns:
        The weights by the names of the network's `state_dict`, as float32, and notes on what was renamed or converted.

    Raises:
        CheckpointError: a tensor has another shape or dtype, is missing, or is not in the network; the message lists the first shapes.
        ShapeError: the network itself does not fit.
    """
    file_tensors, reference = _without_prefix(weights), expected_state(spec)
    matches = {name: name for name in reference} if file_tensors.keys() == reference.keys() else _match_layers(file_tensors, reference)
    if (
        len(matches) < len(reference)
        or len(matches) < len(file_tensors)
        or any(file_tensors[file_name].shape != reference[name].shape for name, file_name in matches.items())
    ):
        raise _misfit(file_tensors, reference, matches, spec)
    converted = {name: _convert(file_tensors[file_name], reference[name], file_name) for name, file_name in matches.items()}
    _refuse_non_finite(converted, msg("The file"))
    return converted, tuple(_notes(file_tensors, matches))


def create_from_weights(config: TrainConfig, spec: NetworkSpec, weights: Mapping[str, Tensor], owner: str = "", race: str = "") -> Run:
    """Create a run that starts from these weights instead of initialised ones.

    Raises:
        CheckpointError: they do not fit the network.
        RunError: the folder cannot be written.
    """
    start, _ = match_weights(weights, spec)
    return create_from(config, spec, Created(time.time(), owner, race=race), lambda run: write_start(run, start))


def write_start(run: Run, weights: dict[str, Tensor]) -> None:
    """Write the weights that training starts from into a run's folder.

    Raises:
        RunError: they cannot be written.
    """
    try:
        save_file(weights, run.start_path)
    except SafetensorError as error:
        raise RunError(msg("The weights could not be written: {error}.", error=str(error)), msg("Free some space, then try again.")) from None


def expected_state(spec: NetworkSpec) -> dict[str, Tensor]:
    """Return the network's `state_dict` on the meta device: names, shapes and dtypes without values.

    Raises:
        ShapeError: a layer does not fit.
    """
    with torch.device("meta"):
        return dict(build(spec, "meta").state_dict())


def _state(run: Run, step: int | None) -> dict[str, Any]:
    state = run.checkpoints.load(step)
    if state is None:
        raise CheckpointError(
            msg("The run “{run}” has no weights yet, because its first checkpoint is not written.", run=run.id), msg("Wait for its first checkpoint.")
        )
    return state


def _plain_weights(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the weights in PyTorch's default memory format: training uses channels last, which other programs may not expect."""
    return {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in state["weights"].items()}


def _state_dict(content: object, name: str) -> dict[str, Tensor]:
    """Return the weights in the content of a file: a `state_dict`, alone or in a checkpoint."""
    if isinstance(content, Tensor):
        raise CheckpointError(msg("{name} contains a single tensor, not the weights of a network.", name=name), msg("Save model.state_dict()."))
    if not isinstance(content, dict):
        raise CheckpointError(
            msg("{name} contains a {kind}, not the weights of a network.", name=name, kind=type(content).__name__), msg("Save model.state_dict().")
        )
    inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)), content)
    others = [key for key, value in inner.items() if not isinstance(key, str) or not isinstance(value, Tensor)]
    if others:
        raise CheckpointError(
            msg("{name} contains values that are not tensors, for example “{example}”.", name=name, example=_printable(others[0])),
            msg("Save model.state_dict() alone."),
        )
    _refuse_strange_names(inner, name)
    return inner


def _safetensors(file: IO[bytes], name: str) -> dict[str, Tensor]:
    try:
        weights: dict[str, Tensor] = load(file.read())
    except Exception:  # its reader raises anything for a header that lies: SafetensorError, KeyError, ValueError, RuntimeError, …
        raise damaged(name) from None
    _refuse_strange_names(weights, name)
    return weights


def _by_name(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Sort the weights by name, `conv2` before `conv10`: safetensors does not preserve the order in which a class defined its layers."""

    def key(name: str) -> list[str | int]:
        return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"([0-9]+)", name))]

    return {name: weights[name] for name in sorted(weights, key=key)}


def _refuse_strange_names(weights: Mapping[str, Tensor], name: str) -> None:
    """Refuse names that are too long or not printable."""
    if not all(len(key) <= NAME_LIMIT and key.isprintable() for key in weights):
        raise damaged(name)


def _printable(value: object) -> str:
    return "".join(letter for letter in str(value)[:40] if letter.isprintable())


def _refuse_non_finite(weights: Mapping[str, Tensor], source: str) -> None:
    for name, tensor in weights.items():
        if not bool(tensor.isfinite().all()):
            raise CheckpointError(
                msg("{source} has non-finite values (inf or nan) in “{name}”, so it cannot be used.", source=source, name=name),
                msg("Save the weights of an earlier step."),
            )


def _without_prefix(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return dict(weights)


def _match_layers(file_tensors: Mapping[str, Tensor], reference: Mapping[str, Tensor]) -> dict[str, str]:
    """Map names of the network to names in the file, for the layers that match."""
    waiting: dict[object, deque[str]] = defaultdict(deque)
    for layer, tensors in _layers(file_tensors).items():
        waiting[_signature(tensors)].append(layer)
    matches: dict[str, str] = {}
    for layer, tensors in _layers(reference).items():
        if candidates := waiting[_signature(tensors)]:
            file_name = candidates.popleft()
            matches |= {f"{layer}{end}": f"{file_name}{end}" for end in tensors}
    return matches


def _layers(weights: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """`{"0.weight": …, "0.bias": …}` → `{"0.": {"weight": …, "bias": …}}`"""
    layers: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in weights.items():
        end = name.rpartition(".")[2]
        layers[name.removesuffix(end)][end] = tensor
    return layers


def _signature(tensors: Mapping[str, Tensor]) -> frozenset[tuple[str, tuple[int, ...]]]:
    return frozenset((name, tuple(tensor.shape)) for name, tensor in tensors.items())


def _convert(tensor: Tensor, reference: Tensor, name: str) -> Tensor:
    """Convert the tensor to the network's dtype; counters stay integers."""
    if tensor.is_floating_point() != reference.is_floating_point() or tensor.is_complex():
        raise CheckpointError(
            msg("“{name}” in the file is {kind}; the network has {expected} there.", name=name, kind=_kind(tensor), expected=_kind(reference)),
            msg("Quantised weights cannot be read."),
        )
    return tensor.to(reference.dtype, copy=True, memory_format=torch.contiguous_format)


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _notes(file_tensors: Mapping[str, Tensor], matches: Mapping[str, str]) -> Iterator[str]:
    layers = {name.rpartition(".")[0]: file_name.rpartition(".")[0] for name, file_name in matches.items()}
    renamed = [f"{file_name} → {name}" for name, file_name in layers.items() if file_name != name]
    if renamed:
        more = ", …" if len(renamed) > MAX_RENAMED else ""
        yield msg("The layers were matched by their order and shapes: {layers}.", layers=", ".join(renamed[:MAX_RENAMED]) + more)
    kinds = sorted({_kind(tensor) for tensor in file_tensors.values() if tensor.is_floating_point()} - {"float32"})
    if kinds:
        yield msg("The weights were converted from {kinds} to float32.", kinds=listed(kinds))


def _misfit(file_tensors: Mapping[str, Tensor], reference: Mapping[str, Tensor], matches: Mapping[str, str], spec: NetworkSpec) -> CheckpointError:
    """Say why the weights do not fit: the first pairs of different shapes, and the numbers of missing and additional tensors."""
    fitting = {name for name, file_name in matches.items() if file_tensors[file_name].shape == reference[name].shape}
    matched = {matches[name] for name in fitting}
    theirs = [name for name in file_tensors if name not in matched]
    ours = [name for name in reference if name not in fitting]
    pairs = list(_pair(theirs, ours))
    different = [(file_name, name) for file_name, name in pairs if file_tensors[file_name].shape != reference[name].shape]
    shapes = [
        msg(
            "“{theirs}” in the file is {shape}, “{ours}” in the network {expected}.",
            theirs=file_name,
            shape=_shape(file_tensors[file_name]),
            ours=name,
            expected=_shape(reference[name]),
        )
        for file_name, name in different[:MAX_MISFITS]
    ]
    parts = [msg("The weights do not fit the network “{network}”.", network=spec.name), *shapes]
    if len(different) > MAX_MISFITS:
        parts.append(msg("{count:,} more differ.", count=len(different) - MAX_MISFITS))
    if len(ours) > len(pairs):
        parts.append(msg("Tensors missing from the file: {count:,}.", count=len(ours) - len(pairs)))
    if len(theirs) > len(pairs):
        parts.append(msg("Tensors that the network does not have: {count:,}.", count=len(theirs) - len(pairs)))
    return CheckpointError(joined(parts), msg("Choose the network that these weights were trained in."))


def _pair(theirs: list[str], ours: list[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of a name in the file and one in the network: the same names, then those with the same ending (`weight`, `bias`, …) in order."""
    both = set(theirs) & set(ours)
    yield from ((name, name) for name in ours if name in both)
    theirs, ours = ([name for name in names if name not in both] for names in (theirs, ours))
    waiting: dict[str, deque[str]] = defaultdict(deque)
    for name in theirs:
        waiting[name.rpartition(".")[2]].append(name)
    for name in ours:
        if candidates := waiting[name.rpartition(".")[2]]:
            yield candidates.popleft(), name


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or msg("a single number")
