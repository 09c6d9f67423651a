"""Weights are imported and exported as PyTorch reads and writes them."""

from __future__ import annotations

import json
import pickle
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn
from torch.nn import functional as F

from playground.errors import CheckpointError, ShapeError
from playground.network.build import build
from playground.network.presets import load_presets, preset
from playground.network.source import sequential_script
from playground.network.spec import LayerSpec, NetworkSpec
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.run import Run, all_runs, create
from playground.runs.sharing import weights as weights_module
from playground.runs.sharing.weights import LIMIT, as_safetensors, as_state_dict, create_from_weights, match_weights, read_weights, weights_of
from playground.runs.start import start_weights
from playground.training import loop
from playground.training.config import TrainConfig
from playground.training.loop import Training

from ..support.tiers import repetitions
from .archives import changed, packed, saved

TUTORIAL = NetworkSpec(
    "tutorial", (1, 28, 28),
    (
        LayerSpec("Conv2d", {"out_channels": 6, "kernel_size": 5}), LayerSpec("ReLU"), LayerSpec("MaxPool2d", {"kernel_size": 2}),
        LayerSpec("Conv2d", {"out_channels": 16, "kernel_size": 5}), LayerSpec("ReLU"), LayerSpec("MaxPool2d", {"kernel_size": 2}),
        LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 64}), LayerSpec("ReLU"), LayerSpec("Linear", {"out_features": 10}),
    ),
)  # fmt: skip


class Tutorial(nn.Module):
    """The same network as tutorials write it: https://docs.pytorch.org/tutorials/beginner/blitz/neural_networks_tutorial.html"""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 4 * 4, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


def sequential() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


class Wrapped(nn.Module):
    """A nested network, with its normalisation layers defined after its convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_a, self.conv_b = nn.Conv2d(1, 4, 3, bias=False), nn.Conv2d(4, 4, 3, bias=False)
        self.norm_a, self.norm_b = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm_b(self.conv_b(self.norm_a(self.conv_a(x)))))


WRAPPED = NetworkSpec(
    "wrapped", (1, 6, 6),
    (
        LayerSpec("Conv2d", {"out_channels": 4, "kernel_size": 3, "bias": False}), LayerSpec("BatchNorm2d"),
        LayerSpec("Conv2d", {"out_channels": 4, "kernel_size": 3, "bias": False}), LayerSpec("BatchNorm2d"),
        LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 3}),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def run(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train a short run with a checkpoint at every evaluation; the tests share it and do not change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        patch.setenv("PLAYGROUND_RUNS", str(tmp_path_factory.mktemp("trained")))
        patch.setattr(loop, "EVALUATED_SECONDS", -1.0)
        run = create(TrainConfig(network="lenet-5", epochs=0.1, batch_size=100, evaluate_every=2, device="cpu"), preset("lenet-5"), "ada")
        for _ in execute(run):
            pass
        return run


def logits(spec: NetworkSpec, weights: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """Compute the logits of the playground's network with these weights."""
    network = build(spec)
    network.load_state_dict(weights)
    with torch.inference_mode():
        return network.eval()(inputs)


def batch(spec: NetworkSpec) -> Tensor:
    return torch.randn(5, *spec.input_shape, generator=torch.Generator().manual_seed(1))


def prefixed(network: nn.Module, prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}


@pytest.mark.parametrize(
    ("make", "spec"),
    [(sequential, TUTORIAL), (Tutorial, TUTORIAL), (Wrapped, WRAPPED)],
    ids=["sequential", "class", "nested"],
)
@pytest.mark.parametrize("kind", ["pt", "checkpoint", "safetensors", "parallel", "compiled"])
def test_weights_of_a_plain_script_give_the_same_predictions(make: Callable[[], nn.Module], spec: NetworkSpec, kind: str, tmp_path: Path) -> None:
    network = make()
    network(batch(spec) + 1)  # so that running means are not those of a fresh network
    network.eval()
    content = {
        "pt": lambda: saved(network.state_dict()),
        "checkpoint": lambda: saved({"epoch": 3, "model_state_dict": network.state_dict(), "loss": 0.5}),
        "safetensors": lambda: save_safetensors(network.state_dict()),
        "parallel": lambda: saved(prefixed(network, "module.")),
        "compiled": lambda: saved(prefixed(network, "_orig_mod.")),
    }[kind]()
    (tmp_path / "net.pt").write_bytes(content)
    for data in (content, tmp_path / "net.pt"):
        actual, notes = match_weights(read_weights(data, "net.pt"), spec)
        assert torch.equal(logits(spec, actual, batch(spec)), network(batch(spec)))
        assert all(tensor.is_contiguous() for tensor in actual.values())
        assert bool(notes) == (make is not sequential)


