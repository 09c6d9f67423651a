"""Scripts that take all memory or all time, that try to crash their process, or that leave something to the next; then random ones."""

from __future__ import annotations

import ast
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from playground.errors import PlaygroundError
from playground.forking import CAN_FORK, Forker
from playground.tensors.language import calls, interpreter
from playground.tensors.language.bounds import MIB, Bounds
from playground.tensors.language.objects import MADE
from playground.tensors.xray import report

from ..support.marker import MARKER
from ..support.tiers import is_quick, repetitions
from .test_hostile import SECONDS, Attack, Bench, Outcome, faults, judge, table

GROWTH = 50
"""Mebibytes by which the server may have grown after everything in `MEMORY`."""
forking = pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork")

MEMORY = """
    refused: torch.zeros(10 ** 9)
    refused: torch.empty(10 ** 6, 10 ** 6)
    refused: torch.rand(20000, 20000)
    refused: torch.zeros(10 ** 30)
    refused: torch.full((10 ** 9,), 1)
    refused: torch.Tensor(10 ** 9)
    refused: torch.arange(10 ** 12)
    refused: torch.arange(0, 1, 1e-12)
    refused: torch.linspace(0, 1, 10 ** 10)
    refused: torch.logspace(0, 1, 10 ** 10)
    refused: torch.eye(10 ** 5)
    refused: torch.tril_indices(10 ** 5, 10 ** 5)
    refused: torch.randperm(10 ** 10)
    refused: torch.randint(9, (10 ** 10,))
    refused: torch.normal(0.0, 1.0, (10 ** 10,))
    refused: torch.diag(torch.ones(20000))
    refused: torch.diag_embed(torch.ones(20000))
    refused: torch.diagflat(torch.ones(10), 10 ** 6)
    refused: torch.ones(10 ** 5, 1) + torch.ones(10 ** 5)
    refused: torch.ones(10 ** 5, 1) == torch.ones(10 ** 5)
    refused: torch.where(torch.ones(10 ** 5, 1) > 0, torch.ones(10 ** 5), 0)
    refused: torch.ones(1).expand(10 ** 10).clone()
    refused: torch.ones(1, 1).expand(10 ** 5, 10 ** 5).contiguous()
    refused: torch.ones(1).expand(10 ** 9) + 1
    refused: torch.ones(1).expand(10 ** 9).numpy().copy()
    refused: torch.cat([torch.zeros(10 ** 6)] * 1000)
    refused: torch.stack([torch.zeros(10 ** 6)] * 1000)
    refused: torch.zeros(1000).repeat(10 ** 7)
    refused: torch.tile(torch.zeros(1000), (10 ** 7,))
    refused: torch.zeros(1000).repeat_interleave(10 ** 7)
    refused: torch.repeat_interleave(torch.tensor([10 ** 10]))
    refused: a, b = torch.meshgrid(torch.arange(10 ** 5), torch.arange(10 ** 5), indexing='ij') ⏎ a.clone()
    refused: torch.kron(torch.ones(1000, 1000), torch.ones(1000, 1000))
    refused: torch.outer(torch.ones(10 ** 5), torch.ones(10 ** 5))
    refused: torch.einsum('i,j->ij', torch.ones(10 ** 5), torch.ones(10 ** 5))
    refused: torch.einsum('i,j,k->ijk', torch.ones(10 ** 4), torch.ones(10 ** 4), torch.ones(10 ** 4))
    refused: torch.tensordot(torch.ones(10 ** 5), torch.ones(10 ** 5), 0)
    refused: torch.cartesian_prod(*[torch.arange(100)] * 6)
    refused: torch.combinations(torch.arange(10 ** 5), 2)
    refused: F.one_hot(torch.tensor([10 ** 9]))
    refused: F.one_hot(torch.arange(10 ** 5))
    refused: torch.bincount(torch.tensor([10 ** 10]))
    refused: torch.bincount(torch.tensor([1]), minlength=10 ** 10)
    refused: torch.histc(x, bins=10 ** 9)
    refused: torch.vander(torch.ones(10 ** 5), N=10 ** 5)
    refused: torch.block_diag(*[torch.ones(1000, 1)] * 1000)
    refused: torch.cdist(torch.ones(10 ** 5, 1), torch.ones(10 ** 5, 1))
    refused: torch.multinomial(torch.ones(3), 10 ** 10, replacement=True)
    refused: torch.cov(torch.ones(10 ** 5, 2))
    refused: torch.gather(torch.ones(1, 1).expand(10 ** 5, 10 ** 5), 0, torch.zeros(1, 1).long().expand(10 ** 5, 10 ** 5))
    refused: torch.ones(10 ** 4)[torch.zeros(10 ** 4, 10 ** 4, dtype=torch.long)]
    refused: torch.ones(1, 10 ** 5)[[0] * 10 ** 5]
    refused: F.pad(x, (10 ** 9, 10 ** 9))
    refused: F.unfold(torch.ones(1, 1, 2000, 2000), 50)
    refused: F.interpolate(torch.ones(1, 1, 2, 2), scale_factor=10 ** 6)
    refused: F.interpolate(torch.ones(1, 1, 2, 2), size=(10 ** 6, 10 ** 6))
    refused: F.conv_transpose2d(torch.ones(1, 1, 9, 9), torch.ones(1, 1, 9, 9), stride=10 ** 6)
    refused: F.conv2d(torch.ones(1, 1, 9, 9), torch.ones(1, 1, 2, 2), padding=10 ** 6)
    refused: F.adaptive_avg_pool2d(torch.ones(1, 4, 4), 10 ** 6)
    refused: F.embedding(torch.zeros(10 ** 5, dtype=torch.long), torch.ones(1, 10 ** 5))
    refused: torch.add(torch.ones(10 ** 5, 1), torch.ones(10 ** 5), out=x)
    refused: x.resize_(10 ** 12)
    refused: x.new_zeros(10 ** 10)
    refused: x.new_full((10 ** 10,), 1)
    refused: a0 = [0] * 1000 ⏎ a = [a0] * 1000 ⏎ b = [a] * 1000 ⏎ torch.tensor([b] * 1000)
    refused: a0 = [0] * 1000 ⏎ a = [a0] * 1000 ⏎ b = [a] * 1000 ⏎ print(b)
    refused: a0 = [0] * 1000 ⏎ a = [a0] * 1000 ⏎ b = [a] * 1000 ⏎ b == b + []
    refused: torch.tensor(range(10 ** 9))
    refused: np.zeros(10 ** 10)
    refused: np.empty((10 ** 5, 10 ** 5))
    refused: np.full((10 ** 10,), 1.0)
    refused: np.arange(10 ** 12)
    refused: np.linspace(0, 1, 10 ** 10)
    refused: np.identity(10 ** 5)
    refused: np.eye(10 ** 5)
    refused: np.diag(np.ones(10 ** 5))
    refused: np.tile(n, 10 ** 9)
    refused: np.repeat(n, 10 ** 9)
    refused: np.kron(np.ones((1000, 1000)), np.ones((1000, 1000)))
    refused: np.outer(np.ones(10 ** 5), np.ones(10 ** 5))
    refused: np.einsum('i,j->ij', np.ones(10 ** 5), np.ones(10 ** 5))
    refused: np.meshgrid(np.ones(10 ** 5), np.ones(10 ** 5))
    refused: np.ones((10 ** 5, 1)) * np.ones(10 ** 5)
    refused: np.broadcast_to(n, (10 ** 6, 2, 3)).copy().copy().repeat(10 ** 6)
    refused: np.concatenate([np.zeros(10 ** 6)] * 1000)
    refused: np.random.rand(10 ** 10)
    refused: np.random.default_rng(0).normal(size=10 ** 10)
    refused: np.random.permutation(10 ** 10)
    refused: np.bincount([10 ** 10])
    refused: np.indices((10 ** 5, 10 ** 5))
    refused: np.pad(n, 10 ** 9)
    refused: np.ones((1, 10 ** 5))[[0] * 10 ** 5]
    refused: [0] * 10 ** 9
    refused: 'a' * 10 ** 9
    refused: (1, 2) * 10 ** 9
    refused: a = 'ab' * 40000 ⏎ a + a
    refused: ('a' * 1000).join(['b'] * 10 ** 5)
    refused: 10 ** 10 ** 10
    refused: 2 ** 10 ** 9
    refused: pow(7, 10 ** 9)
    refused: 3 << 10 ** 9
    refused: 1 << 10 ** 9
    refused: a = -1 << 10 ** 8
    refused: True << 10 ** 9
    refused: a = 10 ** 1000 ⏎ for i in range(99): ⏎     a *= a
    refused: a = int('f' * 5000, 16)
    refused: list(range(10 ** 9))
    refused: [i for i in range(10 ** 9)]
    refused: [0 for i in range(1000) for j in range(1000)]
    refused: [[0 for j in range(1000)] for i in range(1000)]
    refused: sum([[0] * 1000 for i in range(1000)], [])
    refused: for i in range(10 ** 6): ⏎     a = [0] * 1000
    refused: a = 'a' ⏎ while True: ⏎     a += a
    refused: a = [1] ⏎ while True: ⏎     a = a + a
    refused: a = [1] ⏎ while True: ⏎     a.extend(a)
    refused: a = torch.ones(1) ⏎ while True: ⏎     a = torch.cat([a, a])
    bounded: while True: ⏎     print('a' * 1000)
    bounded: for i in range(10 ** 6): ⏎     print(torch.ones(99, 99))
    bounded: print('a' * 10 ** 5)
    bounded: a = [torch.zeros(10 ** 6) + 1 for i in range(1000)]
    bounded: a = [[0] * 100000 for i in range(19000)]
    bounded: a = torch.ones(10 ** 6, requires_grad=True) ⏎ for i in range(1000): ⏎     a = torch.exp(a)
    bounded: a = b = torch.zeros(1) ⏎ for i in range(300): ⏎     b.grad = torch.zeros(1) ⏎     b = torch.zeros(10 ** 6)
    bounded: a = [0] * np.sum(np.array(4 * 10 ** 7))
    bounded: a = 'a' * torch.tensor(2 * 10 ** 8)
    bounded: a = [9 * 10 ** 7] ⏎ a.sort(key=torch.Tensor)
    refused: a = [(3,)] ⏎ a.sort(key=np.ndarray)
    bounded: np.linspace(start=0, num=4 * 10 ** 7, stop=1)
    bounded: np.arange(step=1, start=0, stop=4 * 10 ** 7)
    bounded: np.arange(np.sum(np.array(4 * 10 ** 7)))
    bounded: np.linspace(np.zeros(100), np.ones(100), 4 * 10 ** 5)
    bounded: np.eye(N=6000)
    bounded: np.identity(n=6000)
    bounded: np.diag([1.0], k=6000)
    bounded: np.diag([1.0], -6000)
    bounded: np.repeat(np.arange(100), np.full(100, 4 * 10 ** 5))
    bounded: np.repeat([1, 2], [0, 4 * 10 ** 7])
    bounded: np.take(np.zeros((1000, 1000)), [0] * 40000, axis=0)
    bounded: np.linalg.svd(np.ones((1, 5000)))
    bounded: np.array_split(n, 10 ** 6)
    bounded: torch.tensor_split(x, 10 ** 9)
    bounded: torch.zeros(10 ** 6).unbind()
    bounded: torch.zeros(10 ** 6).split(1)
    bounded: torch.Tensor(torch.Size([8 * 10 ** 7]))
    bounded: torch.Tensor(np.sum(np.array(8 * 10 ** 7)))
    bounded: torch.nonzero(torch.ones(10 ** 6).view(*[1] * 20, -1))
    bounded: max(torch.zeros(10 ** 4, 1), torch.zeros(10 ** 4))
    bounded: a = [1] ⏎ for i in range(60): ⏎     a = [a, a]
    bounded: a = [1] ⏎ for i in range(9000): ⏎     a = [a]
    bounded: a = '\\U0001F600' * 10 ** 5 ⏎ b = c = d = e = f = g = h = i = j = k = l = m = o = p = q = r = s = t = u = v = w = a
"""

