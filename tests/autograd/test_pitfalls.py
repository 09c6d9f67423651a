"""Pitfalls in many scripts: every version behaves as in Python, and only the marked lines of a script change."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import tokenize
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import event, given, settings
from hypothesis import strategies as st

from playground.autograd.pitfalls import catalogue as pitfalls
from playground.autograd.pitfalls.catalogue import PITFALLS, compare
from playground.errors import PlaygroundError, UnknownName

from ..support.tiers import repetitions

SEED = 7
SCRIPTS = {
    "A1": "x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)\ny = x * 2\nz = y.mean()\nz.backward()",
    "A2": "x = torch.ones(2, 2, requires_grad=True)\ny = x + 2\nz = y * y * 3\nout = z.mean()\nout.backward()",
    "A3": "x = torch.tensor(1., requires_grad=True)\ny = 2 * x**3\nz = y.pow(2)\nz.backward()",
    "A4": """x = torch.randn(1, 1)
y = torch.randn(1, 1, requires_grad=True)
if y.item() > 0:
    z = x * y
else:
    z = x / y
z.backward()
""",
    "A5": "x = torch.tensor([1., 2.], requires_grad=True)\nfor i in range(2):\n    loss = (x * x).sum()\n    loss.backward()",
    "A6": """torch.manual_seed(0)
