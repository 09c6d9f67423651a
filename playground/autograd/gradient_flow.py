"""How gradients flow through a whole network: one batch forward and back, what reaches each layer, and what that means.

Whether they vanish or explode is decided by depth, activation and initialisation.
Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
https://proceedings.mlr.press/v9/glorot10a.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from playground import device as devices
from playground.autograd.module_graph import observe
from playground.data.sample_batch import Batch, draw_batch
from playground.errors import ConfigError, PlaygroundError, UnknownName
from playground.network import initialise as initialise_module
from playground.network.build import build
from playground.network.presets import preset
from playground.network.source import imports, sequential
from playground.network.spec import LayerSpec, NetworkSpec, from_json
from playground.network.trace import check

STACK = "stack"
"""The name that stands for a plain stack of linear layers, of any depth."""
STACK_SHAPE, STACK_CLASSES = (1, 28, 28), 10
ACTIVATIONS = ("ReLU", "LeakyReLU", "GELU", "SiLU", "Sigmoid", "Tanh")
"""The activations that can take one another's place; Softmax is none of them, it makes probabilities."""
NO_ACTIVATION = "none"
RANGES = {"depth": (1, 30), "width": (8, 256), "batch": (2, 256), "seed": (0, 2**31 - 1)}
"""Smallest and largest value of each number of a request."""
DEFAULTS: Mapping[str, Any] = {
    "network": STACK, "depth": 10, "width": 64, "activation": "", "initialisation": "default", "batch": 64, "seed": 0, "normalised": False,
}  # fmt: skip

VANISHES_BELOW = 1e-4
"""Gradient at the first layer's output over that at the last's, each as a mean over its cells. Below this it vanishes.
Small convolutional networks that learn well come to a thousandth, because each of the many pixels has a small share."""
EXPLODES_ABOVE = 1e2
"""Above this it explodes; networks that learn well stay below ten."""


@dataclass(frozen=True)
class _Settings:
    """A request whose values have the right kinds and ranges."""

    network: str
    depth: int
    width: int
    activation: str
    initialisation: str
    batch: int
    seed: int
    normalised: bool


