"""One iteration in the five lines of every tutorial, as plain data that a page can show.

```python
optimizer.zero_grad()
logits = network(images)
loss = loss_function(logits, labels)
loss.backward()
optimizer.step()
```
"""

from __future__ import annotations

import base64
from typing import Any, Literal, NotRequired, TypedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from playground.training.instruments.iteration import Iteration
from playground.training.instruments.observation import finite, norm

SHOWN = 24
"""Number of images of the batch that are shown."""
STATES: dict[str, Literal["step", "mean", "square", "momentum"]] = {
    "step": "step",
    "exp_avg": "mean",
    "exp_avg_sq": "square",
    "square_avg": "square",
    "momentum_buffer": "momentum",
}
"""Names of an optimizer's state of a parameter in torch, and in the close-up."""


class ValueFacts(TypedDict):
    """Facts about the values of a tensor; null is a non-finite value, here and below."""

    low: float | None
    high: float | None
    mean: float | None
    std: float | None
    zeros: float | None
    """Share of them that are 0."""


class Memory(TypedDict, total=False):
    """The optimizer's state of one element, as far as it has one."""

    step: float | None
    mean: float | None
    square: float | None
    momentum: float | None


class Example(TypedDict):
    """The arithmetic of one element of a parameter."""

    place: list[int]
    before: float | None
    gradient: float | None
    update: float | None
    after: float | None
    memory: Memory


class Parameter(TypedDict):
    """Norms of a parameter."""

    name: str
    shape: list[int]
    weight: float | None
    gradient: float | None
    update: float | None
    example: Example
    """Its element with the largest update."""


class RecordedLayer(TypedDict):
    """What an iteration computed in one layer."""

    shape: list[int]
    """Of the output of one image."""
    output: ValueFacts
    parameters: list[Parameter]


class RecordedFilter(TypedDict):
    """The filter of the first layer whose weights moved most, or the weights of one of its units as an image."""

    layer: int
    index: int
    """Which of the layer's filters."""
    shape: list[int]
    """(channels, height, width)"""
    before: list[float | None]
    """Its weights before the step, row by row."""
    update: list[float | None]


class RecordedStep(TypedDict):
    """Everything that one iteration computed."""

    step: int
    optimizer: str
    """Its name in a configuration."""
    learning_rate: float | None
    batch: int
    """The number of all images."""
    shape: list[int]
    """(shown images, channels, height, width)"""
    pixels: str
    """A byte each in base64."""
    labels: list[int]
    """Of the shown images, as the three below."""
    input: ValueFacts
    """Of what the network received."""
    logits: list[list[float | None]]
    probabilities: list[list[float | None]]
    losses: list[float | None]
    loss: float | None
    """Their mean over all images."""
    erased: list[float | None]
    """For each layer the norm of the gradient that was cleared; null if it had none."""
    layers: list[RecordedLayer]
    filter: NotRequired[RecordedFilter | None]
    """None if the first layer has none that can be shown; missing in records of earlier versions."""
    before: float | None
    """The loss of the batch before the step, without dropout …"""
    after: float | None
    """… and after it."""


def describe(
    iteration: Iteration, erased: list[float | None], label_smoothing: float, name: str, optimizer: torch.optim.Optimizer, again: tuple[float, float]
) -> dict[str, Any]:
    """Return everything that an iteration computed, a `RecordedStep`.

    Args:
        iteration: an iteration whose step has just been taken.
        erased: for each layer the norm of the gradient that `zero_grad` erased; None if it had none.
        label_smoothing: share of the target spread over the wrong classes.
        name: the optimizer's name in a configuration.
        optimizer: the optimizer that took the step.
        again: the batch's loss before and after the step, both without dropout, so that they can be compared.
    """
    logits, targets = iteration.logits[:SHOWN].float(), iteration.targets[:SHOWN]
    losses = F.cross_entropy(logits, targets, label_smoothing=label_smoothing, reduction="none")
    shown = iteration.pixels[:SHOWN].clamp(0, 255).to(torch.uint8).contiguous().cpu()
    before, after = again
    recorded: RecordedStep = {
        "step": iteration.step,
        "optimizer": name,
        "learning_rate": finite(iteration.learning_rate),
        "batch": len(iteration.targets),
        "shape": list(shown.shape),
        "pixels": base64.b64encode(shown.numpy().tobytes()).decode(),
        "labels": targets.tolist(),
        "input": _facts(iteration.inputs),
        "logits": _rows(logits),
        "probabilities": _rows(logits.softmax(dim=1)),
        "losses": _numbers(losses),
        "loss": finite(iteration.loss.item()),
        "erased": erased,
        "layers": [_layer(iteration, index, optimizer) for index in range(len(iteration.network))],
        "filter": _filter(iteration),
        "before": finite(before),
        "after": finite(after),
    }
    return dict(recorded)