def test_renamed_tensors_are_reported() -> None:
    _, (note,) = match_weights(Tutorial().state_dict(), TUTORIAL)
    assert note == "The layers were matched by their order and shapes: conv1 → 0, conv2 → 3, fc1 → 7, fc2 → 9."


@pytest.mark.parametrize("key", ["weights", "state_dict", "model", "model_state_dict"])
def test_a_checkpoint_of_a_tutorial_is_read(key: str) -> None:
    network = sequential()
    actual = read_weights(saved({"epoch": 3, key: network.state_dict(), "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}}}), "net.pt")
    assert actual.keys() == network.state_dict().keys()


def test_a_checkpoint_of_the_playground_is_read(run: Run) -> None:
    actual = read_weights(run.checkpoints.latest_path, "checkpoint.pt")
    expected = weights_of(run)
    assert all(torch.equal(actual[name], expected[name]) for name in expected) and actual.keys() == expected.keys()


def test_safetensors_of_many_layers_are_read_in_the_order_of_their_names() -> None:
    """In numeric order: not by bytes, where `fc10` comes before `fc2`, nor in the arbitrary order of the library."""
    weights = {f"fc{number}.weight": torch.full((4, 4), number) for number in range(1, 13)}
    deep = NetworkSpec("deep", (4,), tuple(LayerSpec("Linear", {"out_features": 4, "bias": False}) for _ in range(12)))
    actual, (note,) = match_weights(read_weights(save_safetensors({name: tensor.float() for name, tensor in weights.items()}), "net"), deep)
    assert [tensor[0, 0].item() for tensor in actual.values()] == list(range(1, 13))
    assert note.endswith("fc11 → 10, fc12 → 11.")


def test_every_preset_loads_its_weights_under_other_names() -> None:
    for spec in load_presets().networks.values():
        weights = build(spec, seed=1).state_dict()
        names: dict[str, str] = {}
        for name in weights:
            layer, _, rest = name.partition(".")
            names[name] = f"{names.setdefault(layer, f'part{len(names)}')}.{rest}"
        actual, notes = match_weights({names[name]: tensor for name, tensor in weights.items()}, spec)
        assert list(actual) == list(weights) and all(torch.equal(actual[name], weights[name]) for name in weights) and notes
        again, unchanged = match_weights(actual, spec)
        assert unchanged == () and all(torch.equal(again[name], weights[name]) for name in weights)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_dtypes_become_float32(kind: torch.dtype) -> None:
    weights = {name: tensor.to(kind) for name, tensor in sequential().state_dict().items()}
    actual, notes = match_weights(read_weights(saved(weights), "net.pt"), TUTORIAL)
    assert all(tensor.dtype == torch.float32 and torch.equal(tensor, weights[name].float()) for name, tensor in actual.items())
    assert notes == (f"The weights were converted from {str(kind)[6:]} to float32.",)


def test_returned_weights_share_no_storage_with_the_arguments() -> None:
    given_weights = sequential().state_dict()
    actual, _ = match_weights(given_weights, TUTORIAL)
    given_weights["0.weight"].zero_()
    assert actual["0.weight"].abs().sum() > 0


def refusal(weights: dict[str, Tensor], spec: NetworkSpec = TUTORIAL) -> str:
    with pytest.raises(CheckpointError) as caught:
        match_weights(weights, spec)
    return str(caught.value)


def test_a_different_shape_is_reported_with_both_shapes() -> None:
    weights = sequential().state_dict() | {"9.weight": torch.zeros(7, 64), "9.bias": torch.zeros(7)}
    message = refusal(weights)
    assert message.startswith("The weights do not fit the network “tutorial”. “9.weight” in the file is 7×64, “9.weight” in the network 10×64. “9.bias” ")
    assert "missing" not in message and "does not have" not in message and "differ" not in message


def test_for_another_last_layer_only_this_layer_is_reported() -> None:
    network = Tutorial()
    network.fc2 = nn.Linear(64, 7)
    message = refusal(network.state_dict())
    assert "“fc2.weight” in the file is 7×64, “9.weight” in the network 10×64." in message and message.count("in the file is") == 2


def test_at_most_five_tensors_are_reported() -> None:
    weights = {f"{index}.weight": torch.zeros(3, 3) for index in range(40)}
    message = refusal(weights)
    assert message.count("in the file is") == 4 and "differ" not in message  # as many as the network has
    assert "Tensors missing from the file: 4." in message and "Tensors that the network does not have: 36." in message
    deep = NetworkSpec("deep", (4,), tuple(LayerSpec("Linear", {"out_features": 4}) for _ in range(8)))
    message = refusal({f"{index}.weight": torch.zeros(3, 3) for index in range(7)}, deep)
    assert message.count("in the file is") == 5 and "2 more differ." in message and "Tensors missing from the file: 9." in message


def test_missing_and_unexpected_tensors_are_counted() -> None:
    for network in (sequential(), Tutorial()):
        weights = network.state_dict()
        weights.popitem()  # the last bias
        assert refusal(weights) == (
            "The weights do not fit the network “tutorial”. Tensors missing from the file: 1. Choose the network that these weights were trained in."
        )
    more = sequential().state_dict() | {"11.weight": torch.zeros(3), "11.bias": torch.zeros(3)}
    message = refusal(more)
    assert "Tensors that the network does not have: 2." in message and "missing" not in message


def test_integer_weights_are_refused() -> None:
    quantised = {name: tensor.to(torch.int8) for name, tensor in sequential().state_dict().items()}
    assert "“0.weight” in the file is int8; the network has float32 there." in refusal(quantised)
    assert "complex64" in refusal(sequential().state_dict() | {"9.bias": torch.zeros(10, dtype=torch.complex64)})


def test_float64_beyond_float32_is_refused() -> None:
    weights = {name: tensor.double() for name, tensor in sequential().state_dict().items()}
    weights["0.bias"][0] = 1e300
    assert "“0.bias”" in refusal(weights)


def test_a_network_whose_layers_do_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError):
        match_weights(sequential().state_dict(), NetworkSpec("misfit", (4,), (LayerSpec("Conv2d"),)))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("write", [saved, save_safetensors], ids=["pt", "safetensors"])
def test_non_finite_weights_are_refused(number: float, write: Callable[[Any], bytes]) -> None:
    weights = {"0.weight": torch.ones(2), "3.bias": torch.tensor([1.0, number])}
    with pytest.raises(CheckpointError, match=r"non-finite values \(inf or nan\) in “3\.bias”"):
        read_weights(write(weights), "net.pt")


def header(document: object, data: bytes = b"") -> bytes:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return struct.pack("<Q", len(text)) + text + data


FLOATS = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
GOOD = header({"a": FLOATS}, bytes(8))


def test_the_valid_header_of_these_tests_is_read() -> None:
    assert read_weights(GOOD, "a.safetensors")["a"].tolist() == [0, 0]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(header({"a": FLOATS}, bytes(4)), id="cut"),
        pytest.param(header({"a": FLOATS}, bytes(12)), id="too long"),
        pytest.param(header({"a": FLOATS | {"shape": [200]}}, bytes(8)), id="a shape that lies"),
        pytest.param(header({"a": FLOATS | {"shape": [2**40, 2**40]}}, bytes(8)), id="a huge shape"),
        pytest.param(header({"a": FLOATS | {"shape": [-2]}}, bytes(8)), id="a negative shape"),
        pytest.param(header({"a": FLOATS | {"data_offsets": [0, 10**12]}}, bytes(8)), id="beyond the end"),
        pytest.param(header({"a": FLOATS, "b": FLOATS}, bytes(8)), id="the same place twice"),
        pytest.param(header({"a": FLOATS | {"dtype": "F99"}}, bytes(8)), id="no kind of number"),
        pytest.param(header({"a": 3}), id="no tensor"),
        pytest.param(header(b'{"a":' * 5000), id="deep"),
        pytest.param(struct.pack("<Q", 2**63) + b"{}", id="a header of 8 EiB"),
        pytest.param(struct.pack("<Q", 400) + b"{}", id="a header longer than the file"),
        pytest.param(header(b"{\xff}"), id="no text"),
    ],
)
def test_an_invalid_header_is_refused(content: bytes) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        read_weights(content, "a.safetensors")