TIME = """
    bounded: while True: ⏎     pass
    bounded: while True: ⏎     continue
    bounded: while 1: ⏎     a = 1
    bounded: while True: ⏎     if False: ⏎         break
    bounded: while True: ⏎     with torch.no_grad(): ⏎         pass
    bounded: while not False: ⏎     while True: ⏎         break
    bounded: while True: ⏎     for i in []: ⏎         pass
    bounded: while torch.ones(1): ⏎     x += 1
    bounded: for i in range(10 ** 9): ⏎     pass
    bounded: a = [0] ⏎ for i in a: ⏎     a.append(i)
    bounded: sum(range(10 ** 12))
    bounded: all([[True for i in range(300)] for j in range(300)])
    bounded: [0 for i in range(10 ** 5) if i < 0 for j in range(10 ** 5)]
    bounded: [0 for i in range(10 ** 5) for j in [] for k in range(10 ** 5)]
    refused: 10 ** 12 in range(10 ** 13)
    refused: 5 in range(10 ** 30)
    refused: for i in range(10 ** 30): ⏎     pass
    refused: [*range(10 ** 30)]
    refused: print(f'{range(10 ** 30)}')
    refused: torch.tensor(range(10 ** 30))
    refused: sorted(range(10 ** 9))
    refused: -NEST1
    refused: (NEST
    refused: [NEST
    bounded: a = 1CHAIN
    refused: x.T.TLINK
    bounded: f'{f"{1}"}'
    bounded: torch.linalg.svd(torch.rand(2000, 2000))
    bounded: torch.matrix_power(torch.rand(1500, 1500), 10 ** 9)
    bounded: torch.linalg.eig(torch.rand(1500, 1500))
    bounded: torch.matrix_exp(torch.rand(1500, 1500))
    bounded: torch.cdist(torch.rand(3000, 3000), torch.rand(3000, 3000))
    bounded: torch.sort(torch.rand(3 * 10 ** 6))
    bounded: torch.ones(1).expand(10 ** 6).unique()
    bounded: torch.einsum('a,b,c,d,e->', *[torch.ones(1000)] * 5)
    bounded: F.conv2d(torch.ones(1, 1, 1000, 1000), torch.ones(1, 1, 200, 200))
    bounded: np.shares_memory(np.zeros((9, 9, 9, 9))[::2, ::3, ::2, ::3], np.zeros((9, 9, 9, 9))[1::3, ::2, 1::3, ::2])
    bounded: a = torch.zeros(10 ** 6) ⏎ b = a.as_strided([9] * 5, (97, 89, 83, 79, 73)) ⏎ np.shares_memory(b, a.as_strided([9] * 5, (41, 103, 107, 109, 113)))
    bounded: round(5, -10 ** 9)
    bounded: np.round(n, 10 ** 9)
    bounded: np.random.choice(4 * 10 ** 7, 3, replace=False)
    bounded: np.einsum('a,b,c,d,e->', *[np.ones(300)] * 5)
    bounded: np.array(torch.zeros(10 ** 6).untyped_storage())
    bounded: a = [1] ⏎ for i in range(40): ⏎     a = [a, a] ⏎ abs(a)
"""