def gradient_norms(network: nn.Sequential) -> list[float | None]:
    """Return for each layer the norm of its parameters' current gradients; None if there are none."""
    none = torch.tensor(torch.nan)
    return [finite(norm([part.grad for part in layer.parameters() if part.grad is not None], none).item()) for layer in network]


def _layer(iteration: Iteration, index: int, optimizer: torch.optim.Optimizer) -> RecordedLayer:
    output = iteration.outputs[index]
    names = [name for name, _ in iteration.network[index].named_parameters()]
    parameters = zip(names, iteration.parameters[index], iteration.before[index], iteration.updates(index), strict=True)
    return {
        "shape": list(output.shape[1:]),
        "output": _facts(output),
        "parameters": [_parameter(*each, optimizer) for each in parameters if each[1].grad is not None],
    }


def _parameter(name: str, parameter: Tensor, before: Tensor, update: Tensor, optimizer: torch.optim.Optimizer) -> Parameter:
    """Return a parameter's gradient and update, and the arithmetic of its element with the largest update."""
    gradient = parameter.grad
    assert gradient is not None
    place = int(update.abs().argmax())
    at = torch.unravel_index(torch.tensor(place), update.shape)
    memory: Memory = {}
    for key, value in optimizer.state.get(parameter, {}).items():
        if key in STATES and isinstance(value, Tensor):
            memory[STATES[key]] = _at(value, at)
    return {
        "name": name,
        "shape": list(parameter.shape),
        "weight": finite(before.norm().item()),
        "gradient": finite(gradient.norm().item()),
        "update": finite(update.norm().item()),
        "example": {
            "place": [int(position) for position in at],
            "before": finite(before[at].item()),
            "gradient": finite(gradient[at].item()),
            "update": finite(update[at].item()),
            "after": finite(parameter[at].item()),
            "memory": memory,
        },
    }


def _filter(iteration: Iteration) -> RecordedFilter | None:
    """Return the filter of the first layer with weights that moved most; a linear layer's units have the shape of the image."""
    layer = next((index for index, parameters in enumerate(iteration.parameters) if parameters), None)
    if layer is None or iteration.parameters[layer][0].grad is None:
        return None
    weight, update = iteration.before[layer][0], iteration.updates(layer)[0]
    pixels = iteration.inputs.shape[1:]
    shape = weight.shape[1:] if weight.dim() == 4 else pixels
    if weight.dim() not in (2, 4) or weight[0].numel() != shape.numel() or shape[0] not in (1, 3):
        return None
    index = int(update.flatten(1).norm(dim=1).argmax())
    before, moved = (_numbers(tensor[index].float().flatten()) for tensor in (weight, update))
    return {"layer": layer, "index": index, "shape": list(shape), "before": before, "update": moved}


def _at(value: Tensor, place: tuple[Tensor, ...]) -> float | None:
    return finite((value if value.dim() == 0 else value[place]).item())


def _facts(values: Tensor) -> ValueFacts:
    flat = values.detach().float()
    return {
        "low": finite(flat.min().item()),
        "high": finite(flat.max().item()),
        "mean": finite(flat.mean().item()),
        "std": finite(flat.std().item()),
        "zeros": finite((flat == 0).float().mean().item()),
    }


def _numbers(values: Tensor) -> list[float | None]:
    return [finite(number) for number in values.tolist()]


def _rows(values: Tensor) -> list[list[float | None]]:
    return [_numbers(row) for row in values]