inputs = torch.randn(20, 3)
targets = inputs @ torch.tensor([1., -2., 3.])
weight = torch.zeros(3, requires_grad=True)
learning_rate = 0.1
losses = []
for step in range(30):
    loss = ((inputs @ weight - targets) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        weight -= learning_rate * weight.grad
        weight.grad.zero_()
    losses.append(loss.item())
""",
    "semicolons": "x = torch.tensor([1., 2.], requires_grad=True); y = x * x;  loss = y.sum(); loss.backward();  # at once\nprint(x.grad)",
    "block on one line": "x = torch.rand(2, requires_grad=True)\nfor i in range(1): y = x.exp(); y.sum().backward()  # ü\nprint('done')\n",
    "expression of several lines": "x = torch.ones(2, requires_grad=True)\n(\n  (x *\n   x)  # squares. All of them\n  .sum()  # a number\n  .backward()\n)",
    "tabs": """w = torch.rand(3, dtype=torch.float64, requires_grad=True)
for i in range(3):
\tif i == 2:
\t\th = torch.tanh(
\t\t\tw * 2
\t\t)
\t\t# now

\t\tloss = h.sum()
\t\tloss.backward()
""",
    "two spaces, several leaves": """a = torch.tensor([[1., 2.], [3., 4.]], requires_grad=True)
b = torch.tensor([1., -1.])
b.requires_grad_()  # a leaf only now
with torch.enable_grad():
  c = a @ a
  d = torch.tanh(c) * b   # meet

  loss = d[0].sum() + \\
    c.mean()
  loss.backward()
print('a', a.grad.sum())
""",
    "lines end as on Windows": "x = torch.arange(3.)\r\nx.requires_grad = True\r\nif True:\r\n  y = x ** 2\r\n  y.sum().backward()\r\n# end\r\n",
    "a gradient is given": "x = torch.ones(3, requires_grad=True)\ny = x * x\ny.backward(torch.tensor([1., 2., 3.]), retain_graph=False)",
    "a gradient is given by name": "x = torch.ones(3, requires_grad=True)\ny = x.sin()\ny.backward(gradient=torch.ones(3))",
    "retained already": "x = torch.ones(3, requires_grad=True)\ny = x * x\nloss = y.sum()\nloss.backward(retain_graph=True)\nloss.backward()",
    "nothing saved": "x = torch.ones(3, requires_grad=True)\ny = x + 1\nloss = y.sum()\nloss.backward()",
    "a list": """ws = [torch.rand(2, requires_grad=True) for _ in range(2)]
outs = []
for w in ws:
    step = w * w
    outs.append(step)
total = torch.stack(outs).sum()
total.backward()
for w in ws: w.grad *= 0
""",
    "sums in a loop": """w = torch.rand(2, requires_grad=True)
n = np.random.rand(2)
loss = 0
for value in n:
    part = (w * float(value)).square()
    loss = loss + part.sum()
loss.backward()
""",
    "zeroing where there is something": """w = torch.rand(2, requires_grad=True)
data = torch.rand(4, 2)
for row in data:
    if w.grad is not None: w.grad = None  # away with it
    loss = (w * row).exp().sum(); loss.backward(); print(loss)
""",
    "a loss of two": """x = torch.rand(3, requires_grad=True)
first, second = x.sin(), x.cos()
first.sum().backward(); second.prod().backward()
""",
    "texts over lines": """x = torch.rand(2, requires_grad=True)
if True:
    y = x * len('''a
    b''') + \\
  1
    print(f'''{y.sum():.3f}
  end''')
    y.prod().backward()
""",
    "dropout": "x = torch.rand(8, requires_grad=True)\nh = F.dropout(x * x)\nh = h.relu()\nloss = h.sum()\nloss.backward()",
    "asked for already": "x = torch.ones(3, requires_grad=True)\ny = x * x\ny.retain_grad()\nz = y.mean()\nz.backward()\nprint(y.grad)",
    "given by place": "x = torch.ones(2, requires_grad=True)\ny = x.exp(); y.backward(torch.ones(2), False)",
    "dtype is given": "x = torch.zeros(2, dtype=torch.float32, requires_grad=True)\nloss = (x.cos() * 2).sum()\nloss.backward(gradient=None)",
    "names are taken": "loss = torch.rand(2, requires_grad=True)\nvalues = loss * loss\nshown = values + 0\n(values * shown).sum().backward()",
    "computed outside of the block": """for i in range(1):
    x = torch.rand(2, requires_grad=True)
    y = x * x
    if True:
        loss = y.sum()
        loss.backward()
""",
    "a name is used again": """x = torch.rand(2, requires_grad=True)
y = x * 3
keep = [y]
z = y * y
y = torch.zeros(2)
loss = z.sum()
loss.backward()
""",
    "a name beside the way": "x = torch.rand(2, requires_grad=True)\nys = [x * 2]\ny = ys[0]\nloss = (ys[0] * ys[0]).sum()\nloss.backward()",
    "only a gradient is given": "x = torch.ones(3, requires_grad=True)\ny = x * x\ny.backward(torch.tensor([1., 2., 3.]))",
    "a loop, and then all at once": """w = torch.rand(2, requires_grad=True)
total = 0
for i in range(3): total = total + (w * i).exp()
loss = (total * total).mean(); loss.backward(); print(total)
""",
    "a part, over lines": "x = torch.ones(3, requires_grad=True)\nlosses = [(x * x).sum()]\n(losses\n  [0]\n  .backward())\n",
    "on a device": "x = torch.ones(2, device=device, requires_grad=True)\ny = (x * x).to(device)\ny[0].backward()",
}  # fmt: skip
REFUSED = {
    "zero_grad": {"a name is used again"},
    "in_place": {"A1", "nothing saved", "sums in a loop"},
    "detach": {"expression of several lines", "a part, over lines"},
    "no_grad": {"a part, over lines"},
    "non_leaf": {"expression of several lines", "a part, over lines"},
    "non_scalar": {"A3", "A4"},
}
"""Scripts that offer no place for a pitfall."""
CASES = [(name, pitfall) for name in SCRIPTS for pitfall in PITFALLS if name not in REFUSED.get(pitfall, ())]
SAME_GRADIENTS = {"backward_twice", "retain_graph", "in_place", "detach", "no_grad", "non_leaf", "integer"}
"""Pitfalls whose first correction gives the same gradients as the original script."""


@cache
def compare_versions(source: str, pitfall: str, seed: int = SEED) -> dict[str, Any]:
    return json.loads(json.dumps(compare({"source": source, "pitfall": pitfall, "device": "cpu", "seed": seed}), allow_nan=False))


def versions(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [answer["original"], answer["wrong"], *answer["right"]]


@cache
def execute(source: str, seed: int = SEED) -> tuple[dict[str, Any], str | None, str]:
    """Run the script in Python; return its names, error and output."""
    names: dict[str, Any] = {"torch": torch, "np": np, "F": F, "device": torch.device("cpu")}
    torch.manual_seed(seed)
    np.random.seed(seed)
    error, output = None, io.StringIO()
    with contextlib.redirect_stdout(output), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(source, names)  # noqa: S102 (a version of a script of this file)
        except (RuntimeError, AttributeError) as caught:
            error = str(caught)
    return names, error, output.getvalue()


def leaves(names: dict[str, Any]) -> dict[str, torch.Tensor]:
    tensors = {name: value for name, value in names.items() if isinstance(value, torch.Tensor)}
    tensors |= {f"{name}[{place}]": part for name, value in names.items() if isinstance(value, list) for place, part in enumerate(value)}
    return {name: value for name, value in tensors.items() if isinstance(value, torch.Tensor) and value.is_leaf and value.requires_grad}


def assert_matches_python(version: dict[str, Any], seed: int = SEED) -> None:
    """The error, output and gradients of a version equal those of Python."""
    names, error, output = execute(version["source"], seed)
    if error and "'NoneType' object" in error:  # raised by Python, not by PyTorch, for a missing gradient
        error = None
        assert "NoneType" in version["error"]["message"]
    else:
        assert (version["error"] is None) == (error is None)
    assert (version["pytorch_error"], version["output"]) == (error, output)
    expected = {name: None if leaf.grad is None else leaf.grad.tolist() for name, leaf in leaves(names).items()}
    assert {name: grad for name, grad in version["gradients"].items() if name in expected} == expected
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert all(
            names[name].grad is None if grad is None else names[name].grad.tolist() == grad for name, grad in version["gradients"].items() if "[" not in name
        )


def gradient_arrays(version: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.array(grad) for name, grad in version["gradients"].items() if grad is not None}


@pytest.mark.parametrize(("name", "pitfall"), CASES)
def test_every_version_behaves_as_in_python_and_changes_only_marked_lines(name: str, pitfall: str) -> None:
    answer = compare_versions(SCRIPTS[name], pitfall)
    for version in versions(answer):
        assert_matches_python(version)
        assert_rest_unchanged(SCRIPTS[name], version)
    assert answer["original"]["source"] == SCRIPTS[name]
    assert [version["error"] for version in answer["right"]] == [None] * len(answer["right"]) and answer["right"]
    if pitfall in SAME_GRADIENTS:
        assert answer["right"][0]["gradients"] == answer["original"]["gradients"] or pitfall == "non_leaf"


@pytest.mark.parametrize(("name", "pitfall"), [(name, pitfall) for pitfall, names in REFUSED.items() for name in sorted(names)])
def test_a_script_without_a_place_for_the_pitfall_is_refused(name: str, pitfall: str) -> None:
    with pytest.raises(PlaygroundError) as caught:
        compare_versions(SCRIPTS[name], pitfall)
    assert caught.value.message and caught.value.hint


def assert_rest_unchanged(source: str, version: dict[str, Any]) -> None:
    """Lines not marked as changed are the original's, in order; comments stay, except those of removed lines."""
    ast.parse(version["source"])
    rest = iter(source.splitlines())
    kept = [line for number, line in enumerate(version["source"].splitlines(), 1) if number not in version["changed"]]
    assert all(any(line == other for other in rest) for line in kept)
    assert len(version["changed"]) == len(set(version["changed"]))
    missing = [comment for comment in comments(source) if comment not in comments(version["source"])]
    assert not missing or version["removed"] or "values" in version["source"]  # inside an expression that is no longer the root of the pass


def comments(source: str) -> list[str]:
    return [token.string for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.COMMENT]


DOUBLING = ["A1", "A2", "A3", "A4", "semicolons", "expression of several lines", "two spaces, several leaves", "sums in a loop", "texts over lines", "tabs"]


@pytest.mark.parametrize("name", DOUBLING)
def test_gradients_accumulate_without_zero_grad(name: str) -> None:
    answer = compare_versions(SCRIPTS[name], "zero_grad")
    original, wrong = gradient_arrays(answer["original"]), gradient_arrays(answer["wrong"])
    assert original.keys() == wrong.keys() and all(np.allclose(wrong[leaf], 2 * original[leaf]) for leaf in original)
    assert answer["right"][0]["gradients"] == answer["original"]["gradients"]


@pytest.mark.parametrize("name", DOUBLING)
def test_gradients_accumulate_with_retain_graph(name: str) -> None:
    answer = compare_versions(SCRIPTS[name], "retain_graph")
    original, wrong = gradient_arrays(answer["original"]), gradient_arrays(answer["wrong"])
    assert original.keys() == wrong.keys() and all(np.allclose(wrong[leaf], 2 * original[leaf]) for leaf in original)
    assert [right["gradients"] for right in answer["right"]] == [answer["original"]["gradients"]] * 2


def test_a_script_that_never_clears_gradients_is_the_wrong_version() -> None:
    answer = compare_versions(SCRIPTS["A5"], "zero_grad")
    assert (answer["wrong"]["gradients"], answer["wrong"]["changed"]) == ({"x": [4.0, 8.0]}, [])
    assert (answer["right"][0]["gradients"], answer["right"][0]["changed"]) == ({"x": [2.0, 4.0]}, [4])
    assert "never clears" in answer["meaning"]


def test_new_leaves_of_each_turn_do_not_accumulate() -> None:
    answer = compare_versions("for i in range(2):\n    x = torch.ones(2, requires_grad=True)\n    y = (x * x).sum()\n    y.backward()", "zero_grad")
    assert (answer["original"]["gradients"], answer["wrong"]["gradients"]) == ({"x": [2.0, 2.0]}, {"x": [4.0, 4.0]})


@pytest.mark.parametrize(
    "zeroing",
    [
        "x.grad.zero_()", "x.grad = None", "x.grad *= 0", "x.grad *= 0.", "x.grad.data.zero_()", "x.grad.detach().fill_(0)", "x.grad.mul_(0)",
        "x.grad = torch.zeros_like(x)", "x.grad, w.grad = None, None", "x.grad = w.grad = None", "[p.grad.zero_() for p in (x, w)]",
    ],
)  # fmt: skip
def test_every_way_to_clear_gradients_is_recognised(zeroing: str) -> None:
    source = (
        f"x = torch.ones(2, requires_grad=True)\nw = torch.ones(2, requires_grad=True)\n(x * w).sum().backward()\n{zeroing}  # gone\n(x * w).sum().backward()"
    )
    answer = compare_versions(source, "zero_grad")
    assert (answer["wrong"]["removed"], answer["wrong"]["changed"]) == ([zeroing], [])
    assert answer["wrong"]["source"] == source.replace(f"{zeroing}  # gone\n", "")
    assert (answer["wrong"]["gradients"]["x"], answer["right"][0]["gradients"]["x"]) == ([2.0, 2.0], [1.0, 1.0])


def test_a_block_that_only_clears_gradients_becomes_pass() -> None:
    answer = compare_versions(SCRIPTS["zeroing where there is something"], "zero_grad")
    assert "if w.grad is not None: pass  # away with it" in answer["wrong"]["source"]
    assert (answer["wrong"]["changed"], answer["wrong"]["removed"]) == ([4], ["w.grad = None"])


@pytest.mark.parametrize(
    ("line", "remaining"),
    [
        ("w.grad = None; print(1); w.grad = None; print(2)", "print(1); print(2)"),
        ("print(1); w.grad = None; w.grad = None", "print(1)"),
        ("print(1); w.grad = None; print(2)", "print(1); print(2)"),
    ],
)
def test_clearing_is_removed_from_a_line_of_several_statements(line: str, remaining: str) -> None:
    start = "w = torch.ones(2, requires_grad=True)\n(w * w).sum().backward()\n"
    assert compare_versions(start + line, "zero_grad")["wrong"]["source"] == start + remaining


def test_clearing_without_effect_is_explained() -> None:
    assert "changes nothing" in compare_versions("x = torch.ones(2, requires_grad=True)\nx.grad = None\n(x * x).sum().backward()", "zero_grad")["meaning"]


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_second_pass_fails_only_if_the_graph_saved_values(name: str) -> None:
    answer = compare_versions(SCRIPTS[name], "backward_twice")
    freed = "backward through the graph a second time" in (answer["wrong"]["pytorch_error"] or "")
    assert freed != (name in ("nothing saved", "retained already"))
    assert ("does not fail" in answer["meaning"]) != freed


@pytest.mark.parametrize(
    ("pitfall", "words"),
    [
        ("in_place", "modified by an inplace operation"),
        ("integer", "nly Tensors of floating point"),
        ("non_scalar", "grad can be implicitly created only for scalar"),
    ],
)
@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_pytorch_raises_the_error_of_the_pitfall(name: str, pitfall: str, words: str) -> None:
    if name not in REFUSED.get(pitfall, ()):
        assert words in (execute(compare_versions(SCRIPTS[name], pitfall)["wrong"]["source"])[1] or "")


@pytest.mark.parametrize("pitfall", ["detach", "no_grad"])
@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_gradients_are_missing_without_history(name: str, pitfall: str) -> None:
    if name in REFUSED.get(pitfall, ()):
        return
    answer = compare_versions(SCRIPTS[name], pitfall)
    refused = "does not require grad" in (answer["wrong"]["pytorch_error"] or "")
    assert refused or answer["wrong"]["gradients"] != answer["original"]["gradients"]
    assert ("PyTorch raises an error" in answer["meaning"]) == refused


def test_gradients_missing_on_one_of_several_paths_are_explained() -> None:
    answer = compare_versions(
        "a = torch.ones(2, requires_grad=True)\nb = torch.ones(2, requires_grad=True)\nc = a * 3\nloss = (c * b).sum()\nloss.backward()", "detach"
    )
    assert answer["wrong"]["gradients"] == {"a": None, "b": [3.0, 3.0]} and answer["wrong"]["error"] is None
    assert "are missing" in answer["meaning"]


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in REFUSED["non_leaf"]])
def test_a_non_leaf_tensor_has_no_gradient_without_retain_grad(name: str) -> None:
    answer = compare_versions(SCRIPTS[name], "non_leaf")
    watched = next(name for name in answer["right"][0]["gradients"] if f"print({name}.grad)" in answer["wrong"]["source"] and not name.startswith("x"))
    assert answer["wrong"]["gradients"][watched] is None and "None\n" in answer["wrong"]["output"]
    assert any("not a leaf Tensor is being accessed" in warning for warning in answer["wrong"]["warnings"])
    assert answer["right"][0]["gradients"][watched] is not None