CRASHES = """
    refused: a = torch.zeros(40, dtype=torch.uint8) ⏎ b = a.numpy() ⏎ a.resize_(99, 99)
    refused: a = torch.zeros(40, dtype=torch.uint8) ⏎ b = a.numpy() ⏎ a.resize_(10 ** 6)
    refused: a = torch.zeros(40) ⏎ b = a.numpy() ⏎ torch.add(torch.ones(9000), 1, out=a)
    refused: a = torch.from_numpy(n) ⏎ a.resize_(99, 99)
    refused: x.as_strided((9, 9), (1, 1))
    refused: x.as_strided((2,), (-1,))
    refused: x.as_strided((2,), (1,), -1)
    refused: x.as_strided((2,), (1,), 10 ** 9)
    refused: x.as_strided((2,), (2 ** 62,))
    refused: x.as_strided((2 ** 40, 2 ** 40), (0, 0)).clone()
    refused: torch.zeros(-1)
    refused: torch.zeros(2 ** 63)
    refused: torch.empty(2 ** 40, 2 ** 40)
    refused: x.view(torch.complex128)
    refused: x.gather(1, torch.tensor([[9]]))
    refused: x.scatter(1, torch.tensor([[10 ** 9]]), 1.0)
    refused: x.scatter_(1, torch.tensor([[-9]]), 1.0)
    refused: x.index_add_(0, torch.tensor([10 ** 9]), torch.ones(1, 3))
    refused: x.index_copy_(0, torch.tensor([-10 ** 9]), torch.ones(1, 3))
    refused: x.index_fill_(0, torch.tensor([10 ** 9]), 1.0)
    refused: x.put_(torch.tensor([10 ** 9]), torch.tensor([1.0]))
    refused: x.take(torch.tensor([10 ** 9]))
    refused: x[10 ** 9]
    refused: x[10 ** 30]
    refused: x[torch.tensor([10 ** 9])]
    refused: x[[10 ** 9]] = 1
    refused: x.masked_scatter_(x > 0, torch.ones(1))
    refused: F.embedding(torch.tensor([10 ** 9]), x)
    refused: F.embedding(torch.tensor([-1]), x)
    refused: F.embedding(torch.tensor([10 ** 9]), x, max_norm=1.0)
    refused: F.cross_entropy(x, torch.tensor([9, 9]))
    refused: F.nll_loss(x, torch.tensor([-5, 10 ** 9]))
    refused: F.one_hot(torch.tensor([-1]))
    refused: F.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 2), stride=0)
    refused: F.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 9))
    refused: F.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 2), groups=0)
    refused: F.conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2), dilation=0)
    refused: F.max_pool2d(torch.ones(1, 1, 4, 4), 0)
    refused: F.avg_pool2d(torch.ones(1, 1, 4, 4), 9)
    refused: F.avg_pool1d(torch.ones(1, 1, 4), 2, stride=-1)
    refused: F.unfold(torch.ones(1, 1, 4, 4), 2, stride=0)
    refused: F.fold(torch.ones(1, 4, 4), 2, 2, stride=0)
    refused: F.interpolate(torch.ones(1, 1, 4, 4), size=0)
    refused: F.pixel_shuffle(torch.ones(1, 4, 4, 4), 0)
    refused: F.group_norm(torch.ones(1, 4, 4), 0)
    refused: F.pad(x, (-9, -9))
    refused: F.batch_norm(x, torch.ones(1), torch.ones(1))
    refused: x.unfold(0, 9, 1)
    refused: x.unfold(0, 1, 0)
    refused: torch.searchsorted(torch.ones(3), torch.ones(3), sorter=torch.tensor([9 ** 9, 9 ** 9, 9 ** 9]))
    refused: torch.bincount(torch.tensor([-1]))
    refused: torch.multinomial(torch.tensor([float('nan')]), 1)
    refused: torch.linalg.svd(torch.full((3, 3), float('nan')))
    refused: torch.tensor(5) // 0
    refused: torch.chunk(x, 0)
    refused: np.random.choice(0, 3)
    refused: torch.cov() ⏎ F.one_hot() ⏎ np.diag()
    refused: torch.bincount(input=torch.tensor([1.5]))
    refused: torch.cov([1])
    refused: np.tile(reps=3, A=[1]) ⏎ 1 / 0
    refused: np.arange(10 ** 400)
    refused: np.zeros(10 ** 400)
    refused: np.linspace(0, 1, float('inf'))
    refused: np.add([[1], [2, 3]], 1)
    refused: np.matmul()
    refused: np.zeros(torch.tensor(float('nan')))
    refused: torch.repeat_interleave(torch.ones(2), torch.tensor([float('nan')]))
    refused: np.tensordot(n, n, 7)
    refused: x.new_tensor(range(10 ** 30))
    refused: x[...] = range(10 ** 30)
    refused: torch.ones([1] * 65) + 1
    refused: torch.ones([1] * 1000)
    harmless: torch.polar(x, x)
    harmless: torch.complex(x, x)
    harmless: np.transpose(1)
    harmless: torch.tensor(-2 ** 63) // torch.tensor(-1)
    harmless: torch.tensor(-2 ** 63) % torch.tensor(-1)
    harmless: a = torch.zeros(5000) ⏎ b = a.numpy() ⏎ a.data = torch.ones(1) ⏎ c = torch.ones(5000) ⏎ b[:] = 9 ⏎ print(c.sum())
    bounded: np.array(-2 ** 63) // np.array(-1)
    bounded: F.scaled_dot_product_attention(torch.ones(1, 4, 8), torch.ones(1, 6, 8), torch.ones(1, 2, 8))
    bounded: torch.empty(10 ** 6, dtype=torch.uint8)
    bounded: print(torch.empty(1000, dtype=torch.uint8).tolist())
"""
DEEP = {"NEST1": "-" * 9000 + "1", "(NEST": "(" * 9000 + ")" * 9000, "[NEST": "[" * 9000 + "]" * 9000, "CHAIN": "+1" * 9000, "TLINK": "T" + ".T" * 9000}
HEAVY, REST = table(memory=MEMORY), table(time=TIME, crashes=CRASHES)