def measure_gradient_flow(request: Mapping[str, Any]) -> dict[str, Any]:
    """Send one batch through a network and its gradient back: a task for a process of its own.

    Args:
        request: `network`, a preset's name, a network as JSON, or `stack`; of a stack `depth`, `width` and `normalised` (batch norm behind each linear layer);
            `activation`, put in place of every activation layer (empty: as the network has it; `none`: a stack without);
            `initialisation`, one of `INITIALISATIONS`; `batch`, how many samples; `seed`, for weights, batch and dropout;
            `device`. What is missing is as in `DEFAULTS`, on the best device. Activations inside blocks stay as they are.

    Returns:
        What `modules.observe` tells, and `title`; `data`, a sentence on the batch; `code`, the same as a script; `verdict`, its `kind`
        (“fine”, “vanishing”, “exploding”, “dead”, “nan”) and `text`.

    Raises:
        UnknownName: there is no such network, activation, initialisation or device.
        ConfigError: a value is of another kind or out of its range, or does not go with the network.
        ShapeError: the network does not fit its data.
        PlaygroundError: the network has no weights, or the batch needs more memory than there is.
    """
    settings = _read(request)
    where = torch.device(devices.get(request.get("device", devices.BEST)).name)
    spec = _spec(settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = build(spec)  # drawn before the batch, as in the script
        initialise_module.initialise(network, settings.initialisation, seed=None)
        drawn = _batch(spec, settings)
        try:
            observed = observe(network.to(where), drawn.inputs.to(where), drawn.labels.to(where))
        except RuntimeError as error:
            raise _too_large(error) from error
    return {**observed, "title": _title(spec, settings), "data": drawn.description, "code": _code(spec, settings), "verdict": verdict(observed)}


def verdict(observed: Mapping[str, Any]) -> dict[str, str]:
    """What the gradients at the first and at the last layer with weights mean for training.

    They are compared as means over the cells of the layers' outputs, so that wide layers do not seem to have larger ones.

    Args:
        observed: as `modules.observe` gives it.
    """
    reached: list[float | str] = [layer["gradient_mean"] for layer in observed["layers"] if layer["weights"] and layer["gradient_mean"] is not None]
    sizes = [size for size in reached if not isinstance(size, str)]
    if isinstance(observed["loss"], str) or len(sizes) < len(reached):
        return _verdict("nan", "The loss or a gradient is no longer a finite number: values grew beyond what float32 can hold, so nothing can be learned.")
    first, last = sizes[0], sizes[-1]
    if first == 0:
        if any(0 < size < VANISHES_BELOW * last for size in sizes):
            return _verdict("vanishing", "The gradient shrinks from layer to layer until float32 cannot hold it: at the first layer it is exactly 0.")
        return _verdict("dead", "No gradient reaches the first layer: it is exactly 0 there, so that layer never learns.")
    ratio = first / last  # not by 0, for what reaches the first came through the last
    if ratio < VANISHES_BELOW:
        return _verdict("vanishing", f"The gradient that reaches the first layer is about {_power(1 / ratio)} times smaller than at the last: it vanishes.")
    if ratio > EXPLODES_ABOVE:
        return _verdict("exploding", f"The gradient that reaches the first layer is about {_power(ratio)} times larger than at the last: it explodes.")
    return _verdict("fine", f"The gradient at the first layer is {_plain(ratio)} times as large as at the last: every layer can learn.")


def _read(request: Mapping[str, Any]) -> _Settings:
    """
    Raises:
        ConfigError: a value is of another kind or out of its range; all of them are told.
    """
    values = {name: request.get(name, default) for name, default in DEFAULTS.items()}
    problems = [f"{name} must be a text, not {values[name]!r}." for name in ("network", "activation", "initialisation") if not isinstance(values[name], str)]
    for name, (low, high) in RANGES.items():
        if type(values[name]) is not int or not low <= values[name] <= high:
            problems.append(f"{name} must be a whole number from {low} to {high}, not {values[name]!r}.")
    if not isinstance(values["normalised"], bool):
        problems.append(f"normalised must be true or false, not {values['normalised']!r}.")
    if problems:
        raise ConfigError(problems)
    return _Settings(**values)


def _spec(settings: _Settings) -> NetworkSpec:
    """The network, with the activation that is wished for."""
    if settings.activation not in ("", NO_ACTIVATION, *ACTIVATIONS):
        raise UnknownName("activation", settings.activation, [*ACTIVATIONS, NO_ACTIVATION])
    if settings.network == STACK:
        return _stack(settings)
    if settings.activation == NO_ACTIVATION:
        raise ConfigError(["Only a stack can be had without an activation: choose another activation, or the stack."])
    spec = from_json(settings.network) if settings.network.startswith("{") else preset(settings.network)
    if not settings.activation:
        return spec
    return spec.with_layers(tuple(LayerSpec(settings.activation) if layer.type in ACTIVATIONS else layer for layer in spec.layers))


def _stack(settings: _Settings) -> NetworkSpec:
    repeated = [LayerSpec("Linear", {"out_features": settings.width})]
    if settings.normalised:
        repeated.append(LayerSpec("BatchNorm1d"))
    if settings.activation != NO_ACTIVATION:
        repeated.append(LayerSpec(settings.activation or ACTIVATIONS[0]))
    layers = (LayerSpec("Flatten"), *(repeated * settings.depth), LayerSpec("Linear", {"out_features": STACK_CLASSES}))
    return NetworkSpec(STACK, STACK_SHAPE, layers)


def _batch(spec: NetworkSpec, settings: _Settings) -> Batch:
    """What the network is tried on; where that has labels of its own, the network must have as many outputs."""
    found = draw_batch(spec.input_shape, _classes(spec), settings.batch)
    if found.info is not None:
        check(spec, found.info.input_shape, len(found.info.classes))
    return found


def _classes(spec: NetworkSpec) -> int:
    """How many logits the network ends in.

    Raises:
        ShapeError: a layer does not fit.
        ConfigError: it does not end in a vector.
    """
    shape = check(spec)[-1].out_shape or ()
    if len(shape) != 1:
        raise ConfigError([f"The network “{spec.name}” ends in shape {shape}; for a loss it must end in one vector, as a Linear layer makes."])
    return shape[0]


def _title(spec: NetworkSpec, settings: _Settings) -> str:
    if settings.network != STACK:
        name = spec.title or spec.name
        return f"{name} with {settings.activation}" if settings.activation else name
    if settings.activation == NO_ACTIVATION:
        plain, normalised = "{depth} × Linear({width})", "{depth} × (Linear({width}), BatchNorm1d)"
    else:
        plain, normalised = "{depth} × (Linear({width}), {activation})", "{depth} × (Linear({width}), BatchNorm1d, {activation})"
    return (normalised if settings.normalised else plain).format(depth=settings.depth, width=settings.width, activation=settings.activation or ACTIVATIONS[0])


def _code(spec: NetworkSpec, settings: _Settings) -> str:
    """A script of its own. Its weights are the same; so is its batch where that is random here, too."""
    size = ", ".join(map(str, (settings.batch, *spec.input_shape)))
    parts = [
        "\n".join([*imports(spec), "from torch.nn.functional import cross_entropy"]) + "\n",
        f"torch.manual_seed({settings.seed})\n" + sequential(spec),
        initialise_module.source(settings.initialisation),
        f"inputs = torch.randn({size})  # random numbers in place of the data\nlabels = torch.randint({_classes(spec)}, ({settings.batch},))\n",
        "loss = cross_entropy(network(inputs), labels)\nloss.backward()\n",
        'print(f"loss {loss.item():.4g}")\nfor name, parameter in network.named_parameters():\n'
        "    norm = parameter.grad.double().norm()  # in float32 the squares of tiny numbers are 0\n"
        '    print(f"{name:<30} {norm:.3g}")\n',
    ]
    return "\n".join(parts).replace("\n\ndef ", "\n\n\ndef ")


def _too_large(error: RuntimeError) -> Exception:
    """The error of a batch for which memory is lacking in words that help; any other as it is."""
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return PlaygroundError("This network needs more memory for this batch than there is.", "Choose a smaller batch, or a smaller network.")
    return error


def _verdict(kind: str, text: str) -> dict[str, str]:
    return {"kind": kind, "text": text}


def _power(value: float) -> str:
    """The nearest power of ten: `10⁶`."""
    return "10" + str(round(math.log10(value))).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _plain(ratio: float) -> str:
    """Two digits, and no power of ten: `0.00031`, `4.2`, `120`."""
    digits = max(0, 1 - math.floor(math.log10(ratio)))
    return f"{ratio:.{digits}f}"
