"""Schedules equal the schedulers of PyTorch, and optimizers those of PyTorch with the configured settings."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import lr_scheduler

from playground.errors import ConfigError, UnknownName
from playground.training.config import SETTINGS, TrainConfig, setting_called
from playground.training.muon import Muon
from playground.training.optimizers import DEFAULTS, OPTIMIZER_TITLES, OPTIMIZERS, OptimizerType, interchangeable_with, optimizer_type, usual_learning_rate
from playground.training.schedules import SCHEDULE_TITLES, schedule_type

from ..support.tiers import repetitions
from .tiny import TORCH_OPTIMIZERS

PEAK = 0.4
TOTALS = (7, 20, 100, 333)


def playground_rates(schedule: str, total: int) -> list[float]:
    """Return the learning rate of every step."""
    return [PEAK * schedule_type(schedule).factor(step / total) for step in range(total)]


def torch_rates(scheduler: lr_scheduler.LRScheduler, total: int) -> list[float]:
    """Return the learning rates of PyTorch's scheduler for `total` steps."""
    rates = []
    for _ in range(total):
        rates.append(scheduler.get_last_lr()[0])
        scheduler.optimizer.step()
        scheduler.step()
    return rates


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=PEAK)


@pytest.mark.parametrize("total", TOTALS)
def test_cosine_equals_cosine_annealing(total: int) -> None:
    assert playground_rates("cosine", total) == pytest.approx(torch_rates(lr_scheduler.CosineAnnealingLR(sgd(), T_max=total), total), abs=1e-9)


@pytest.mark.parametrize("total", TOTALS)
def test_step_equals_multi_step(total: int) -> None:
    milestones = [-(-share * total // 1) for share in (Fraction(60, 100), Fraction(85, 100))]  # the first step at or after the share
    assert playground_rates("step", total) == pytest.approx(torch_rates(lr_scheduler.MultiStepLR(sgd(), [int(at) for at in milestones], gamma=0.1), total))


@pytest.mark.parametrize("total", [100, 333, 1000])
def test_one_cycle_equals_one_cycle_with_linear_annealing(total: int) -> None:
    """Torch reaches peak and end one step earlier, so the two differ by at most two steps' slope."""
    scheduler = lr_scheduler.OneCycleLR(sgd(), PEAK, total_steps=total, anneal_strategy="linear", pct_start=0.1, div_factor=4, cycle_momentum=False)
    steepest = PEAK * 0.75 / (0.1 * total)
    assert playground_rates("one-cycle", total) == pytest.approx(torch_rates(scheduler, total), abs=2 * steepest)


def test_one_cycle_starts_at_a_quarter_peaks_after_a_tenth_and_ends_at_zero() -> None:
    assert [schedule_type("one-cycle").factor(progress) for progress in (0, 0.05, 0.1, 0.55, 1)] == pytest.approx([0.25, 0.625, 1, 0.5, 0])


def test_constant_is_constant() -> None:
    assert {schedule_type("constant").factor(progress / 10) for progress in range(11)} == {1.0}


@pytest.mark.parametrize("schedule", list(SCHEDULE_TITLES))
@given(progress=st.floats(0, 1, exclude_max=True))
@settings(max_examples=repetitions(100))
def test_every_factor_is_a_share_above_zero_until_the_end(schedule: str, progress: float) -> None:
    assert 0 <= schedule_type(schedule).factor(progress) <= 1
    if progress < 0.999:
        assert schedule_type(schedule).factor(progress) > 0


@pytest.mark.parametrize("schedule", list(SCHEDULE_TITLES))
def test_every_schedule_reaches_its_peak(schedule: str) -> None:
    assert max(schedule_type(schedule).factor(step / 100) for step in range(100)) == 1.0


CONFIGURED = TrainConfig(learning_rate=0.2, momentum=0.7, nesterov=True, betas=(0.8, 0.95), weight_decay=0.03)
EXPECTED = {name: (kind, {use: getattr(CONFIGURED, use) for use in uses}) for name, (kind, uses) in TORCH_OPTIMIZERS.items()}


def make(config: TrainConfig, *parameters: nn.Parameter) -> torch.optim.Optimizer:
    return config.optimizer_type.make(config, parameters)


def test_each_optimizer_is_tested() -> None:
    assert {*EXPECTED, "muon", "lbfgs"} == set(OPTIMIZER_TITLES)


def test_an_unknown_optimizer_is_refused() -> None:
    with pytest.raises(UnknownName, match="no optimizer called “adm”"):
        optimizer_type("adm")
    with pytest.raises(ConfigError, match="Optimizer must be one of adam"):
        TrainConfig(optimizer="adm")


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda kind: kind.name)
def test_arguments_and_defaults_are_those_of_the_class(kind: OptimizerType) -> None:
    """Each argument exists, and has the default that the generated code leaves out."""
    module, _, name = kind.target.rpartition(".")
    arguments = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    assert {"lr", *kind.uses, *kind.arguments} <= arguments.keys()
    assert {use: arguments[use].default for use in kind.uses} == {use: {**DEFAULTS, **kind.defaults}[use] for use in kind.uses}
    assert set(kind.uses) <= {setting.name for setting in SETTINGS}
    assert kind.source.startswith("https://") and kind.summary.endswith(".")
    assert 0 < kind.usual_learning_rate <= setting_called("learning_rate").high


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda kind: kind.name)
def test_the_settings_that_an_optimizer_uses_are_those_that_apply(kind: OptimizerType) -> None:
    optional = ("momentum", "nesterov", "betas", "weight_decay")
    config = replace(TrainConfig(), optimizer=kind.name)
    assert [name for name in optional if setting_called(name).applies_to(config)] == [name for name in optional if name in kind.uses]
    assert setting_called("batch_size").applies_to(config) != kind.full_batch


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda kind: kind.name)
def test_the_code_creates_the_same_optimizer(kind: OptimizerType) -> None:
    """The optimizer of the code has the same options as the playground's, except `fused`."""
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    config = replace(CONFIGURED, optimizer=kind.name)
    optimizer = make(config, *network.parameters())
    theirs = eval(kind.code(config), {"torch": torch, "network": network, "Muon": Muon})  # noqa: S307 - the code is the playground's own
    assert type(optimizer) is type(theirs)
    for group, other in zip(optimizer.param_groups, theirs.param_groups, strict=True):
        assert {key: value for key, value in group.items() if key not in ("params", "fused", "foreach")} == {
            key: value for key, value in other.items() if key not in ("params", "fused", "foreach")
        }