@pytest.fixture(scope="module")
def bench(forker: Forker, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(forker, tmp_path_factory.mktemp("hostile"))


def deepened(attack: Attack) -> Attack:
    source = attack.source
    for word, text in DEEP.items():
        source = source.replace(word, text)
    return Attack(attack.group, attack.expected, source)


@pytest.fixture(scope="module")
def heavy(bench: Bench) -> tuple[dict[Attack, Outcome], dict[str, float], dict[str, float]]:
    """What the memory attacks came to, and the memory in use before and after them."""
    before = bench.resident() if Path("/proc/self/status").exists() else {}
    outcomes = bench.outcomes(HEAVY)
    return outcomes, before, bench.resident() if before else {}


@pytest.fixture(scope="module")
def rest(bench: Bench) -> dict[Attack, Outcome]:
    """What the other attacks came to. The quick tier ends those without end sooner: what they may leave behind is the same."""
    deep = {attack: deepened(attack) for attack in REST}
    outcomes = bench.outcomes(list(deep.values()), 0.25 if is_quick() else SECONDS)
    return {attack: outcomes[deep[attack]] for attack in REST}


@forking
@pytest.mark.parametrize("attack", HEAVY, ids=str)
def test_no_script_takes_the_memory(heavy: tuple[dict[Attack, Outcome], Any, Any], attack: Attack) -> None:
    judge(attack, heavy[0][attack])


@forking
def test_the_memory_comes_back(heavy: tuple[Any, dict[str, float], dict[str, float]]) -> None:
    _, before, after = heavy
    if not before:
        pytest.skip("this system does not tell in /proc")
    assert {name: after[name] - before[name] for name in before if after[name] - before[name] > GROWTH} == {}


@forking
@pytest.mark.parametrize("attack", REST, ids=str)
def test_no_script_takes_the_time_or_the_process(rest: dict[Attack, Outcome], attack: Attack) -> None:
    judge(attack, rest[attack])


@forking
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("secret = torch.full((3,), 41.0)", "print(secret)", id="names"),
        pytest.param("torch = np = F = 1", "print(torch.ones(1), np.ones(1), F.relu(torch.ones(1)))", id="names of modules"),
        pytest.param("torch.set_default_dtype(torch.float64)", "print(torch.ones(1).dtype, torch.get_default_dtype())", id="dtype"),
        pytest.param("torch.set_printoptions(precision=1, sci_mode=True, threshold=1, linewidth=5)", "print(torch.arange(9) / 7)", id="print options"),
        pytest.param("torch.set_grad_enabled(False)", "print(torch.is_grad_enabled(), torch.ones(1, requires_grad=True) * 2)", id="grad mode"),
        pytest.param("torch.set_grad_enabled(False)\nwith torch.no_grad():\n    1 / 0", "print(torch.is_grad_enabled())", id="grad mode after an error"),
    ],
)
def test_nothing_is_left_to_the_next(bench: Bench, first: str, second: str) -> None:
    before = bench.run(second)
    bench.run(first)
    after = bench.run(second)
    assert (after["output"], after["error"]) == (before["output"], before["error"])