class Evil:
    """A pickle that creates a folder when it is loaded."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (lambda: Path.mkdir)(), ("never",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"hello", "is not a file of weights", id="text"),
        pytest.param(b"\x89HDF\r\n\x1a\n" + bytes(90), "is not a file of weights", id="another format"),
        pytest.param(pickle.dumps({"a": 1}), "is a pickle", id="pickle"),
        pytest.param(pickle.dumps(Evil), "is a pickle", id="pickled code"),
        pytest.param(saved(sequential().state_dict(), _use_new_zipfile_serialization=False), "is a pickle", id="old torch.save"),
        pytest.param(saved(sequential()), r"contains more than weights: .*Sequential.*save model\.state_dict\(\) instead", id="whole module"),
        pytest.param(saved({"net": sequential()}), "contains more than weights", id="module in a dictionary"),
        pytest.param(saved({"a": torch.ones(2), "epoch": 3}), "values that are not tensors, for example “epoch”", id="beside"),
        pytest.param(saved({1: torch.ones(2)}), "values that are not tensors, for example “1”", id="number as name"),
        pytest.param(saved({"model": {"a": "x" * 10_000}}), "for example “a”", id="text in a model"),
        pytest.param(saved({"x" * 10_000: 1}), "for example “x{40}”", id="long name"),
        pytest.param(saved(torch.ones(2)), "a single tensor", id="tensor"),
        pytest.param(saved([torch.ones(2)]), "contains a list", id="list"),
        pytest.param(saved({}), "contains no weights", id="nothing"),
        pytest.param(saved({"state_dict": {}}), "contains no weights", id="nothing in a checkpoint"),
        pytest.param(header({}), "contains no weights", id="no tensors"),
        pytest.param(saved({"x" * 300: torch.ones(2)}), "damaged", id="endless name"),
        pytest.param(saved({"a\ud800": torch.ones(2)}), "damaged", id="half a letter"),
        pytest.param(saved({"a\nb": torch.ones(2)}), "damaged", id="line end"),
        pytest.param(packed({"a.txt": b"x"}), "zip archive, but torch.save did not", id="zip"),
        pytest.param(packed({}), "is not a file of weights", id="empty zip"),
        pytest.param(b"PK\3\4" + bytes(50), "damaged", id="torn zip"),
    ],
)
def test_a_file_without_weights_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(content)
    for data in (content, tmp_path / "net.pt"):
        with pytest.raises(CheckpointError, match=message) as caught:
            read_weights(data, "net.pt")
        assert "net.pt" in str(caught.value) and str(caught.value).encode() and len(str(caught.value)) < 300


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.pt", tmp_path):
        with pytest.raises(CheckpointError, match=r"net\.pt cannot be read"):
            read_weights(path, "net.pt")


@pytest.mark.parametrize("start", [b"", b"PK\3\4", struct.pack("<Q", 100) + b"{"], ids=["zeros", "zip", "safetensors"])
def test_a_file_of_ten_gigabytes_is_refused_by_its_size(start: bytes, tmp_path: Path) -> None:
    with (tmp_path / "net.pt").open("wb") as file:
        file.write(start)
        file.truncate(10_000_000_000)
    tracemalloc.start()
    with pytest.raises(CheckpointError, match="10,000 MB, which is too large: the playground reads up to 500 MB"):
        read_weights(tmp_path / "net.pt", "net.pt")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_file_at_the_size_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved({"a": torch.ones(100)})
    monkeypatch.setattr(weights_module, "LIMIT", len(content))
    assert read_weights(content, "net.pt")["a"].sum() == 100
    monkeypatch.setattr(weights_module, "LIMIT", len(content) - 1)
    with pytest.raises(CheckpointError, match="too large"):
        read_weights(content, "net.pt")
    assert LIMIT == 500_000_000


def test_a_zip_bomb_is_refused() -> None:
    bomb = changed(saved({"a": torch.zeros(4)}), lambda name, content: bytes(20_000_000) if name.endswith("/0") else content, method=8)
    assert len(bomb) < 30_000
    with pytest.raises(CheckpointError, match="too large"):
        read_weights(bomb, "net.pt")


@pytest.mark.parametrize("write", [saved, save_safetensors], ids=["pt", "safetensors"])
def test_a_truncated_file_is_refused(write: Callable[[Any], bytes]) -> None:
    content = write({"a": torch.ones(3), "b": torch.ones(2, 2)})
    for length in range(len(content)):
        with pytest.raises(CheckpointError):
            read_weights(content[:length], "net.pt")


@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\3\4", b"\x80\2", struct.pack("<Q", 40) + b"{"]))
@settings(max_examples=repetitions(300))
def test_random_bytes_are_refused(garbage: bytes, start: bytes) -> None:
    with pytest.raises(CheckpointError):
        read_weights(start + garbage, "net.pt")


def test_exported_weights_load_into_the_exported_network(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(as_state_dict(run))
    names: dict[str, Any] = {}
    exec(sequential_script(run.network), names)  # noqa: S102 - as a learner does with the code page
    network = names["network"]
    assert network.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True)).missing_keys == []
    state = run.checkpoints.load()
    assert state is not None
    inputs = batch(run.network)
    with torch.inference_mode():
        assert torch.equal(network.eval()(inputs), logits(run.network, state["weights"], inputs))


def test_exported_weights_are_contiguous_in_a_plain_dictionary(run: Run, tmp_path: Path) -> None:
    """Other libraries need contiguous tensors and a plain dictionary."""
    (tmp_path / "net.pt").write_bytes(as_state_dict(run))
    actual = torch.load(tmp_path / "net.pt", weights_only=True)
    assert type(actual) is dict and all(tensor.is_contiguous() and not tensor.requires_grad for tensor in actual.values())
    assert any(not tensor.is_contiguous() for tensor in run.checkpoints.load()["weights"].values())  # type: ignore[index]


def test_exported_safetensors_have_metadata(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_bytes(as_safetensors(run))
    with safe_open(tmp_path / "net.safetensors", "pt") as file:
        facts, actual = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    assert json.loads(facts["network"]) == json.loads(run.network.to_json()) and TrainConfig.from_dict(json.loads(facts["config"])) == run.config
    assert facts["test_accuracy"] == f"{History(run).follow().test_accuracy:.4f}"
    assert all(torch.equal(actual[name], tensor) for name, tensor in weights_of(run).items())
    assert match_weights(read_weights(tmp_path / "net.safetensors", "net"), run.network)[1] == ()


def test_weights_of_an_earlier_step_are_exported(run: Run, tmp_path: Path) -> None:
    assert run.checkpoints.steps() == [2, 4]
    first, last = 2, 4
    early, late = weights_of(run, first), weights_of(run, last)
    assert all(torch.equal(late[name], tensor) for name, tensor in weights_of(run).items())
    assert not torch.equal(early["0.weight"], late["0.weight"])
    for step, event in zip((first, last), History(run).follow().evaluations, strict=True):
        (tmp_path / "net.safetensors").write_bytes(as_safetensors(run, step))
        with safe_open(tmp_path / "net.safetensors", "pt") as file:
            assert file.metadata()["test_accuracy"] == f"{event.test_accuracy:.4f}"
    with pytest.raises(CheckpointError, match="no checkpoint at step 7777"):
        weights_of(run, 7777)


def test_a_run_without_weights_is_refused() -> None:
    waiting = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    for ask in (weights_of, as_state_dict, as_safetensors):
        with pytest.raises(CheckpointError, match="no weights yet"):
            ask(waiting)


def test_a_run_starts_from_imported_weights() -> None:
    spec, config = TUTORIAL, TrainConfig(network="tutorial", epochs=0.02, batch_size=40, seed=3, device="cpu")
    network = Tutorial().eval()
    run = create_from_weights(config, spec, network.state_dict(), "ada")
    assert (run.owner, run.config, run.network, all_runs()) == ("ada", config, spec, [run])
    actual = start_weights(run)
    assert actual is not None and torch.equal(logits(spec, actual, batch(spec)), network(batch(spec)))
    for _ in execute(run):
        pass
    losses = [step.loss for step in History(run).follow().steps]
    training = Training(spec, config, weights=match_weights(network.state_dict(), spec)[0])
    assert losses == [event.loss for event in training.events() if event.kind == "step"]
    fresh = Training(spec, config)
    assert losses[0] != next(event.loss for event in fresh.events() if event.kind == "step")


def test_weights_that_do_not_fit_create_no_run() -> None:
    with pytest.raises(CheckpointError, match="do not fit"):
        create_from_weights(TrainConfig(network="tutorial"), TUTORIAL, {"a": torch.ones(2)})
    assert all_runs() == []