def test_all_versions_draw_the_same_random_numbers() -> None:
    source = "x = torch.randn(3, requires_grad=True)\nn = torch.tensor(np.random.rand(3))\ny = x * n\nloss = (y * y).sum()\nloss.backward()"
    first, second, other = compare_versions(source, "detach"), compare_versions(source, "detach"), compare_versions(source, "detach", seed=SEED + 1)
    assert first == second and first["right"][0]["gradients"] == first["original"]["gradients"]
    assert other["original"]["gradients"] != first["original"]["gradients"]


def test_a_missing_seed_is_drawn() -> None:
    request = {"source": SCRIPTS["A4"], "pitfall": "zero_grad", "device": "cpu"}
    answer = compare(request)
    assert compare({**request, "seed": answer["seed"]}) == answer
    assert compare(request)["seed"] != answer["seed"]


@pytest.mark.parametrize("seed", [-1, 2**64 + 5, "12"])
def test_every_integer_is_a_valid_seed(seed: Any) -> None:
    answer = compare({"source": SCRIPTS["A4"], "pitfall": "zero_grad", "device": "cpu", "seed": seed})
    assert 0 <= answer["seed"] < 2**63


@pytest.mark.parametrize(
    ("source", "pitfall", "words"),
    [
        ("", "zero_grad", "no backward pass"),
        ("x = torch.ones(2, requires_grad=True)\ny = x * 2", "backward_twice", "no backward pass"),
        ("x = torch.ones(2)", "integer", "no leaf that requires a gradient"),
        ("x = torch.ones(2, requires_grad=True)\nx.backward()", "detach", "ends with an error"),
        ("x = torch.ones(2", "detach", "Python cannot parse this"),
        ("x = torch.ones((), requires_grad=True)\n_ = (x * x).backward()", "zero_grad", "inside a larger statement"),
        ("x = torch.ones((), requires_grad=True)\n[(x * x).backward() for i in range(2)]", "retain_graph", "inside a larger statement"),
        ("(torch.ones(2, requires_grad=True) * 2).sum().backward()", "zero_grad", "no names"),
        ("w = torch.ones(2, requires_grad=True)\nw = w * 2\nw.sum().backward()", "zero_grad", "no names"),
        ("w = torch.ones(2, requires_grad=True)\nv = w\nw = w * 2\nw.sum().backward()", "zero_grad", "overwrites"),
        (
            "w = torch.ones(2, requires_grad=True)\nif True:\n h = w * w\n for i in range(1):\n  h.sum().backward()\n  with torch.no_grad():\n   w -= w.grad",
            "zero_grad",
            "overwrites",
        ),
        ("x = torch.ones(2)\nw = torch.ones(2, requires_grad=True)\ny = w * x\nx = x * 2\nz = (y * x).sum()\nz.backward()", "zero_grad", "overwrites"),
    ],
)  # fmt: skip
def test_refusals_name_the_reason(source: str, pitfall: str, words: str) -> None:
    with pytest.raises(PlaygroundError, match=words):
        compare_versions(source, pitfall)


