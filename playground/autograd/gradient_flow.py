"""Measure how gradients flow through a network: run one batch, and compare the gradients at its layers.

Depth, activation and initialisation decide whether gradients vanish or explode.
Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
https://proceedings.mlr.press/v9/glorot10a.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import torch

from playground import device as devices
from playground.autograd.module_graph import Observation, observe
from playground.data.sample_batch import Batch, draw_batch
from playground.errors import ConfigError, PlaygroundError, UnknownName
from playground.messages import msg
from playground.network import initialise as initialise_module
from playground.network.build import build
from playground.network.catalogue import ACTIVATIONS
from playground.network.presets import preset
from playground.network.source import imports, sequential
from playground.network.spec import LayerSpec, NetworkSpec, from_json
from playground.network.trace import check

STACK = "stack"
"""Name of the network that is a plain stack of linear layers, of any depth."""
STACK_SHAPE, STACK_CLASSES = (1, 28, 28), 10
DEFAULT_ACTIVATION, NO_ACTIVATION = "ReLU", "none"
RANGES = {"depth": (1, 30), "width": (8, 256), "batch": (2, 256), "seed": (0, 2**31 - 1)}
"""Smallest and largest value of each number of a request."""
DEFAULTS: Mapping[str, Any] = {
    "network": STACK, "depth": 10, "width": 64, "activation": "", "initialisation": "default", "batch": 64, "seed": 0, "normalised": False,
}  # fmt: skip

VANISHES_BELOW = 1e-4
"""Ratio of the gradient at the first layer's output to that at the last layer's, each an absolute mean over cells, below which gradients vanish.
Small convolutional networks that learn well have ratios near 0.001, because each of the many pixels has a small share."""
EXPLODES_ABOVE = 1e2
"""Ratio above which gradients explode; networks that learn well stay below 10."""

VerdictKind = Literal["fine", "vanishing", "exploding", "dead", "nan"]


class Verdict(TypedDict):
    """Whether a network can learn."""

    kind: VerdictKind
    text: str


class GradientFlow(Observation):
    """How the gradients of one batch flow through a network."""

    title: str
    data: str
    """A sentence about the batch."""
    code: str
    """The same as a script."""
    verdict: Verdict


@dataclass(frozen=True)
class _Settings:
    """A request whose values have valid types and ranges."""

    network: str
    depth: int
    width: int
    activation: str
    initialisation: str
    batch: int
    seed: int
    normalised: bool


def measure_gradient_flow(request: Mapping[str, Any]) -> GradientFlow:
    """Run one forward and one backward pass of a network on one batch: a task of the sandbox.

    Args:
        request: `network`, a preset's name, a network as JSON, or `stack`; for a stack `depth`, `width` and `normalised` (batch norm after each linear layer);
            `activation`, which replaces every activation layer outside blocks (empty: as in the network; `none`: a stack without activations);
            `initialisation`, one of `INITIALISATIONS`; `batch`, number of samples; `seed`, for weights, batch and dropout;
            `device`, by default the best. Defaults of the others are in `DEFAULTS`.

    Raises:
        UnknownName: there is no such network, activation, initialisation or device.
        ConfigError: a value has another type, is out of range, or does not fit the network.
        ShapeError: the network does not fit its data.
        PlaygroundError: the network has no weights, or the batch needs more memory than there is.
    """
    settings = _read(request)
    target = torch.device(devices.get(request.get("device", devices.BEST)).name)
    spec = _spec(settings)
    with torch.random.fork_rng(devices=[]):
        devices.seed_generators(settings.seed)
        network = build(spec)  # drawn before the batch, as in the script
        initialise_module.initialise(network, settings.initialisation, seed=None)
        batch = _batch(spec, settings)
        try:
            document = observe(network.to(target), batch.inputs.to(target), batch.labels.to(target))
        except RuntimeError as error:
            raise _too_large(error) from error
    return {**document, "title": _title(spec, settings), "data": batch.description, "code": _code(spec, settings), "verdict": verdict(document)}


def verdict(document: Observation) -> Verdict:
    """Judge whether a network can learn: compare the gradients at its first and its last layer with weights.

    They are compared as absolute means over the cells of the layers' outputs, so that the width of a layer does not matter.
    """
    means = [layer["gradient_mean"] for layer in document["layers"] if layer["weights"] and layer["gradient_mean"] is not None]
    sizes = [mean for mean in means if not isinstance(mean, str)]
    if isinstance(document["loss"], str) or len(sizes) < len(means):
        return _verdict("nan", msg("The loss or a gradient is no longer a finite number: values grew beyond what float32 can hold, so nothing can be learned."))
    first, last = sizes[0], sizes[-1]
    if first == 0:
        if any(0 < size < VANISHES_BELOW * last for size in sizes):
            return _verdict("vanishing", msg("The gradient shrinks from layer to layer until float32 cannot hold it: at the first layer it is exactly 0."))
        return _verdict("dead", msg("No gradient reaches the first layer: it is exactly 0 there, so that layer never learns."))
    ratio = first / last  # not 0: the gradient reaches the first layer through the last
    if ratio < VANISHES_BELOW:
        text = msg("The gradient that reaches the first layer is about {times} times smaller than at the last: it vanishes.", times=_power(1 / ratio))
        return _verdict("vanishing", text)
    if ratio > EXPLODES_ABOVE:
        text = msg("The gradient that reaches the first layer is about {times} times larger than at the last: it explodes.", times=_power(ratio))
        return _verdict("exploding", text)
    return _verdict("fine", msg("The gradient at the first layer is {ratio} times as large as at the last: every layer can learn.", ratio=_plain(ratio)))


def _read(request: Mapping[str, Any]) -> _Settings:
    """Read the settings of a request.

    Raises:
        ConfigError: values have other types or are out of range; it lists all of them.
    """
    values = {name: request.get(name, default) for name, default in DEFAULTS.items()}
    problems = [
        msg("{name} must be a text, not {value}.", name=name, value=repr(values[name]))
        for name in ("network", "activation", "initialisation")
        if not isinstance(values[name], str)
    ]
    for name, (low, high) in RANGES.items():
        if type(values[name]) is not int or not low <= values[name] <= high:
            problems.append(msg("{name} must be a whole number from {low} to {high}, not {value}.", name=name, low=low, high=high, value=repr(values[name])))
    if not isinstance(values["normalised"], bool):
        problems.append(msg("normalised must be true or false, not {value}.", value=repr(values["normalised"])))
    if problems:
        raise ConfigError(problems)
    return _Settings(**values)


def _spec(settings: _Settings) -> NetworkSpec:
    """Return the network with the configured activation."""
    if settings.activation not in ("", NO_ACTIVATION, *ACTIVATIONS):
        raise UnknownName(msg("activation"), settings.activation, [*ACTIVATIONS, NO_ACTIVATION])
    if settings.network == STACK:
        return _stack(settings)
    if settings.activation == NO_ACTIVATION:
        raise ConfigError([msg("Only a stack can be had without an activation: choose another activation, or the stack.")])
    spec = from_json(settings.network) if settings.network.startswith("{") else preset(settings.network)
    if not settings.activation:
        return spec
    return spec.with_layers(tuple(LayerSpec(settings.activation) if layer.type in ACTIVATIONS else layer for layer in spec.layers))


def _stack(settings: _Settings) -> NetworkSpec:
    repeated = [LayerSpec("Linear", {"out_features": settings.width})]
    if settings.normalised:
        repeated.append(LayerSpec("BatchNorm1d"))
    if settings.activation != NO_ACTIVATION:
        repeated.append(LayerSpec(settings.activation or DEFAULT_ACTIVATION))
    layers = (LayerSpec("Flatten"), *(repeated * settings.depth), LayerSpec("Linear", {"out_features": STACK_CLASSES}))
    return NetworkSpec(STACK, STACK_SHAPE, layers)


def _batch(spec: NetworkSpec, settings: _Settings) -> Batch:
    """Draw a batch of a data set whose images fit the network; of random numbers if none fits.

    Raises:
        ShapeError: the network has another number of outputs than the data set has classes.
    """
    batch = draw_batch(spec.input_shape, _classes(spec), settings.batch)
    if batch.info is not None:
        check(spec, batch.info.input_shape, len(batch.info.classes))
    return batch


def _classes(spec: NetworkSpec) -> int:
    """Return the number of logits.

    Raises:
        ShapeError: a layer does not fit.
        ConfigError: the output is not a vector.
    """
    shape = check(spec)[-1].out_shape or ()
    if len(shape) != 1:
        raise ConfigError(
            [msg("The network “{name}” ends in shape {shape}; for a loss it must end in one vector, as a Linear layer makes.", name=spec.name, shape=shape)]
        )
    return shape[0]


def _title(spec: NetworkSpec, settings: _Settings) -> str:
    if settings.network != STACK:
        name = spec.title or spec.name
        return msg("{network} with {activation}", network=name, activation=settings.activation) if settings.activation else name
    if settings.activation == NO_ACTIVATION:
        plain, normalised = "{depth} × Linear({width})", "{depth} × (Linear({width}), BatchNorm1d)"
    else:
        plain, normalised = "{depth} × (Linear({width}), {activation})", "{depth} × (Linear({width}), BatchNorm1d, {activation})"
    return (normalised if settings.normalised else plain).format(
        depth=settings.depth, width=settings.width, activation=settings.activation or DEFAULT_ACTIVATION
    )


def _code(spec: NetworkSpec, settings: _Settings) -> str:
    """Write a script that does the same without the playground, with the same weights; its batch is random numbers."""
    size = ", ".join(map(str, (settings.batch, *spec.input_shape)))
    parts = [
        "\n".join([*imports(spec), "from torch.nn.functional import cross_entropy"]) + "\n",  # no text: code
        f"torch.manual_seed({settings.seed})\n" + sequential(spec),
        initialise_module.source(settings.initialisation),
        f"inputs = torch.randn({size})  # random numbers in place of the data\n"
        f"labels = torch.randint({_classes(spec)}, ({settings.batch},))\n",  # no text: code
        "loss = cross_entropy(network(inputs), labels)\nloss.backward()\n",
        'print(f"loss {loss.item():.4g}")\nfor name, parameter in network.named_parameters():\n'
        "    norm = parameter.grad.double().norm()  # in float32 the squares of tiny numbers are 0\n"
        '    print(f"{name:<30} {norm:.3g}")\n',  # no text: code
    ]
    return "\n".join(parts).replace("\n\ndef ", "\n\n\ndef ")


def _too_large(error: RuntimeError) -> Exception:
    """Return an error that explains what to do if memory is exhausted; any other error unchanged."""
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):  # no text: PyTorch's message
        return PlaygroundError(msg("This network needs more memory for this batch than there is."), msg("Choose a smaller batch, or a smaller network."))
    return error


def _verdict(kind: VerdictKind, text: str) -> Verdict:
    return {"kind": kind, "text": text}


def _power(value: float) -> str:
    """Format the nearest power of ten: `10⁶`."""
    return "10" + str(round(math.log10(value))).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _plain(ratio: float) -> str:
    """Format two significant digits without an exponent: `0.00031`, `4.2`, `120`."""
    digits = max(0, 1 - math.floor(math.log10(ratio)))
    return f"{ratio:.{digits}f}"
