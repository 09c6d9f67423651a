"""Weights in and out of a run: as PyTorch's own `state_dict`, and as safetensors."""

from __future__ import annotations

import io
import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from playground.errors import CheckpointError, RunError
from playground.network.spec import NetworkSpec
from playground.runs.history import History
from playground.runs.run import Run, create_from
from playground.runs.sharing import torch_archive
from playground.training.config import TrainConfig
from playground.training.events import Created
from playground.untrusted import damaged, opened

if TYPE_CHECKING:
    from torch import Tensor

LIMIT = 500_000_000
"""Bytes of a file of weights, at most."""
TOLD = 5
"""Tensors that do not fit of which a message tells, at most."""
MOVED = 24
"""Layers with other names of which a note tells, at most."""
NAME_LIMIT = 200
"""Characters of a tensor's name, at most."""

_WRAPPERS = ("weights", "state_dict", "model_state_dict", "model")
"""Under which of its keys a checkpoint keeps the weights: the playground's own, and those of tutorials."""
_PREFIXES = ("module.", "_orig_mod.")
"""What `nn.DataParallel` and `torch.compile` put before every name."""


def weights_of(run: Run, step: int | None = None) -> dict[str, Tensor]:
    """A run's weights: the `state_dict` of the `nn.Sequential` that the code page writes.

    Args:
        run: whose.
        step: after how many steps; None for the last kept.

    Raises:
        CheckpointError: none were kept, or not at that step, or they cannot be read.
    """
    return _plain_weights(_state(run, step))


def as_state_dict(run: Run, step: int | None = None) -> bytes:
    """A file for `network.load_state_dict(torch.load(…, weights_only=True))`.

    Raises:
        CheckpointError: as `weights_of` does.
    """
    import torch

    file = io.BytesIO()
    torch.save(weights_of(run, step), file)
    return file.getvalue()


def as_safetensors(run: Run, step: int | None = None) -> bytes:
    """The weights as safetensors, with the network, the settings and the accuracy on the test images in the header.

    Raises:
        CheckpointError: as `weights_of` does.
    """
    from safetensors.torch import save

    state = _state(run, step)
    evaluated = [event.test_accuracy for event in History(run).follow().evaluations if event.step <= state["step"]]
    facts = {"network": run.network.to_json(), "config": json.dumps(run.config.to_dict())}
    if evaluated:
        facts["test_accuracy"] = f"{evaluated[-1]:.4f}"
    content: bytes = save(_plain_weights(state), facts)
    return content


def read_weights(data: bytes | Path, name: str) -> dict[str, Tensor]:
    """The tensors in a file from elsewhere; nothing that it carries is ever run.

    It may be safetensors, or what `torch.save` writes of a `state_dict`, alone or in a checkpoint.

    Args:
        data: its content, or where it lies.
        name: what the learner calls it.

    Raises:
        CheckpointError: it is neither, is damaged or too large, holds more than weights, or numbers that are not finite.
    """
    with opened(data, name, LIMIT) as file:
        start = file.read(9)
        file.seek(0)
        if start[:4] == b"PK\3\4":
            weights = _state_dict(torch_archive.read(file, name, LIMIT), name)
        elif start[8:] == b"{":
            weights = _by_name(_safetensors(file, name))
        elif start[:1] == b"\x80":
            raise CheckpointError(f"{name} is a pickle, which could run code, so it was not opened.", "Save model.state_dict() with a recent PyTorch instead.")
        else:
            raise CheckpointError(f"{name} does not hold weights.", "Choose a file that torch.save(model.state_dict(), …) wrote, or safetensors.")
    if not weights:
        raise CheckpointError(f"{name} holds no weights.")
    _refuse_non_finite(weights, name)
    return weights