def test_an_unknown_pitfall_is_refused() -> None:
    with pytest.raises(UnknownName, match="zero_grad"):
        compare_versions("x = 1", "quicksand")


def test_pitfalls_are_keyed_by_their_names() -> None:
    assert list(PITFALLS) == ["zero_grad", "backward_twice", "retain_graph", "in_place", "detach", "no_grad", "non_leaf", "integer", "non_scalar"]
    assert all(pitfalls.PITFALLS[name].name == name for name in PITFALLS)


def test_a_loss_that_cannot_be_recomputed_has_one_correction() -> None:
    answer = compare_versions("w = torch.ones(2, requires_grad=True)\nw = w * 2\nw.sum().backward()", "retain_graph")
    assert [version["title"] for version in answer["right"]] == ["Backward once"]


def test_gradients_cleared_under_another_name_do_not_accumulate() -> None:
    answer = compare_versions(
        "x = torch.ones(2, requires_grad=True)\nfor i in range(2):\n    (x * x).sum().backward()\n    g = x.grad\n    g.zero_()", "zero_grad"
    )
    assert "two backward passes" in answer["meaning"]


def test_only_saved_tensors_are_changed_in_place() -> None:
    lines = [
        "x = torch.rand(2, requires_grad=True)",
        "a = torch.rand(2)",
        *(f"y{number} = x + {number}" for number in range(12)),
        "(x * a + y1).sum().backward()",
    ]
    assert "a.mul_(2)\n" in compare_versions("\n".join(lines), "in_place")["wrong"]["source"]


