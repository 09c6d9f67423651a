"""The generated code, run in a fresh interpreter, builds the network that the playground builds."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from playground.errors import ShapeError
from playground.network.build import build
from playground.network.catalogue import LAYERS
from playground.network.presets import load_presets
from playground.network.source import class_name, imports, module, module_script, sequential, sequential_script
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import construct, trace
from playground.network.types import LayerType, Param

from .fitting import fitting_stacks, share_fitting_stacks

pytestmark = share_fitting_stacks

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
def test_the_code_builds_the_same_weights(name: str, tmp_path: Path) -> None:
    assert shapes(run(PRESETS[name], tmp_path)) == shapes(build(PRESETS[name]))


@each_preset
def test_the_code_with_the_same_weights_gives_the_same_outputs(name: str, tmp_path: Path) -> None:
    spec = PRESETS[name]
    ours, theirs = build(spec, seed=0).eval(), run(spec, tmp_path).eval()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(3, *spec.input_shape)
    assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("changed", [False, True], ids=["defaults", "changed"])
def test_every_layer_of_the_code_is_the_one_that_is_built(kind: LayerType, changed: bool, tmp_path: Path) -> None:
    layer = LayerSpec(kind.name, {param.name: another(param) for param in kind.params} if changed else {})
    before = (LayerSpec("PatchEmbedding", {"embed_dim": 8}),) if kind.ranks == (2,) else ()
    spec = NetworkSpec("test", (12,) if 1 in kind.ranks else (2, 20, 20), (*before, layer))
    assert str(run(spec, tmp_path)[-1]) == str(construct(layer, trace(spec)[-1].in_shape))


@each_preset
def test_each_line_has_the_output_shape_in_a_comment(name: str) -> None:
    steps = trace(PRESETS[name])
    lines = sequential(PRESETS[name]).split("network = nn.Sequential(")[1].splitlines()
    assert lines[0].endswith(f"# {PRESETS[name].input_shape}")
    assert [line.split("# ")[1] for line in lines[1 : len(steps) + 1]] == [str(step.out_shape) for step in steps]


def test_sequential_code_is_what_one_would_write_by_hand() -> None:
    assert "nn.Linear(10, 20)," in sequential(PRESETS["two-layers"])
    assert "nn.Conv2d(1, 16, 3)," in sequential(PRESETS["tutorial-cnn"])
    assert "nn.MaxPool2d(2, stride=2)," in sequential(PRESETS["tutorial-cnn"])


def test_a_network_that_does_not_fit_has_no_code() -> None:
    with pytest.raises(ShapeError):
        sequential(NetworkSpec("test", (4,), (LayerSpec("Conv2d"),)))


CHILD = """
import runpy, sys
from pathlib import Path
import torch

torch.set_num_threads(1)
cases = torch.load(Path(sys.argv[1], "cases.pt"), weights_only=True)
for index, case in enumerate(cases):
    for style in ("sequential", "module"):
        network = runpy.run_path(str(Path(sys.argv[1], f"{style}{index}.py")))["network"].eval()
        values = list(network.state_dict().values())
        assert [value.shape for value in values] == [weight.shape for weight in case["weights"]], (index, style)
        for value, weight in zip(values, case["weights"]):
            value.copy_(weight)
        with torch.no_grad():
            outputs = network(case["images"])
        try:  # another process may add in another order; padding of a wide window is minus infinity
            torch.testing.assert_close(outputs, case["outputs"], equal_nan=True)
        except AssertionError as error:
            raise AssertionError(f"{style}{index}: {error}") from None