def fitted(weights: Mapping[str, Tensor], spec: NetworkSpec) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Weights from elsewhere under the names that a network of the playground has for them.

    Those of the same names are taken as they are. Otherwise layer after layer takes the first in the file whose tensors have the same
    names and shapes, so that `conv1`, `conv2`, `fc1` of a class find their places in its `nn.Sequential`. Whether layers of the same
    shapes were meant in this order nobody can tell from a file; the notes say what was taken for what.

    Args:
        weights: by their names in the file.
        spec: the network that they shall fit.

    Returns:
        The weights by the names of the network's `state_dict`, as float32, and notes on what was changed.

    Raises:
        CheckpointError: a tensor has another shape or kind, is missing, or has no place; the first are named with both shapes.
        ShapeError: the network itself does not fit.
    """
    given, wanted = _without_prefix(weights), expected(spec)
    places = {name: name for name in wanted} if given.keys() == wanted.keys() else _places(given, wanted)
    if len(places) < len(wanted) or len(places) < len(given) or any(given[its].shape != wanted[name].shape for name, its in places.items()):
        raise _misfit(given, wanted, places, spec)
    found = {name: _converted(given[its], wanted[name], its) for name, its in places.items()}
    _refuse_non_finite(found, "The file")
    return found, tuple(_notes(given, places))


def create_from_weights(config: TrainConfig, spec: NetworkSpec, weights: Mapping[str, Tensor], owner: str = "", race: str = "") -> Run:
    """Make the folder of a new run that starts from these weights instead of fresh ones.

    Raises:
        CheckpointError: they do not fit the network.
        RunError: the folder cannot be written.
    """
    found, _ = fitted(weights, spec)
    return create_from(config, spec, Created(time.time(), owner, race=race), lambda run: write_start(run, found))


def write_start(run: Run, weights: dict[str, Tensor]) -> None:
    """Put the weights that training starts from into a run's folder.

    Raises:
        RunError: they cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(weights, run.start_path)
    except SafetensorError as error:
        raise RunError(f"The weights could not be written: {error}.", "Free some space, then try again.") from None


def expected(spec: NetworkSpec) -> dict[str, Tensor]:
    """The network's `state_dict` on the meta device: names, shapes and kinds without numbers.

    Raises:
        ShapeError: a layer does not fit.
    """
    import torch

    from playground.network.build import build

    with torch.device("meta"):
        return dict(build(spec, "meta").state_dict())


def _state(run: Run, step: int | None) -> dict[str, Any]:
    state = run.checkpoints.load(step)
    if state is None:
        raise CheckpointError(f"The run “{run.id}” has kept no weights yet.", "Wait for its first checkpoint.")
    return state


def _plain_weights(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """As PyTorch lays them out by itself: training keeps filters with their channels last, which other programs need not expect."""
    import torch

    return {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in state["weights"].items()}


def _state_dict(found: object, name: str) -> dict[str, Tensor]:
    """The weights in what was saved: themselves, or a checkpoint with them."""
    from torch import Tensor

    if isinstance(found, Tensor):
        raise CheckpointError(f"{name} holds a single tensor, not the weights of a network.", "Save model.state_dict().")
    if not isinstance(found, dict):
        raise CheckpointError(f"{name} holds a {type(found).__name__}, not the weights of a network.", "Save model.state_dict().")
    inner = next((found[key] for key in _WRAPPERS if isinstance(found.get(key), dict)), found)
    others = [key for key, value in inner.items() if not isinstance(key, str) or not isinstance(value, Tensor)]
    if others:
        raise CheckpointError(f"{name} holds other things than tensors, such as “{_plain(others[0])}”.", "Save model.state_dict() alone.")
    _refuse_strange_names(inner, name)
    return inner


def _safetensors(file: IO[bytes], name: str) -> dict[str, Tensor]:
    from safetensors.torch import load

    try:
        weights: dict[str, Tensor] = load(file.read())
    except Exception:  # its reader raises anything for a header that lies: SafetensorError, KeyError, ValueError, RuntimeError, …
        raise damaged(name) from None
    _refuse_strange_names(weights, name)
    return weights


def _by_name(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """In the order of their names, `conv2` before `conv10`: safetensors does not keep the one in which a class defined its layers."""

    def key(name: str) -> list[str | int]:
        return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"([0-9]+)", name))]

    return {name: weights[name] for name in sorted(weights, key=key)}


def _refuse_strange_names(weights: Mapping[str, Tensor], name: str) -> None:
    """Names that are too long to be told, or cannot be shown."""
    if not all(len(key) <= NAME_LIMIT and key.isprintable() for key in weights):
        raise damaged(name)