@pytest.mark.parametrize("pitfall", list(PITFALLS))
def test_no_name_of_the_script_is_overwritten(pitfall: str) -> None:
    answer = compare_versions(SCRIPTS["names are taken"], pitfall)
    for version in versions(answer)[pitfall == "integer" and 2 :]:
        assert version["gradients"].keys() >= {"loss"}
        assert torch.equal(execute(version["source"])[0]["values"], execute(SCRIPTS["names are taken"])[0]["values"]) or version["error"]


@pytest.mark.parametrize(
    ("name", "pitfall", "part"),
    [
        ("tabs", "no_grad", "\t\twith torch.no_grad():\n\t\t\th = torch.tanh(\n\t\t\t\tw * 2\n\t\t\t)\n\t\t# now\n"),
        ("texts over lines", "no_grad", "    with torch.no_grad():\n        y = x * len('''a\n    b''') + \\\n  1\n    print"),
        ("dtype is given", "integer", "x = torch.zeros(2, dtype=torch.int64, requires_grad=True)\n"),
        ("only a gradient is given", "retain_graph", "y.backward(retain_graph=True, gradient=torch.tensor([1., 2., 3.]))\ny.backward(torch."),
        ("lines end as on Windows", "non_leaf", "  y.sum().backward()\r\n  print(y.grad)\r\n# end\r\n"),
        ("semicolons", "non_leaf", "loss.backward(); print(y.grad);  # at once\nprint(x.grad)"),
    ],
)  # fmt: skip
def test_the_layout_of_the_script_is_kept(name: str, pitfall: str, part: str) -> None:
    assert part in compare_versions(SCRIPTS[name], pitfall)["wrong"]["source"]


