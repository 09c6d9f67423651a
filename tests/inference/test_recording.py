"""A recorded training, and the browser's network that plays it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from playground.data.images import ImageSet
from playground.environment import ROOT
from playground.inference.network_picture import draw_network
from playground.inference.recording import Recording, record
from playground.network.build import Network, build
from playground.network.presets import preset
from playground.network.spec import from_dict
from playground.training.config import TrainConfig
from playground.training.loop import evaluate
from playground.ui.pages.home import RECORDED

SHIPPED = ROOT / "models" / "pretrained" / "tiny-cnn.recording.json"


@pytest.fixture(scope="module")
def shipped() -> Recording:
    recording: Recording = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return recording


def network_at(recording: Recording, place: int) -> Network:
    """The network of a snapshot."""
    snapshot = recording["snapshots"][place]
    network = build(from_dict(recording["network"])).eval().requires_grad_(False)
    values = torch.from_numpy(np.frombuffer(base64.b64decode(snapshot["weights"]), np.int8).astype(np.float32))
    sizes = [int(np.prod(shape)) for _, shape in recording["parameters"]]
    for (name, shape), part, scale in zip(recording["parameters"], values.split(sizes), snapshot["scales"], strict=True):
        network.get_parameter(name).copy_((part / 127 * scale).view(shape))
    return network


def prepared(recording: Recording, images: Tensor) -> Tensor:
    return images.float() * recording["scale"] + recording["shift"]


def test_the_shipped_recording_is_of_the_training_that_home_starts(shipped: Recording) -> None:
    assert from_dict(shipped["network"]) == preset(RECORDED.network)
    assert f"record {' '.join(RECORDED.arguments())} " in shipped["made_by"]
    assert len(SHIPPED.read_bytes()) < 300_000


@pytest.mark.parametrize("place", [0, 15, -1])
def test_the_figures_of_a_snapshot_are_those_of_its_weights(shipped: Recording, digits: ImageSet, place: int) -> None:
    loss, confusion = evaluate(network_at(shipped, place), digits, lambda images: prepared(shipped, images))
    assert loss == pytest.approx(shipped["snapshots"][place]["loss"], abs=2e-3)
    assert int(confusion.diagonal().sum()) / 1000 == pytest.approx(shipped["snapshots"][place]["accuracy"], abs=0.002)


def test_a_recording_begins_before_the_first_step_and_ends_after_the_last(digits: ImageSet) -> None:
    made = record(preset("tiny-cnn"), TrainConfig("mnist-5k", "tiny-cnn", batch_size=128, epochs=0.5), 5, "test")
    assert [snapshot["step"] for snapshot in made["snapshots"]] == [0, 1, 3, 8, 16]
    assert [snapshot["images"] for snapshot in made["snapshots"]] == [0, 128, 384, 1024, 2048]
    assert made["snapshots"][-1]["loss"] < made["snapshots"][0]["loss"]


SCRIPT = """
import { readFileSync } from "node:fs"
import { Network } from "./playground/ui/components/home_stage/network.js"
import { Player } from "./playground/ui/components/home_stage/player.js"
const recording = JSON.parse(readFileSync("models/pretrained/tiny-cnn.recording.json", "utf-8"))
const network = new Network(recording)
const player = new Player(recording)
player.finish()
network.load(player.current())
const images = JSON.parse(readFileSync(0, "utf-8"))
console.log(JSON.stringify(images.map((image) => {
  const { columns, probabilities } = network.run(Uint8Array.from(image))
  return { probabilities, columns: columns.map(({ values, edges }) => ({ values: [...values], edges: [...edges] })) }
})))
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed: the network in the browser was not compared with PyTorch")
def test_the_network_in_the_browser_computes_what_pytorch_computes(shipped: Recording, digits: ImageSet, tmp_path: Path) -> None:
    images = digits.test_images[::125]
    script = tmp_path / "run.mjs"
    script.write_text(SCRIPT.replace('"./', f'"{ROOT.as_posix()}/'))
    done = subprocess.run(["node", script], cwd=ROOT, input=json.dumps(images.flatten(1).tolist()), capture_output=True, text=True, check=True)
    network = network_at(shipped, -1)
    for image, result in zip(images, json.loads(done.stdout), strict=True):
        picture = draw_network(list(network), image, prepared(shipped, image.unsqueeze(0)))
        assert result["probabilities"] == pytest.approx(picture["probabilities"], abs=1e-4)
        for ours, column in zip(result["columns"][1:], picture["columns"][1:], strict=True):
            values = np.frombuffer(base64.b64decode(column["values"]), np.int8)
            assert np.abs(values - np.array(ours["values"])).max() <= 1
            edges, expected = (_matrix(each) for each in (ours["edges"], np.frombuffer(base64.b64decode(column["edges"]), np.int8)))
            assert all(abs(edges[pair] - expected[pair]) <= 2 for pair in edges.keys() & expected.keys())
            assert len(edges.keys() & expected.keys()) >= 0.9 * len(expected)


def _matrix(triples: object) -> dict[tuple[int, int], int]:
    return {(int(source), int(target)): int(share) for source, target, share in np.array(triples).reshape(-1, 3)}
