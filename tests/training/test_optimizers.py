"""The schedules are those of torch's own schedulers, and the optimizers those of torch with the configured settings."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import lr_scheduler

from playground.training.config import OPTIMIZERS, SCHEDULES, TrainConfig
from playground.training.optimizers import factor, optimizer

from ..support.tiers import repetitions

PEAK = 0.4
TOTALS = (7, 20, 100, 333)


def ours(schedule: str, total: int) -> list[float]:
    """The learning rate of every step."""
    return [PEAK * factor(schedule, step / total) for step in range(total)]


def stepped(scheduler: lr_scheduler.LRScheduler, total: int) -> list[float]:
    """The learning rates that torch's scheduler gives to `total` steps."""
    rates = []
    for _ in range(total):
        rates.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return rates


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=PEAK)


@pytest.mark.parametrize("total", TOTALS)
def test_cosine_is_cosine_annealing(total: int) -> None:
    assert ours("cosine", total) == pytest.approx(stepped(lr_scheduler.CosineAnnealingLR(sgd(), T_max=total), total), abs=1e-9)


@pytest.mark.parametrize("total", TOTALS)
def test_step_is_multi_step(total: int) -> None:
    milestones = [-(-share * total // 1) for share in (Fraction(60, 100), Fraction(85, 100))]  # the first step at or after the share
    assert ours("step", total) == pytest.approx(stepped(lr_scheduler.MultiStepLR(sgd(), [int(at) for at in milestones], gamma=0.1), total))


@pytest.mark.parametrize("total", [100, 333, 1000])
def test_one_cycle_is_one_cycle_with_linear_annealing(total: int) -> None:
    """Torch reaches peak and end one step earlier, so the two differ by at most two steps' slope."""
    scheduler = lr_scheduler.OneCycleLR(sgd(), PEAK, total_steps=total, anneal_strategy="linear", pct_start=0.1, div_factor=4, cycle_momentum=False)
    steepest = PEAK * 0.75 / (0.1 * total)
    assert ours("one-cycle", total) == pytest.approx(stepped(scheduler, total), abs=2 * steepest)


def test_one_cycle_starts_at_a_quarter_peaks_after_a_tenth_and_ends_at_nothing() -> None:
    assert [factor("one-cycle", progress) for progress in (0, 0.05, 0.1, 0.55, 1)] == pytest.approx([0.25, 0.625, 1, 0.5, 0])


def test_constant_is_constant() -> None:
    assert {factor("constant", progress / 10) for progress in range(11)} == {1.0}


@pytest.mark.parametrize("schedule", SCHEDULES)
@given(progress=st.floats(0, 1, exclude_max=True))
@settings(max_examples=repetitions(100))
def test_every_factor_is_a_share_above_zero_until_the_end(schedule: str, progress: float) -> None:
    assert 0 <= factor(schedule, progress) <= 1
    if progress < 0.999:
        assert factor(schedule, progress) > 0


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_peak_is_reached(schedule: str) -> None:
    assert max(factor(schedule, step / 100) for step in range(100)) == 1.0


EXPECTED = {
    "sgd": (torch.optim.SGD, {"momentum": 0.7, "nesterov": True}),
    "rmsprop": (torch.optim.RMSprop, {"momentum": 0.7}),
    "adam": (torch.optim.Adam, {"betas": (0.8, 0.95)}),
    "adamw": (torch.optim.AdamW, {"betas": (0.8, 0.95)}),
}


def test_each_optimizer_is_tested() -> None:
    assert {*EXPECTED, "muon"} == set(OPTIMIZERS)


def test_muon_has_the_configured_settings() -> None:
    config = TrainConfig(optimizer="muon", learning_rate=0.2, momentum=0.7, nesterov=True, betas=(0.8, 0.95), weight_decay=0.03)
    matrix, vector, last = (nn.Parameter(torch.zeros(shape)) for shape in ((2, 3), (2,), (4, 2)))
    made = optimizer(config, iter([matrix, vector, last]))
    muon, adamw = made.param_groups
    assert muon["params"] == [matrix] and adamw["params"] == [vector, last]
    assert muon["momentum"] == 0.7 and muon["nesterov"] and adamw["betas"] == (0.8, 0.95)
    assert {(group["lr"], group["weight_decay"]) for group in made.param_groups} == {(0.2, 0.03)}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_optimizer_has_the_configured_settings(name: str) -> None:
    config = TrainConfig(optimizer=name, learning_rate=0.2, momentum=0.7, nesterov=True, betas=(0.8, 0.95), weight_decay=0.03)
    made = optimizer(config, [nn.Parameter(torch.zeros(2))])
    kind, settings_ = EXPECTED[name]
    assert type(made) is kind
    (group,) = made.param_groups
    assert {key: group[key] for key in (*settings_, "lr", "weight_decay")} == {**settings_, "lr": 0.2, "weight_decay": 0.03}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_an_optimizer_moves_weights_as_torchs_plain_one_does(name: str, decay: float) -> None:
    """Fused or not is the same mathematics: equal to a millionth after twenty steps."""
    config = TrainConfig(optimizer=name, learning_rate=0.05, momentum=0.7, nesterov=name == "sgd", betas=(0.8, 0.95), weight_decay=decay)
    kind, settings_ = EXPECTED[name]
    torch.manual_seed(0)
    start = torch.randn(50)
    mine, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    plain = {} if name == "rmsprop" else {"fused": False}
    pairs = [(mine, optimizer(config, [mine])), (theirs, kind([theirs], lr=0.05, weight_decay=decay, foreach=False, **plain, **settings_))]
    for parameter, moved_by in pairs:
        for _ in range(20):
            moved_by.zero_grad()
            (parameter**2).sum().backward()
            moved_by.step()
    torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-6)
    assert not torch.allclose(mine, start)