def test_a_block_is_inserted_after_a_line_and_its_comment() -> None:
    assert compare_versions(SCRIPTS["semicolons"], "no_grad")["right"][0]["source"].endswith(
        "loss.backward();  # at once\nwith torch.no_grad():\n    print(y.mean())\nprint(x.grad)"
    )


STATEMENTS = {
    "leaf": [
        "x = torch.rand(3, requires_grad=True)", "x = torch.tensor([\n  1., 2., 3.],  # three\n  requires_grad=True)", "x = torch.rand(3).requires_grad_()",
    ],
    "between": ["y = x * x", "y = (x\n  * x)  # squares", "y = torch.tanh(x)", "y = (x.exp())", "y = x \\\n  * len('''a\nb''')"],
    "more": ["z = y * 2", "z = y * y; u = 1", "z = torch.cat([y, y])", "pass", "print('ö', y.detach())  # ü"],
    "loss": ["loss = y.sum()", "loss = (y * y).mean()", "loss = y.prod(); print(loss.item())"],
    "backward": [
        "loss.backward()", "(loss).backward()", "(y.sum()).backward()", "loss.backward(retain_graph=False)", "(loss\n  .backward())",
        "y.backward(torch.ones(3))",
    ],
    "after": ["pass", "print(x.grad)", "x.grad = None", "x.grad.zero_(); print(x.grad)", "# the end\nx.grad.zero_()"],
}  # fmt: skip