@forking
def test_each_draws_its_own_random_numbers(bench: Bench) -> None:
    drawn = "print(torch.rand(3).tolist(), np.random.rand(3).tolist())"
    seeded = bench.run(f"torch.manual_seed(0)\nnp.random.seed(0)\n{drawn}")["output"]
    assert len({seeded, bench.run(drawn)["output"], bench.run(drawn)["output"]}) == 3


def test_settings_do_not_outlast_a_script_within_one_process() -> None:
    watched = "print(torch.get_default_dtype(), torch.is_grad_enabled(), torch.arange(3) / 7)"
    before = interpreter.run(watched).output
    interpreter.run("torch.set_default_dtype(torch.float64)\ntorch.set_printoptions(precision=1, sci_mode=True)\ntorch.set_grad_enabled(False)\n1 / 0")
    assert interpreter.run(watched).output == before


FORBIDDEN = re.compile(
    r"os\.(?!listdir|scandir)|subprocess|socket|shutil|ctypes|pty|pickle|tempfile|urllib|http|webbrowser|builtins\.(input|breakpoint)|code\."
)
"""Events of Python's audit that no script causes: https://docs.python.org/3/library/audit_events.html"""
LIBRARIES = {"torch", "numpy", "scipy", "sympy", "mpmath", "playground", *sys.stdlib_module_names}
"""What may import parts of itself late."""
heard: list[str] | None = None
"""What has been caused by the script that runs; None while none does."""


