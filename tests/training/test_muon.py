"""Muon: updates compared with `torch.linalg.svd`, `torch.optim.Muon` and AdamW, and a state that resumes exactly."""

from __future__ import annotations

import io

import pytest
import torch
from torch import Tensor, nn

from playground.training.muon import Muon, orthogonalised

SETTINGS = {"lr": 0.02, "momentum": 0.8, "nesterov": True, "betas": (0.8, 0.95), "weight_decay": 0.1}


def network() -> nn.Sequential:
    """Two filter banks, a hidden matrix and a last one; with vectors between them."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 4, 12), nn.ReLU(), nn.Linear(12, 5)]
    return nn.Sequential(*layers)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(torch.randn(16, 2, 6, 6, generator=generator)), torch.arange(16) % 5).backward()
        optimizer.step()


def muon(model: nn.Module) -> Muon:
    return Muon(list(model.parameters()), **SETTINGS)


@pytest.mark.parametrize("shape", [(8, 8), (5, 30), (30, 5), (1, 9)], ids=str)
def test_orthogonalised_keeps_singular_vectors_and_brings_singular_values_near_1(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    diagonal = left.T @ orthogonalised(matrix) @ right.T
    values = diagonal.diagonal()
    torch.testing.assert_close(diagonal, values.diag(), atol=1e-4, rtol=0)
    assert values.min() > 0.6 and values.max() < 1.25


def test_a_zero_gradient_gives_a_zero_update() -> None:
    assert torch.equal(orthogonalised(torch.zeros(3, 4)), torch.zeros(3, 4))


def test_matrices_and_filters_but_the_last_are_orthogonalised() -> None:
    model = network()
    first, second = muon(model).param_groups
    assert [parameter.shape for parameter in first["params"]] == [(6, 2, 3, 3), (8, 6, 3, 3), (12, 32)]
    assert model[-1].weight in set(second["params"]) and len(first["params"]) + len(second["params"]) == len(list(model.parameters()))


def test_updates_of_matrices_equal_those_of_torchs_muon() -> None:
    """PyTorch's Muon computes in bfloat16, so single elements differ by some hundredths of a step."""
    torch.manual_seed(0)
    start, last = torch.randn(6, 18), nn.Parameter(torch.zeros(1, 1))
    filters, matrix = nn.Parameter(start.view(6, 2, 3, 3).clone()), nn.Parameter(start.clone())
    shared = {key: SETTINGS[key] for key in ("lr", "momentum", "nesterov", "weight_decay")}
    mine, theirs = Muon([filters, last], **SETTINGS), torch.optim.Muon([matrix], **shared, adjust_lr_fn="match_rms_adamw")
    for step in range(10):
        gradient = torch.randn(6, 18, generator=torch.Generator().manual_seed(step))
        filters.grad, matrix.grad = gradient.view(6, 2, 3, 3).clone(), gradient.clone()
        mine.step()
        theirs.step()
    way, difference = (matrix - start).norm(), (filters.flatten(1) - matrix).norm()
    assert difference < 0.02 * way


def test_updates_of_other_parameters_equal_those_of_torchs_adamw() -> None:
    mine, theirs = network(), network()
    vectors = [parameter for parameter in theirs.parameters() if parameter.dim() == 1]
    rest = [*vectors, theirs[-1].weight]
    optimizers = [muon(mine), torch.optim.AdamW(rest, SETTINGS["lr"], SETTINGS["betas"], weight_decay=SETTINGS["weight_decay"], foreach=False)]
    for step in range(10):
        for model, optimizer in zip((mine, theirs), optimizers, strict=True):
            generator = torch.Generator().manual_seed(step)
            for parameter in model.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            optimizer.step()
    of_mine = [parameter for parameter in mine.parameters() if parameter.dim() == 1] + [mine[-1].weight]
    torch.testing.assert_close(of_mine, rest, rtol=1e-6, atol=1e-7)


def test_a_step_of_both_kinds_has_the_size_of_the_learning_rate() -> None:
    """A fifth of it for Muon, as for later steps of Adam; the first step of Adam is the learning rate itself."""
    model = network()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    train(model, Muon(list(model.parameters()), lr=0.01), range(1))
    sizes = {tuple(old.shape): (new - old).square().mean().sqrt().item() for old, new in zip(before, model.parameters(), strict=True)}
    assert sizes[8, 6, 3, 3] == pytest.approx(0.002, rel=0.2)
    assert sizes[5, 12] == pytest.approx(0.01, rel=0.2)


def test_muon_reduces_the_loss() -> None:
    model = network()
    optimizer = muon(model)
    inputs, targets = torch.randn(20, 2, 6, 6), torch.arange(20) % 5
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    assert (model(inputs).argmax(dim=1) == targets).all()


def test_frozen_parameters_stay() -> None:
    model = network()
    model[0].weight.requires_grad_(False)
    before = model[0].weight.clone()
    train(model, muon(model), range(3))
    assert torch.equal(model[0].weight, before)


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last], ids=["contiguous", "channels-last"])
def test_a_restored_optimizer_continues_to_the_last_bit(memory: torch.memory_format) -> None:
    whole = network().to(memory_format=memory)
    train(whole, muon(whole), range(6))

    half = network().to(memory_format=memory)
    optimizer = muon(half)
    train(half, optimizer, range(3))
    file = io.BytesIO()
    torch.save([half.state_dict(), optimizer.state_dict()], file)
    file.seek(0)
    weights, state = torch.load(file, weights_only=True)

    second = network().to(memory_format=memory)
    resumed = muon(second)
    second.load_state_dict(weights)
    resumed.load_state_dict(state)
    train(second, resumed, range(3, 6))
    assert_same_weights(second, whole)


def test_the_memory_format_changes_no_step() -> None:
    plain, last = network(), network().to(memory_format=torch.channels_last)
    for model in (plain, last):
        optimizer = muon(model)
        for parameter in model.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)).to(memory_format=torch.preserve_format)
        optimizer.step()
    assert_same_weights(plain, last)
    assert last[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("parameters", [[nn.Parameter(torch.zeros(3))], [nn.Parameter(torch.zeros(3, 2))]], ids=["vector", "one-matrix"])
def test_a_network_without_a_hidden_matrix_uses_adamw_only(parameters: list[nn.Parameter]) -> None:
    (group,) = Muon(parameters, 0.1).param_groups
    assert group["orthogonal"] is False


def test_a_closure_computes_the_loss_first() -> None:
    parameter = nn.Parameter(torch.ones(1))
    optimizer = Muon([parameter], 0.1)

    def closure() -> float:
        loss: Tensor = parameter.square().sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == 1.0
    assert parameter.item() == pytest.approx(0.9)


def assert_same_weights(first: nn.Module, second: nn.Module) -> None:
    for mine, theirs in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(mine, theirs)