assert "playground" not in sys.modules
print(len(cases))
"""


def in_a_fresh_interpreter(specs: list[NetworkSpec], folder: Path) -> None:
    """Both styles of all networks, given the playground's weights in their order, compute what the playground computes."""
    cases = []
    for index, spec in enumerate(specs):
        ours, chance = build(spec, seed=index).eval(), torch.Generator().manual_seed(index)
        for value in ours.state_dict().values():
            if value.dim() == 1:  # all alike at the start, so that two that are exchanged would not be found
                value.copy_(torch.rand(value.shape, generator=chance) + 0.5)
        images = torch.randn(3, *spec.input_shape, generator=chance)
        with torch.no_grad():
            cases.append({"weights": list(ours.state_dict().values()), "images": images, "outputs": ours(images)})
        (folder / f"sequential{index}.py").write_text(sequential_script(spec), encoding="utf-8")
        (folder / f"module{index}.py").write_text(module_script(spec), encoding="utf-8")
    torch.save(cases, folder / "cases.pt")
    (folder / "child.py").write_text(CHILD, encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", "child.py", "."], cwd=folder, capture_output=True, text=True, check=False, timeout=150)
    assert done.stdout.strip() == str(len(specs)), done.stderr[-2000:]


def test_presets_and_any_networks_compute_the_same_in_a_fresh_interpreter(tmp_path: Path) -> None:
    specs = fitting_stacks()
    assert sum(len(spec.layers) > 1 for spec in specs) >= 200
    assert {layer.type for spec in specs for layer in spec.layers} == {kind.name for kind in LAYERS}
    in_a_fresh_interpreter([*PRESETS.values(), *specs], tmp_path)


def test_class_code_is_what_one_would_write_by_hand() -> None:
    expected = '''
        class MnistCnn(nn.Module):
            """Small modern CNN.

            Shape: (N, 1, 28, 28) → (N, 10)
            """

            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv2d(1, 32, 5, stride=2, bias=False)
                self.norm1 = nn.BatchNorm2d(32)
                self.conv2 = nn.Conv2d(32, 64, 3, bias=False)
                self.norm2 = nn.BatchNorm2d(64)
                self.conv3 = nn.Conv2d(64, 64, 3, bias=False)
                self.norm3 = nn.BatchNorm2d(64)
                self.drop1 = nn.Dropout(p=0.25)
                self.fc1 = nn.Linear(576, 128)
                self.fc2 = nn.Linear(128, 10)

            def forward(self, x):  # (1, 28, 28)
                x = F.relu(self.norm1(self.conv1(x)))  # (32, 12, 12)
                x = F.relu(self.norm2(self.conv2(x)))  # (64, 10, 10)
                x = F.max_pool2d(x, 2)                 # (64, 5, 5)
                x = F.relu(self.norm3(self.conv3(x)))  # (64, 3, 3)
                x = torch.flatten(x, 1)                # (576,)
                x = self.drop1(x)                      # (576,)
                x = F.relu(self.fc1(x))                # (128,)
                x = self.fc2(x)                        # (10,)
                return x


        network = MnistCnn()
    '''
    assert module(PRESETS["mnist-cnn"]).strip() == textwrap.dedent(expected).strip()
    assert module_script(PRESETS["mnist-cnn"]).startswith("import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\nclass MnistCnn")


def test_only_functions_with_the_same_settings_replace_modules() -> None:
    pools = LayerSpec("MaxPool2d", {"kernel_size": 3, "stride": 2}), LayerSpec("AvgPool2d", {"kernel_size": 3, "stride": 3})
    code = module(NetworkSpec("test", (1, 28, 28), (*pools, LayerSpec("LeakyReLU", {"negative_slope": 0.2}), LayerSpec("LeakyReLU"))))
    assert "self.pool1 = nn.MaxPool2d(3, stride=2)" in code and "x = self.pool1(x)" in code
    assert "x = F.avg_pool2d(x, 3)" in code and "AvgPool2d" not in code
    assert "self.act1 = nn.LeakyReLU(negative_slope=0.2)" in code and "x = F.leaky_relu(x)" in code


def test_attributes_have_distinct_names() -> None:
    layers = [stem.split(" = ")[0].strip() for stem in module(PRESETS["tiny-vit"]).split("super().__init__()")[2].split("def forward")[0].splitlines()]
    assert [name for name in layers if name] == ["self.embed", "self.encoder1", "self.encoder2", "self.norm1", "self.fc1"]


def test_blocks_are_defined_before_the_class_that_uses_them() -> None:
    code = module(PRESETS["cifar-resnet"])
    assert code.index("class ResidualBlock(") < code.index("class CifarResnet(") and code.count("class ") == 2
    assert "TokenMean" not in module(PRESETS["tiny-vit"])  # x.mean(dim=1) says it


@pytest.mark.parametrize(
    ("name", "title", "expected"),
    [
        ("mnist-cnn", "", "MnistCnn"),
        ("my net 2", "", "MyNet2"),
        ("linear", "", "LinearNet"),
        ("tensor", "", "TensorNet"),
        ("none", "", "NoneNet"),
        ("residual block", "", "ResidualBlockNet"),
        ("shapes", "", "ShapesNet"),
        ("3 layers", "", "Net3Layers"),
        ("数字", "", "数字"),
        ("ﬁne", "", "Fine"),
        ("!?", "Good one", "GoodOne"),
        ("\ud800\x00", "", "Network"),
        ("a" * 5000, "", "A" + "a" * 39),
    ],
)
def test_the_class_name_does_not_clash(name: str, title: str, expected: str) -> None:
    spec = NetworkSpec(name, (3, 8, 8), (LayerSpec("ResidualBlock"),), title=title)
    assert class_name(spec) == expected
    tree = ast.parse(module(spec))
    assert [node.name for node in tree.body if isinstance(node, ast.ClassDef)] == ["ResidualBlock", expected]


@pytest.mark.parametrize("title", ['"""\nimport os', "\\", 'ends in "', "\x00\ud800\u2028", "a\nb" * 999])
def test_a_title_cannot_end_the_docstring(title: str) -> None:
    spec = NetworkSpec("net", (4,), (LayerSpec("ReLU"),), title=title)
    tree = ast.parse(module(spec))
    assert [type(node) for node in tree.body] == [ast.ClassDef, ast.Assign]
    assert max(map(len, module(spec).splitlines())) <= 160


def test_a_network_that_does_not_fit_has_no_class() -> None:
    with pytest.raises(ShapeError):
        module(NetworkSpec("test", (4,), (LayerSpec("Conv2d"),)))
