"""Generated programs: what is told of their autograd graphs against PyTorch itself, run by Python."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode

from playground.autograd import graph
from playground.autograd.formulas import title
from playground.autograd.gradient_tracer import GradientTracer
from playground.tensors.language import interpreter
from playground.tensors.language.interpreter import Execution
from playground.tensors.language.tracing import StatementTracer, Tracer

from ..support.tiers import repetitions

PROGRAMS = repetitions(1000)
OPERATIONS = 30
SHAPES = ((), (2,), (3,), (2, 3), (3, 2), (3, 3), (2, 2, 3))
TOO_LARGE = 1e4
MODULES = {"torch": torch, "F": F}

Draw = Callable[[Any], Any]


@cache
def up_to(most: int) -> st.SearchStrategy[int]:
    return st.integers(0, most)


def pick(draw: Draw, *choices: Any) -> Any:
    return choices[draw(up_to(len(choices) - 1))]


@dataclass
class Growing:
    """A program while it is generated, and the names that it has left so far."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=lambda: dict(MODULES))
    count: int = 0

    def tensors(self) -> dict[str, torch.Tensor]:
        """Those that can be computed with."""
        return {name: value for name, value in self.names.items() if isinstance(value, torch.Tensor) and value.is_floating_point()}

    def with_gradient(self) -> dict[str, torch.Tensor]:
        return {name: value for name, value in self.tensors().items() if value.requires_grad}

    def new(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def recent(self) -> dict[str, torch.Tensor]:
        """Those that a next operation rather goes on from: the last ones with a gradient."""
        found = self.with_gradient() or self.tensors()
        return dict(list(found.items())[-5:])

    def add(self, line: str, careful: bool = False) -> bool:
        """Whether the line works; one that does not is taken back, and with it what it has done.

        Args:
            careful: whether it may also not spoil what was saved for the backward pass.
        """
        try:
            exec(line, self.names)  # noqa: S102 (code from this file)
            works = self._sound() and (not careful or self.goes_back(*self.with_gradient()))
        except (RuntimeError, IndexError, ValueError, TypeError):
            works = False
        if works:
            self.lines.append(line)
        else:
            self.names = python_s_own("\n".join(self.lines))
        return works

    def goes_back(self, *names: str) -> bool:
        """Whether a backward pass from these would work."""
        roots = [self.names[name] for name in names]
        try:
            torch.autograd.backward(roots, [torch.ones_like(root) for root in roots], retain_graph=True)
        except RuntimeError:
            return False
        return True

    def _sound(self) -> bool:
        return all(value.numel() < 200 and bool((value.detach().abs() < TOO_LARGE).all()) for value in self.tensors().values())


def node_of(tensor: torch.Tensor) -> Node | None:
    try:
        return tensor.grad_fn
    except RuntimeError:  # a view made under `no_grad` of what was changed since
        return None


def python_s_own(source: str) -> dict[str, Any]:
    """The names after Python itself has run the script."""
    names: dict[str, Any] = dict(MODULES)
    exec(compile(source, "<generated>", "exec"), names)  # noqa: S102 (code from this file)
    return names


def cell(draw: Draw) -> str:
    return f"{draw(up_to(30)) / 8 - 1.9}"


def literal(draw: Draw, shape: tuple[int, ...]) -> str:
    return f"[{', '.join(literal(draw, shape[1:]) for _ in range(shape[0]))}]" if shape else cell(draw)


def leaf(draw: Draw, program: Growing) -> str:
    shape, dtype = pick(draw, *SHAPES), pick(draw, "float32", "float32", "float64")
    needs = pick(draw, ", requires_grad=True", ", requires_grad=True", ", requires_grad=True", "")
    if not program.lines[0].startswith("torch.manual_seed"):
        return f"{program.new()} = torch.tensor({literal(draw, shape)}, dtype=torch.{dtype}{needs})"
    return f"{program.new()} = torch.randn({shape}, dtype=torch.{dtype}{needs})"


def fits(one: torch.Tensor, other: torch.Tensor) -> bool:
    return all(a == b or 1 in (a, b) for a, b in zip(reversed(one.shape), reversed(other.shape), strict=False))


def partner(draw: Draw, program: Growing, value: torch.Tensor, within: bool = False) -> str:
    """Another tensor that can be broadcast with this one, or, if it must be, to its shape."""
    found = [name for name, other in program.tensors().items() if fits(value, other) and not (within and other.numel() > value.numel())]
    return str(pick(draw, *found))


UNARY = (
    "torch.tanh({})", "{}.sin()", "{}.sigmoid()", "torch.relu({})", "{}.abs()", "-{}", "{} * 0.7", "1 - {}", "{} / 3", "{} + 0.5", "({} ** 2)",
    "{}.clamp(-1, 1)", "({}.abs() + 1).log()", "F.softplus({})", "({0} * {0} + 1).sqrt()", "{}.clone()", "torch.exp({}.clamp(max=2))", "{}.double()",
    "{}.float()", "{}.masked_fill({} > 0.5, 0.25)", "F.leaky_relu({})", "{0} * {0} + {0}",
)  # fmt: skip
BINARY = ("{} + {}", "{} - {}", "{} * {}", "{} / ({}.abs() + 1)", "torch.maximum({}, {})", "torch.where({0} > {1}, {0}, {1} * 2)", "torch.atan2({}, {} + 3)")
REDUCTIONS = (
    "{}.sum()", "{}.mean()", "{}.norm()", "{}.prod()", "torch.logsumexp({}, 0)", "{}.max()", "{}.sum(dim=0)", "{}.mean(dim=-1, keepdim=True)", "{}.amax(dim=0)",
    "{}.var()", "{}.softmax(dim=-1)", "{}.cumsum(0)", "{}.log_softmax(dim=0)",
)  # fmt: skip
VIEWS = (
    "{}.reshape(-1)", "{}.T", "{}.transpose(0, -1)", "{}[0]", "{}[1:]", "{}[..., ::2]", "{}[None]", "{}.unsqueeze(-1)", "{}.flatten()",
    "{}.squeeze()", "{}[..., -1]", "{}.view(-1)", "{}[[1, 0]]", "{}.flip(0)", "{}.expand(2, *{}.shape)", "{}.diagonal()", "{}[:]", "{}.detach()",
    "{}.repeat(2)",
)  # fmt: skip
SEVERAL = (
    "{a}, *{b} = {x}.unbind()", "{a}, {b} = {x}.chunk(2)", "{a}, {b} = {x}.split(1)[:2]", "{a}, {b} = {x}.max(dim=0)", "{a}, {b} = torch.topk({x}, 2)",
    "{a}, {b} = {x}.sort(dim=-1, descending=True)", "{a} = {x}.max(dim=-1)\n{b} = {a}.values", "{b}, {a} = torch.var_mean({x}, dim=0)",
    "{b}, {a} = {x}.unbind(-1)", "{a} = {x}.split(2)\n{b} = {a}[-1]", "{b}, {a} = {x}.tensor_split(2)",
)  # fmt: skip
CHANGES = (
    "{x} += {y}", "{x} *= 0.9", "{x} -= {y}", "{x}[0] = 1.5", "{x}[0] = {y}.sum()", "{x}[..., 0] = {y}.mean()", "{x}.mul_({y})", "{x}.add_({y}, alpha=0.5)",
    "{x}.T.mul_(1.1)", "{x}[0].add_(1)", "{x}.clamp_(-1, 1)", "{x}.relu_()", "{x}[-1].copy_({x}[0] * 2)", "{x}.zero_()", "{x}.view(-1)[0] = 0.75", "{x} /= 2",
    "{x}[1:] *= 2", "{x}.copy_({y})", "{x}.tanh_()",
)  # fmt: skip
BLOCKS = (
    "for i in range(3):\n    {a} = torch.tanh({x} * {y}.mean())\n    {x} = {a} + i", "if {x}.sum() > 0:\n    {a} = {x} * 2\nelse:\n    {a} = {x} - {y}.sum()",
    "{a} = 0\nfor part in {x}.unbind():\n    {a} = {a} + part * {y}.sum()", "with torch.no_grad():\n    {a} = {x} * {y}.sum()\n{b} = {x} * {a}",
    "{a} = [{x} * 2, {y}]\n{b} = {a}[0].sum() * {a}[1]", "{a} = {x}", "{a} = {x}.clone()\nfor i in range(2):\n    {a}[i] = {a}[i] * {y}.mean()",
    "{a} = sum([part.sum() for part in ({x}, {y})])", "{a} = {x} * 1.5\n{a}.retain_grad()", "{a} = {x} * 1\n{b} = {a}[:]\n{a} *= {y}.mean()\n{x} = {b} + {a}",
    "i = 0\nwhile i < 2:\n    {x} = {x} * 0.5 + {y}.mean()\n    i += 1",
)  # fmt: skip
PASSES = (
    "{x}.sum().backward(retain_graph=True)", "({x} * {y}).sum().backward(retain_graph=True)", "{x}.backward(torch.ones_like({x}), retain_graph=True)",
    "{a} = torch.autograd.grad({x}.mean(), [{y}, {x}], retain_graph=True, allow_unused=True)",
    "{a}, = torch.autograd.grad({x}, {x}, torch.ones_like({x}), retain_graph=True)\n{b} = {a} * 2 + {x}", "({x} * 2).sum().backward()",
)  # fmt: skip


def unary(draw: Draw, program: Growing) -> str:
    name = pick(draw, *program.recent())
    target = name if not draw(up_to(9)) else program.new()
    return f"{target} = " + pick(draw, *UNARY).format(name, name)


def binary(draw: Draw, program: Growing) -> str:
    name = pick(draw, *program.recent())
    return f"{program.new()} = " + pick(draw, *BINARY).format(*draw(st.permutations((name, partner(draw, program, program.names[name])))))


def matrix_product(draw: Draw, program: Growing) -> str:
    name = pick(draw, *(name for name, value in program.tensors().items() if value.ndim), *program.tensors())
    value = program.names[name]
    others = [
        other
        for other, tensor in program.tensors().items()
        if tensor.ndim and value.ndim and tensor.shape[max(-2, -tensor.ndim)] == value.shape[-1] and tensor.dtype == value.dtype
    ]
    return f"{program.new()} = {name} @ {pick(draw, *others, f'{name}.mT')}"


def joined(draw: Draw, program: Growing) -> str:
    name = pick(draw, *program.tensors())
    alike = [other for other, value in program.tensors().items() if value.shape == program.names[name].shape]
    parts = [name, *draw(st.lists(st.sampled_from(alike), min_size=1, max_size=2))]
    return f"{program.new()} = {pick(draw, 'torch.cat', 'torch.stack')}([{', '.join(parts)}])"


def shaped(table: tuple[str, ...]) -> Callable[[Draw, Growing], str]:
    def made(draw: Draw, program: Growing) -> str:
        name = pick(draw, *program.recent(), *program.with_gradient())
        return f"{program.new()} = " + pick(draw, *table).format(name, name)

    return made


def with_two(table: tuple[str, ...], any_shape: bool = True) -> Callable[[Draw, Growing], str]:
    def made(draw: Draw, program: Growing) -> str:
        name = pick(draw, *program.recent(), *program.with_gradient())
        other = pick(draw, *program.tensors()) if any_shape else partner(draw, program, program.names[name], within=True)
        return str(pick(draw, *table).format(a=program.new(), b=program.new(), x=name, y=other))

    return made


def change(draw: Draw, program: Growing) -> str:
    """Something in place: of a result, through a view, or of a leaf behind autograd's back."""
    line = with_two(CHANGES, any_shape=False)(draw, program)
    return line if draw(up_to(5)) else f"with torch.no_grad():\n    {line}"


KINDS: tuple[Callable[[Draw, Growing], str], ...] = (
    unary, unary, unary, binary, binary, binary, binary, matrix_product, matrix_product, joined, shaped(REDUCTIONS), shaped(VIEWS), shaped(VIEWS),
    shaped(VIEWS), with_two(SEVERAL), with_two(SEVERAL), change, change, change, with_two(BLOCKS), with_two(BLOCKS), with_two(PASSES), leaf,
)  # fmt: skip


RISKY = KINDS[-8:-1]
"""Those that can make a later pass fail."""


@dataclass(frozen=True)
class Program:
    """A generated script; its last statement is the pass that is compared."""

    before: str
    root: str
    weight: str
    """The gradient that the pass begins with; empty for ones."""
    asked: tuple[str, ...]
    """What `torch.autograd.grad` is asked for; empty for `backward`."""

    @property
    def source(self) -> str:
        if self.asked:
            return f"{self.before}\ngs = torch.autograd.grad({self.root}, [{', '.join(self.asked)}]{', ' * bool(self.weight)}{self.weight}, allow_unused=True)"
        return f"{self.before}\n{self.root}.backward({'gradient=' * bool(self.weight)}{self.weight})"

    def first_weight(self, names: dict[str, Any]) -> torch.Tensor:
        return eval(self.weight, names) if self.weight else torch.ones_like(names[self.root])  # noqa: S307 (code from this file)


@st.composite
def programs(draw: Draw) -> Program:
    program = Growing()
    if not draw(up_to(4)):
        program.add(f"torch.manual_seed({draw(up_to(99))})")
    program.add(f"w = torch.tensor({literal(draw, pick(draw, (2, 3), (3, 3), (3,), (2,)))}, requires_grad=True)")
    for _ in range(draw(st.integers(1, 3))):
        program.add(leaf(draw, program))
    for _ in range(pick(draw, 3, 5, 8, 11, OPERATIONS - 6)):
        for _attempt in range(3):
            kind = pick(draw, *KINDS)
            if program.add(kind(draw, program), careful=kind in RISKY and draw(up_to(30)) > 0):
                break
    ends = [name for name, value in program.with_gradient().items() if node_of(value) is not None]
    parts = [*(pick(draw, *(ends or ["w"])) for _ in range(pick(draw, 2, 4, 8))), *ends[-3:]]
    if not program.add("loss = " + " + ".join(part + pick(draw, ".sum()", ".mean()") for part in parts)):
        program.add("loss = w.sum()")  # the sum was too large
    kind = draw(up_to(9))
    named = tuple(draw(st.lists(st.sampled_from(list(program.with_gradient())), min_size=1, max_size=3))) if kind > 7 else ()
    root = pick(draw, *(ends or ["loss"])) if kind in (5, 6, 9) else "loss"
    weight = "" if root == "loss" else pick(draw, "torch.ones_like({})", "torch.full_like({}, 0.5)", "{}.detach().cos()").format(root)
    return Program("\n".join(program.lines), root, weight, named)


@dataclass
class Facts:
    """What PyTorch itself does and says, without anybody looking on."""

    error: str = ""
    order: list[Node] = field(default_factory=list)
    """Of the nodes, as the engine comes to them."""
    names: dict[str, Any] = field(default_factory=dict)
    root: Node | None = None
    found: dict[Node, int] = field(default_factory=dict)


def edge_of(tensor: torch.Tensor) -> tuple[Node, int]:
    edge = torch.autograd.graph.get_gradient_edge(tensor)
    return edge.node, edge.output_nr


def nodes_behind(root: Node) -> list[Node]:
    seen, stack = {root: None}, [root]
    while stack:
        for following, _output in stack.pop().next_functions:
            if following is not None and following not in seen:
                seen[following] = None
                stack.append(following)
    return list(seen)


def ran_plainly(program: Program) -> Facts:
    """The whole script by Python, with hooks that only note their order; the pass is the script's own."""
    facts = Facts(names=python_s_own(program.before))
    facts.root = edge_of(facts.names[program.root])[0]
    handles = [node.register_hook(lambda *_given, node=node: facts.order.append(node)) for node in nodes_behind(facts.root)]
    try:
        exec(program.source.removeprefix(program.before).strip(), facts.names)  # noqa: S102 (code from this file)
    except RuntimeError as error:
        facts.error = str(error)
    for handle in handles:
        handle.remove()
    return facts


class Values(TorchFunctionMode):
    """Notes of every result, and of every tensor that an operation changed, the value by its node."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[tuple[Node, int], torch.Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in flat([result, args]):
            if (node := node_of(tensor)) is not None:
                self.found.setdefault((node, tensor.output_nr), tensor.detach().clone())
        return result


def flat(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from flat(part)


def named(names: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Tensors that require a gradient by their names, those in lists too."""
    found = {}
    for name, value in names.items():
        parts = (
            {name: value}
            if isinstance(value, torch.Tensor)
            else {f"{name}[{place}]": part for place, part in enumerate(value)}
            if isinstance(value, (list, tuple))
            else {}
        )
        found.update({full: part for full, part in parts.items() if isinstance(part, torch.Tensor) and part.requires_grad})
    return found


def observed(source: str, tracer: Tracer | None = None) -> Execution:
    return interpreter.run(source, {}, tracer=tracer or GradientTracer())


def told(execution: Execution) -> dict[str, Any]:
    return json.loads(json.dumps(graph.document(execution), allow_nan=False))


def written(value: torch.Tensor | None) -> Any:
    """As the document has it."""

    def clean(part: Any) -> Any:
        return [clean(each) for each in part] if isinstance(part, list) else part if math.isfinite(part) else str(part)

    return None if value is None else clean(value.detach().tolist())


def paired(document: dict[str, Any], first: str, root: Node) -> dict[Node, str]:
    """Walk the graph that is told of and PyTorch's own side by side; both must branch alike everywhere."""
    nodes = {each["id"]: each for each in document["graph"]["nodes"]}
    slots: dict[str, dict[int, tuple[str, int]]] = {}
    for edge in document["graph"]["edges"]:
        if edge["slot"] is not None:
            assert edge["slot"] not in slots.setdefault(edge["to"], {})
            slots[edge["to"]][edge["slot"]] = (edge["from"], edge["output"])
    pairs, stack = {root: first}, [root]
    while stack:
        node = stack.pop()
        assert nodes[pairs[node]]["op"] == title(node.name())
        theirs = {slot: following for slot, following in enumerate(node.next_functions) if following[0] is not None}
        ours = slots.get(pairs[node], {})
        assert ours.keys() == theirs.keys()
        for slot, (following, output) in theirs.items():
            assert ours[slot][1] == output
            if following in pairs:
                assert pairs[following] == ours[slot][0]
            else:
                pairs[following] = ours[slot][0]
                stack.append(following)
    assert len(set(pairs.values())) == len(pairs)
    assert set(pairs.values()) == {each["id"] for each in nodes.values() if each["kind"] != "constant"}
    return pairs


def layer_outputs(node: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """What is told of each output."""
    return {each["output"]: each for each in node["outputs"]}


RAN = {"passes": 0, "failed": 0, "gradients": 0, "values": 0, "lines": 0}
"""How much was compared."""


def check(program: Program) -> None:
    facts = ran_plainly(program)
    execution = observed(program.source)
    RAN["failed" if facts.error else "passes"] += 1
    RAN["lines"] += program.source.count("\n") + 1
    if facts.error:
        assert execution.error is not None and execution.error.message.split(": ")[-1][:40] in facts.error
        return
    assert execution.error is None, execution.error
    document = told(execution)
    last = execution.tracer.passes[-1]
    steps = [step["node"] for step in document["steps"] if step["kind"] == "backward" and step["pass"] == last.number]
    assert_nothing_changed(program, facts, execution, document)
    inner = {edge["from"] for edge in document["graph"]["edges"]}
    (first,) = [each["id"] for each in document["graph"]["nodes"] if each["id"] not in inner]
    pairs = paired(document, first, facts.root)
    assert steps == [pairs[node] for node in facts.order]
    nodes = {each["id"]: each for each in document["graph"]["nodes"]}
    assert_sums(program, facts, nodes, document["graph"]["edges"], [first, *steps[1:]])
    assert_gradients_and_values(program, document, nodes, first)


def assert_nothing_changed(program: Program, facts: Facts, execution: Execution, document: dict[str, Any]) -> None:
    """Gradients of leaves, with nobody looking on, with the X-ray's tracer, and with this one, to the last bit."""
    traced = observed(program.source, StatementTracer()) if RAN["passes"] % 8 == 0 else execution
    for name, value in facts.names.items():
        if isinstance(value, torch.Tensor):
            gradient = value.grad if value.is_leaf or value.retains_grad else None
            assert document["names"][name]["grad"] == written(gradient)
            assert document["names"][name]["value"] == written(value)
            for one in (execution, traced) if gradient is not None else ():
                assert torch.equal(one.names[name].grad, gradient)


def assert_sums(program: Program, facts: Facts, nodes: dict[str, Any], edges: list[dict[str, Any]], steps: list[str]) -> None:
    """What was passed on to an output is added up in the engine's order, and so it is its gradient to the last bit."""
    places = {node: place for place, node in enumerate(steps)}
    sums: dict[tuple[str, int], torch.Tensor] = {(steps[0], edge_of(facts.names[program.root])[1]): program.first_weight(facts.names)}
    dtypes = {each["id"]: getattr(torch, each["dtype"]) for each in nodes.values() if each["dtype"]}
    for edge in sorted((edge for edge in edges if edge["passed"] is not None), key=lambda edge: (places[edge["to"]], edge["slot"])):
        passed = torch.tensor(edge["passed"], dtype=dtypes.get(edge["from"], torch.float64))
        key = (edge["from"], edge["output"])
        sums[key] = sums[key] + passed if key in sums else passed
    for (node, output), total in sums.items():
        outputs = layer_outputs(nodes[node])
        gradient = outputs[output]["grad"] if outputs else nodes[node]["grad"]
        if gradient is not None or not program.asked:  # what nobody asked for is passed on, but not used
            assert gradient == written(total)


def assert_gradients_and_values(program: Program, document: dict[str, Any], nodes: dict[str, Any], first: str) -> None:
    """Of every named tensor, as `torch.autograd.grad` says; and the value of every node when it was made."""
    with Values() as values:
        names = python_s_own(program.before)
    root = names[program.root]
    tensors = named(names)
    try:
        gradients = torch.autograd.grad(root, list(tensors.values()), program.first_weight(names), retain_graph=True, allow_unused=True)
    except RuntimeError:
        assert program.asked  # for a part of the graph; another part cannot be gone through
        return
    pairs = paired(document, first, edge_of(root)[0])
    first_names: dict[tuple[Node, int], str] = {}
    for (name, tensor), gradient in zip(tensors.items(), gradients, strict=True):
        node, output = edge_of(tensor)
        if first_names.setdefault((node, output), name) != name or node not in pairs:
            assert node in pairs or gradient is None
            continue
        mine = nodes[pairs[node]]
        mine = layer_outputs(mine)[output] if mine["outputs"] else mine
        assert mine["name"] == name
        if not program.asked or name in program.asked or gradient is None:
            assert mine["grad"] == written(gradient)
            RAN["gradients"] += gradient is not None
    for (node, output), value in values.found.items():
        if node in pairs:
            mine = nodes[pairs[node]]
            mine = layer_outputs(mine).get(output, {}) if mine["outputs"] else mine
            assert mine.get("value") in (written(value), None)
            RAN["values"] += mine.get("value") is not None


@pytest.mark.filterwarnings("ignore")  # PyTorch gives some of them once in a process
@settings(max_examples=PROGRAMS, derandomize=True, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(programs())
def test_generated_programs_agree(program: Program) -> None:
    check(program)


def test_enough_was_compared() -> None:
    if not RAN["passes"]:
        pytest.skip("nothing was generated in this process")
    assert RAN["passes"] >= 0.9 * PROGRAMS
    assert RAN["gradients"] > 5 * PROGRAMS
    assert RAN["values"] > 5 * PROGRAMS