def _plain(value: object) -> str:
    return "".join(letter for letter in str(value)[:40] if letter.isprintable())


def _refuse_non_finite(weights: Mapping[str, Tensor], place: str) -> None:
    for name, tensor in weights.items():
        if not bool(tensor.isfinite().all()):
            raise CheckpointError(f"{place} holds numbers in “{name}” that are infinite or not a number, so it cannot be used.")


def _without_prefix(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return dict(weights)


def _places(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, str]:
    """For each of the network's names the name in the file whose tensor takes its place, as far as there are any."""
    waiting: dict[object, deque[str]] = defaultdict(deque)
    for layer, tensors in _layers(given).items():
        waiting[_signature(tensors)].append(layer)
    places: dict[str, str] = {}
    for layer, tensors in _layers(wanted).items():
        if candidates := waiting[_signature(tensors)]:
            its = candidates.popleft()
            places |= {f"{layer}{end}": f"{its}{end}" for end in tensors}
    return places


def _layers(weights: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """`{"0.weight": …, "0.bias": …}` → `{"0.": {"weight": …, "bias": …}}`"""
    layers: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in weights.items():
        end = name.rpartition(".")[2]
        layers[name.removesuffix(end)][end] = tensor
    return layers


def _signature(tensors: Mapping[str, Tensor]) -> frozenset[tuple[str, tuple[int, ...]]]:
    return frozenset((name, tuple(tensor.shape)) for name, tensor in tensors.items())


def _converted(tensor: Tensor, wanted: Tensor, name: str) -> Tensor:
    """The numbers in the network's own kind; counters stay whole numbers."""
    import torch

    if tensor.is_floating_point() != wanted.is_floating_point() or tensor.is_complex():
        raise CheckpointError(f"“{name}” in the file is {_kind(tensor)}; the network has {_kind(wanted)} there.", "Quantised weights cannot be read.")
    return tensor.to(wanted.dtype, copy=True, memory_format=torch.contiguous_format)


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _notes(given: Mapping[str, Tensor], places: Mapping[str, str]) -> Iterator[str]:
    layers = {name.rpartition(".")[0]: its.rpartition(".")[0] for name, its in places.items()}
    moved = [f"{its} → {name}" for name, its in layers.items() if its != name]
    if moved:
        more = ", …" if len(moved) > MOVED else ""
        yield f"The layers were matched by their order and shapes: {', '.join(moved[:MOVED])}{more}."
    kinds = sorted({_kind(tensor) for tensor in given.values() if tensor.is_floating_point()} - {"float32"})
    if kinds:
        yield f"The weights were {' and '.join(kinds)} and became float32."


def _misfit(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], places: Mapping[str, str], spec: NetworkSpec) -> CheckpointError:
    """Why the weights do not fit, with the tensors that come next to each other if they are paired as far as they go."""
    fitting = {name for name, its in places.items() if given[its].shape == wanted[name].shape}
    taken = {places[name] for name in fitting}
    theirs = [name for name in given if name not in taken]
    ours = [name for name in wanted if name not in fitting]
    pairs = list(_paired(theirs, ours))
    different = [(its, name) for its, name in pairs if given[its].shape != wanted[name].shape]
    told = [f"“{its}” in the file is {_shape(given[its])}, “{name}” in the network {_shape(wanted[name])}." for its, name in different[:TOLD]]
    parts = [f"The weights do not fit the network “{spec.name}”.", *told]
    if len(different) > TOLD:
        parts.append(f"{len(different) - TOLD:,} more differ.")
    if len(ours) > len(pairs):
        parts.append(f"Tensors that the file lacks: {len(ours) - len(pairs):,}.")
    if len(theirs) > len(pairs):
        parts.append(f"Tensors that the network has no place for: {len(theirs) - len(pairs):,}.")
    return CheckpointError(" ".join(parts), "Choose the network that these weights were trained in.")


def _paired(theirs: list[str], ours: list[str]) -> Iterator[tuple[str, str]]:
    """Those of the same name, then those of each kind (`weight`, `bias`, …) in their order; the network's names second."""
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
    return "×".join(map(str, tensor.shape)) or "a single number"