def test_the_usual_learning_rate_is_lower_with_momentum_that_adds_up() -> None:
    rates = {name: usual_learning_rate(replace(TrainConfig(), optimizer=name, momentum=0.9)) for name in OPTIMIZER_TITLES}
    assert (rates["sgd"], rates["rmsprop"], rates["adam"], rates["muon"]) == (0.03, 0.0001, 0.003, 0.01)
    assert usual_learning_rate(replace(TrainConfig(), optimizer="sgd", momentum=0.0)) == 0.3


def test_muon_has_the_configured_settings() -> None:
    matrix, vector, last = (nn.Parameter(torch.zeros(shape)) for shape in ((2, 3), (2,), (4, 2)))
    both = make(replace(CONFIGURED, optimizer="muon"), matrix, vector, last)
    muon, adamw = both.param_groups
    assert muon["params"] == [matrix] and adamw["params"] == [vector, last]
    assert muon["momentum"] == 0.7 and muon["nesterov"] and adamw["betas"] == (0.8, 0.95)
    assert {(group["lr"], group["weight_decay"]) for group in both.param_groups} == {(0.2, 0.03)}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_optimizer_has_the_configured_settings(name: str) -> None:
    optimizer = make(replace(CONFIGURED, optimizer=name), nn.Parameter(torch.zeros(2)))
    kind, options = EXPECTED[name]
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert {key: group[key] for key in (*options, "lr", "weight_decay")} == {**options, "lr": 0.2, "weight_decay": 0.03}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_updates_equal_those_of_the_optimizer_without_fused(name: str, decay: float) -> None:
    """Fused and plain implementations differ by at most a millionth after twenty steps."""
    config = TrainConfig(optimizer=name, learning_rate=0.05, momentum=0.7, nesterov=name == "sgd", betas=(0.8, 0.95), weight_decay=decay)
    kind, options = EXPECTED[name]
    torch.manual_seed(0)
    start = torch.randn(50)
    mine, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    plain = {"fused": False} if config.optimizer_type.fused else {}
    pairs = [(mine, make(config, mine)), (theirs, kind([theirs], lr=0.05, weight_decay=decay, foreach=False, **plain, **options))]
    for parameter, moved_by in pairs:
        for _ in range(20):
            moved_by.zero_grad()
            (parameter**2).sum().backward()
            moved_by.step()
    torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-6)
    assert not torch.allclose(mine, start)


@pytest.mark.parametrize("before", OPTIMIZER_TITLES)
def test_only_optimizers_that_take_the_same_steps_are_interchangeable(before: str) -> None:
    names = {kind.name for kind in interchangeable_with(before)}
    assert names == ({"lbfgs"} if before == "lbfgs" else set(OPTIMIZER_TITLES) - {"lbfgs"})