@st.composite
def scripts(draw: st.DrawFn) -> str:
    """Draw scripts with one meaning in many layouts: on one line, in blocks, with every indent and end of line, with comments and blank lines."""
    leaf, *rest = [draw(st.sampled_from(choices)) for choices in STATEMENTS.values()]
    head = draw(st.sampled_from(["", "", "for i in range(2):", "if True:", "with torch.enable_grad():", "for i in range(2):\n{unit}if i:"]))
    unit = draw(st.sampled_from(["    ", "  ", "\t"]))
    lines = [leaf]
    joined = draw(st.lists(st.booleans(), min_size=len(rest), max_size=len(rest)))
    inline = bool(head) and "\n" not in head and all(joined) and not any("#" in part for part in rest)
    indent = "" if inline else unit * (head.count("\n") + 1 if head else 0)
    body: list[str] = []
    for join, part in zip(joined, rest, strict=True):
        if join and body and body[-1] and "#" not in body[-1].rsplit("\n", 1)[-1] and not part.startswith("#"):
            body[-1] += draw(st.sampled_from(["; ", ";", " ;  "])) + part
        else:
            body.append(part.replace("# the end\n", f"# the end\n{indent}"))
            body += draw(st.sampled_from([[], [], ["# why"], [""]]))
    if inline:
        lines.append(f"{head} {'; '.join(rest)}{draw(st.sampled_from(['', ';', '  # one line']))}")
    else:
        lines += [head.format(unit=unit)] * bool(head) + [f"{indent}{part}" if part else "" for part in body]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return newline.join("\n".join(lines).split("\n")) + draw(st.sampled_from(["", newline]))


REPLACED = {"zero_grad": 2, "backward_twice": 1, "retain_graph": 1, "in_place": 1, "detach": 0, "no_grad": 0, "non_leaf": 0, "integer": 1, "non_scalar": 1}
"""Number of simple statements of the original that a version may lack."""


def simple_statements(source: str) -> list[str]:
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt) and not hasattr(node, "body")]
    return [ast.unparse(node) for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset))]


@settings(max_examples=repetitions(100))
@given(source=scripts(), pitfall=st.sampled_from(list(PITFALLS)))
def test_versions_of_scripts_in_any_layout_match_python(source: str, pitfall: str) -> None:
    if execute(source)[1] is not None:
        event("ends with an error")
        with pytest.raises(PlaygroundError, match="ends with an error"):
            compare_versions(source, pitfall)
        return
    try:
        answer = compare_versions(source, pitfall)
    except PlaygroundError as error:
        event("refused")
        assert pitfall == "in_place", error  # noqa: PT017 (other pitfalls have a place in all of these)
        return
    for version in versions(answer):
        assert_rest_unchanged(source, version)
        assert_matches_python(version)
        remaining = iter(simple_statements(version["source"]))
        statements = simple_statements(source)
        kept = 0
        while kept < len(statements) and statements[kept] in remaining:
            kept += 1
        missing = [statement for statement in statements if statement not in simple_statements(version["source"])]
        assert len(missing) <= REPLACED[pitfall] and (missing or kept == len(statements) or pitfall == "zero_grad")
