"""The code shown to learners, run in a file of its own, makes the network that the playground builds."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from playground.errors import ShapeError
from playground.network.build import build
from playground.network.catalogue import LayerType, Param
from playground.network.layers import LAYERS
from playground.network.presets import load_presets
from playground.network.source import imports, sequential
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import construct, trace

PRESETS = load_presets().networks
each_preset = pytest.mark.parametrize("name", sorted(PRESETS))


def run(spec: NetworkSpec, folder: Path) -> nn.Sequential:
    """What the code makes; nothing of the playground is imported by it."""
    path = folder / "network.py"
    code = "\n".join(imports(spec)) + "\n\n" + sequential(spec)
    assert "playground" not in code
    path.write_text(code, encoding="utf-8")
    network = runpy.run_path(str(path))["network"]
    assert type(network) is nn.Sequential
    return network


def shapes(network: nn.Module) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in network.state_dict().items()}


def another(param: Param) -> Any:
    """A value that is not the default."""
    if param.kind == "bool":
        return not param.default
    if param.kind == "choice":
        return param.choices[1]
    return 0.25 if param.kind == "float" else int(param.default) + 1 if param.name != "nhead" else 2


@each_preset
def test_it_has_the_same_weights(name: str, tmp_path: Path) -> None:
    assert shapes(run(PRESETS[name], tmp_path)) == shapes(build(PRESETS[name]))


@each_preset
def test_with_the_same_weights_it_gives_the_same_outputs(name: str, tmp_path: Path) -> None:
    spec = PRESETS[name]
    ours, theirs = build(spec, seed=0).eval(), run(spec, tmp_path).eval()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(3, *spec.input_shape)
    assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("changed", [False, True], ids=["defaults", "changed"])
def test_every_layer_is_the_one_that_is_built(kind: LayerType, changed: bool, tmp_path: Path) -> None:
    layer = LayerSpec(kind.name, {param.name: another(param) for param in kind.params} if changed else {})
    before = (LayerSpec("PatchEmbedding", {"embed_dim": 8}),) if kind.ranks == (2,) else ()
    spec = NetworkSpec("test", (12,) if 1 in kind.ranks else (2, 20, 20), (*before, layer))
    assert str(run(spec, tmp_path)[-1]) == str(construct(layer, trace(spec)[-1].in_shape))


@each_preset
def test_each_line_tells_the_shape_that_leaves_it(name: str) -> None:
    steps = trace(PRESETS[name])
    lines = sequential(PRESETS[name]).split("network = nn.Sequential(")[1].splitlines()
    assert lines[0].endswith(f"# {PRESETS[name].input_shape}")
    assert [line.split("# ")[1] for line in lines[1 : len(steps) + 1]] == [str(step.out_shape) for step in steps]


def test_it_is_what_one_would_write_by_hand() -> None:
    assert "nn.Linear(10, 20)," in sequential(PRESETS["two-layers"])
    assert "nn.Conv2d(1, 16, 3)," in sequential(PRESETS["tutorial-cnn"])
    assert "nn.MaxPool2d(2, stride=2)," in sequential(PRESETS["tutorial-cnn"])


def test_a_network_that_does_not_fit_has_no_code() -> None:
    with pytest.raises(ShapeError):
        sequential(NetworkSpec("test", (4,), (LayerSpec("Conv2d"),)))