def listen(event: str, args: tuple[Any, ...]) -> None:
    if heard is not None and is_forbidden(event, args):
        heard.append(f"{event} {args}")


def is_forbidden(event: str, args: tuple[Any, ...]) -> bool:
    match event:
        case "open":
            return bool(set("wax+") & set(args[1] or "")) or bool((args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        case "import":
            return args[0].partition(".")[0] not in LIBRARIES
        case "exec":
            return not args[0].co_filename.startswith(("/", "<frozen"))
        case "compile":
            return args[1] not in ("<unknown>", b"<unknown>") and not isinstance(args[0], ast.Module)  # the parser, and Python's check of the tree
    return bool(FORBIDDEN.match(event))


@pytest.fixture(scope="module", autouse=True)
def audit() -> None:
    """A hook of Python's audit; it stays for as long as the process does, and is silent between scripts."""
    report.report(interpreter.run("x = torch.rand(2, 3)\nx @ x.T + np.ones(2)\nprint(x)"))  # torch's own late imports come first
    sys.addaudithook(listen)


ROOTS = ["torch", "np", "F", "nn", "optim"]
TAME, WILD = (
    ["a", "b", "x", "n", "f"],
    ["open", "eval", "exec", "getattr", "__import__", "__builtins__", "__name__", "os", "_", "self", "torch", "int", "device"],
)
BUILTINS = [
    "print", "sorted", "sum", "range", "list", "len", "max", "zip", "enumerate", "isinstance", "round", "str", "float", "abs", "divmod", "slice", "map",
    "filter", "next", "iter", "dict", "set", "reversed", "type", "ValueError", "f",
]  # fmt: skip
ATTRIBUTES = """
    T shape dtype data grad grad_fn values max numpy tolist view resize_ append format join zeros ones norm new_zeros to type relu einsum sort index unbind
    weight bias parameters named_parameters state_dict eval train zero_grad step children param_groups register_forward_hook apply _modules
    load save ops _C apply_ map_ register_hook tofile dump __class__ __dict__ __version__ func os lib utils storage base ctypes as_strided backward numel
"""
FUNCTIONS = sorted(name.replace("torch.nn.functional", "F") for name in (*calls.functions(), *MADE) if "set_" not in name)
CONSTANTS = [0, 1, 2, -1, 3.5, 1j, True, None, ..., "", "a", "ij->i", "{0.__class__}", "%s", "O", "cpu", "meta", float("inf"), 2**70]
FIELDS = {"lineno": 1, "col_offset": 0}
PARAMETERS = [
    ast.arguments([], [ast.arg(name) for name in names], rest and ast.arg(rest), [], [], None, []) for names, rest in (("", None), ("x", None), ("a", "b"))
]
Nodes = st.SearchStrategy[Any]


def call(function: ast.expr, arguments: list[ast.expr], keyword: tuple[str, ast.expr] | None) -> ast.Call:
    return ast.Call(function, arguments, [ast.keyword(*keyword)] if keyword else [])


def grammar(wild: bool) -> Nodes:
    """Scripts of what the grammar allows, with any arguments; with what it does not, if `wild`."""
    names = st.sampled_from(TAME + WILD if wild else TAME)
    attributes = st.sampled_from([name for name in ATTRIBUTES.split() if wild or name[0] != "_"])
    dotted = st.sampled_from(FUNCTIONS).map(lambda name: ast.parse(name, mode="eval").body)
    reached = st.builds(ast.Attribute, st.sampled_from(ROOTS).map(ast.Name), attributes)
    words = st.sampled_from(["dim", "key", "out", "dtype", "input", "reps", "size", "sep"] + ["_x", "__class__"] * wild)

    def extended(inner: Nodes) -> Nodes:
        few, pair = st.lists(inner, max_size=3), st.lists(inner, min_size=2, max_size=2)
        keyword = st.none() | st.none() | st.tuples(words, inner)
        operators = st.sampled_from([ast.Add(), ast.Sub(), ast.Mult(), ast.Div(), ast.Mod(), ast.MatMult(), ast.BitAnd(), ast.FloorDiv(), ast.LShift()])
        kinds = st.sampled_from([ast.Eq(), ast.Lt(), ast.In(), ast.Is()])
        function = dotted | st.sampled_from(BUILTINS).map(ast.Name) | st.builds(ast.Attribute, inner, attributes)
        tame = [
            st.builds(call, function, few, keyword),
            st.builds(call, function, few, keyword),
            st.builds(call, function, few, keyword),
            st.builds(call, reached | inner, few, keyword) if wild else st.builds(ast.Attribute, inner, attributes),
            st.builds(ast.Attribute, inner, attributes) | reached | dotted,
            st.builds(ast.Subscript, inner, inner | st.builds(ast.Slice, inner, inner, st.none())),
            st.builds(ast.BinOp, inner, operators, inner),
            st.builds(ast.UnaryOp, st.sampled_from([ast.USub(), ast.Not(), ast.Invert()]), inner),
            st.builds(lambda left, kind, right: ast.Compare(left, [kind], [right]), inner, kinds, inner),
            st.builds(ast.BoolOp, st.sampled_from([ast.And(), ast.Or()]), pair),
            st.builds(ast.IfExp, inner, inner, inner),
            few.map(ast.List) | few.map(ast.Tuple),
            st.builds(lambda part, name, many: ast.ListComp(part, [ast.comprehension(ast.Name(name), many, [], 0)]), inner, names, inner),
            st.builds(lambda value, kind: ast.JoinedStr([ast.FormattedValue(value, kind, None)]), inner, st.sampled_from([-1, ord("r"), ord("s")])),
            st.builds(ast.Lambda, st.sampled_from(PARAMETERS), inner),
            st.builds(ast.NamedExpr, names.map(ast.Name), inner),
            pair.map(ast.Set) | st.builds(lambda key, value: ast.Dict([key], [value]), inner, inner),
            st.builds(lambda part, name, many: ast.GeneratorExp(part, [ast.comprehension(ast.Name(name), many, [], 0)]), inner, names, inner),
        ]
        forbidden = [st.builds(ast.Await, inner) | st.builds(ast.Yield, inner) | st.builds(ast.Starred, inner)]
        return st.one_of(tame + forbidden * wild)

    expressions = st.recursive(names.map(ast.Name) | st.sampled_from(CONSTANTS).map(ast.Constant), extended, max_leaves=6)
    targets = st.one_of(
        names.map(ast.Name),
        names.map(ast.Name),
        st.builds(ast.Subscript, names.map(ast.Name), expressions),
        st.builds(ast.Attribute, names.map(ast.Name), attributes),
        st.lists(names.map(ast.Name), min_size=1, max_size=2).map(ast.Tuple),
        st.builds(lambda name: ast.Tuple([ast.Starred(ast.Name(name))]), names),
    )

    ends = expressions.map(ast.Return) | st.builds(lambda value: ast.Expr(ast.Yield(value)), expressions)

    def blocks(inner: Nodes) -> Nodes:
        body = st.lists(inner, min_size=1, max_size=2)
        tame = [
            st.builds(lambda test, body: ast.If(test, body, []), expressions, body),
            st.builds(lambda target, many, body: ast.For(target, many, body, [], **FIELDS), targets, expressions, body),
            st.builds(lambda test, body: ast.While(test, body, []), expressions, body),
            body.map(lambda body: ast.With([ast.withitem(ast.parse("torch.no_grad()", mode="eval").body)], body, **FIELDS)),
            st.builds(lambda body, last: ast.Try(body, [ast.ExceptHandler(None, "a", [ast.Pass()])], [], last), body, st.just([]) | body),
            st.builds(lambda parameters, body, value: ast.FunctionDef("f", parameters, [*body, value], [], **FIELDS), st.sampled_from(PARAMETERS), body, ends),
        ]
        bases = st.sampled_from([[], [ast.parse("nn.Module", mode="eval").body], [ast.Name("a")]])
        tame.append(st.builds(lambda base, body: ast.ClassDef("a", base, [], body, []), bases, body))
        forbidden = [body.map(lambda body: ast.ClassDef("A", [], [ast.keyword("metaclass", ast.Name("type"))], body, []))]
        return st.one_of(tame + forbidden * wild)

    simple = [
        expressions.map(ast.Expr),
        st.builds(lambda target, value: ast.Assign([target], value, **FIELDS), targets, expressions),
        st.builds(ast.AugAssign, names.map(ast.Name), st.sampled_from([ast.Add(), ast.Mult()]), expressions),
        st.builds(ast.Assert, expressions, st.none() | expressions),
        st.sampled_from([ast.Pass(), ast.Break(), ast.Continue(), ast.Delete([ast.Name("a")])]),
    ]
    imports = st.sampled_from(["os", "torch", "sys", "torch.utils"])
    forbidden = [imports.map(lambda name: ast.Import([ast.alias(name)])), imports.map(lambda name: ast.ImportFrom(name, [ast.alias("path")], 0))]
    return st.lists(st.recursive(st.one_of(simple + forbidden * wild), blocks, max_leaves=3), min_size=1, max_size=4)


SCRIPTS = grammar(False) | grammar(False) | grammar(False) | grammar(True)


def written(body: list[ast.stmt]) -> str:
    try:
        return "x = torch.arange(6.0).reshape(2, 3)\nn = np.ones((2, 3))\na = [1, 2]\nb = 'ab'\n" + ast.unparse(ast.Module(body, []))
    except ValueError:  # this tree has no text
        reject()


@given(SCRIPTS.map(written))
@settings(max_examples=repetitions(600), derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_random_scripts_end_with_an_answer_and_touch_nothing(source: str) -> None:
    global heard
    heard = events = []
    try:
        execution = interpreter.run(source, {}, Bounds(seconds=0.5, memory=8 * MIB))
        answer = report.report(execution)
    finally:
        heard = None
    assert not events
    assert not list(faults(answer))


@forking
@given(SCRIPTS.map(written))
@settings(max_examples=repetitions(40), derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_random_scripts_in_processes_of_their_own(bench: Bench, source: str) -> None:
    try:
        answer = bench.run(source)
    except PlaygroundError:
        return
    assert not list(faults(answer))
    assert MARKER not in answer["output"]
