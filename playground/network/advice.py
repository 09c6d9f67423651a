"""Hints about a network that may well fit and still is not what its maker wants; each with its reason and, where there are any, ways to change it.

A rule looks at the whole case and proposes changes. A change is offered only if it works: afterwards the layers still fit, and the rule
has less to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from math import prod
from typing import Any

from playground.data.catalogue import DatasetInfo
from playground.network.catalogue import layer_type
from playground.network.facts import arithmetic
from playground.network.fixes import NORM_OF_RANK, Fix, Place, propose_output_fixes
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import ShapeStep, select_working, trace
from playground.typography import percent

MOST_OF_A_KIND = 3
"""How often the same hint is given: a stack of two hundred linear layers needs it once."""
FEW_PARAMETERS = 10_000
"""In smaller networks it does not matter where the parameters are."""
LARGE_SHARE = 0.9
MANY_SQUASHING = 6
BYTES_A_PARAMETER = 16
"""Adam keeps for each float32 parameter its gradient and two averages: four times four bytes (https://arxiv.org/abs/1412.6980)."""
BYTES_A_VALUE = 8
"""Training keeps each value that a layer puts out, and makes a gradient of it."""

WEIGHTED = ("Linear", "Conv2d", "PatchEmbedding")
STRAIGHT = ("Flatten", "Dropout", "BatchNorm1d", "BatchNorm2d", "AvgPool2d", "AdaptiveAvgPool2d", "TokenMean")
"""Layers that are linear in their input once the network is trained, so that they keep nothing apart."""
SQUEEZE_SCORES = ("Softmax", "Sigmoid")
BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d")


@dataclass(frozen=True)
class Advice:
    """One hint."""

    kind: str
    """A name for the rule, such as `softmax-before-loss`."""
    layer: int | None
    """The layer that it is about; None for the whole network."""
    text: str
    """What was noticed."""
    reason: str
    """Why it matters, and what to do."""
    fixes: tuple[Fix, ...] = ()
    """Changes that take the hint away, best first."""


@dataclass(frozen=True)
class _Case:
    """What the rules look at."""

    spec: NetworkSpec
    steps: Sequence[ShapeStep]
    dataset: DatasetInfo | None
    batch_size: int
    memory_bytes: int | None

    @property
    def layers(self) -> tuple[LayerSpec, ...]:
        return self.spec.layers

    @property
    def parameters(self) -> int:
        return sum(step.parameters for step in self.steps)

    def place(self, index: int) -> Place:
        return Place(self.layers, index)

    def last_activations(self) -> list[int]:
        """The activations behind the last layer of another kind; Dropout and Flatten among them leave the output what it is."""
        groups = [layer_type(layer.type).group if layer.type not in ("Dropout", "Flatten") else "" for layer in self.layers]
        last = max((index for index, group in enumerate(groups) if group not in ("Activation", "")), default=-1)
        return [index for index, group in enumerate(groups) if index > last and group == "Activation"]


Rule = Callable[[_Case], Iterator[Advice]]


def advise(spec: NetworkSpec, steps: Sequence[ShapeStep], dataset: DatasetInfo | None, batch_size: int, memory_bytes: int | None) -> list[Advice]:
    """Everything worth a hint, the gravest first; at most three of a kind.

    Args:
        spec: the network, which need not fit.
        steps: its trace.
        dataset: what it shall be trained on, or None for nothing in particular.
        batch_size: samples in one step of training.
        memory_bytes: what the device has, or None where that is unknown.
    """
    case = _Case(spec, steps, dataset, batch_size, memory_bytes)
    found = [(rule, list(rule(case))) for rule in _RULES]
    return [replace(advice, fixes=_working(case, rule, len(all_of_it), advice)) for rule, all_of_it in found for advice in islice(all_of_it, MOST_OF_A_KIND)]


def _working(case: _Case, rule: Rule, times: int, advice: Advice) -> tuple[Fix, ...]:
    """The changes after which no more layers are without a shape than before, and the rule has less to say."""
    unreached = sum(step.out_shape is None for step in case.steps)
    working = []
    for fix in select_working(case.spec, advice.fixes, unreached):
        spec = case.spec.with_layers(fix.layers)
        if sum(1 for _ in rule(replace(case, spec=spec, steps=trace(spec)))) < times:
            working.append(fix)
    return tuple(working)


def _wrong_input(case: _Case) -> Iterator[Advice]:
    data = case.dataset
    if data and case.spec.input_shape != data.input_shape:
        yield Advice(
            "wrong-input",
            None,
            f"The network takes input of shape {case.spec.input_shape}, but {data.title} has images of shape {data.input_shape}.",
            "Its first layer cannot be fed with these images; change the input shape or choose other data.",
        )


def _wrong_output(case: _Case) -> Iterator[Advice]:
    out = case.steps[-1].out_shape
    if case.dataset and out is not None and out != (len(case.dataset.classes),):
        classes = len(case.dataset.classes)
        yield Advice(
            "wrong-output",
            case.steps[-1].index,
            f"The network ends in shape {out}, but {case.dataset.title} has {classes} classes.",
            "Training compares one score for each class with the right answer, so the last layer needs as many outputs as there are classes.",
            tuple(propose_output_fixes(case.layers, out, classes)),
        )


def _too_large(case: _Case) -> Iterator[Advice]:
    values = sum(prod(step.out_shape) for step in case.steps if step.out_shape)
    weights, activations = case.parameters * BYTES_A_PARAMETER, values * case.batch_size * BYTES_A_VALUE
    if case.memory_bytes is not None and weights + activations > case.memory_bytes:
        yield Advice(
            "too-large-for-device",
            None,
            f"Training this network takes about {_gigabytes(weights + activations)}, but the device has {_gigabytes(case.memory_bytes)}.",
            f"With Adam, {case.parameters:,} parameters take {BYTES_A_PARAMETER} bytes each, and the {values:,} values of each of {case.batch_size} samples "
            f"take {BYTES_A_VALUE} bytes each. Make the largest layer or the batch smaller.",
        )


def _nothing_to_learn(case: _Case) -> Iterator[Advice]:
    out = case.steps[-1].out_shape
    if out is not None and not case.parameters:
        yield Advice(
            "nothing-to-learn",
            None,
            "No layer of this network has parameters, so there is nothing that training could change.",
            "A layer with weights, such as Linear or Conv2d, is what learns.",
            tuple(propose_output_fixes(case.layers, out, len(case.dataset.classes))) if case.dataset else (),
        )


def _softmax_before_loss(case: _Case) -> Iterator[Advice]:
    last = case.last_activations()
    if last and (name := case.layers[last[-1]].type) in SQUEEZE_SCORES:
        yield Advice(
            "softmax-before-loss",
            last[-1],
            f"The network ends in {name}, but the cross-entropy loss expects scores as they are.",
            "The loss takes the softmax itself. Squeezed before that, all scores lie between 0 and 1, and gradients become so small that training crawls.",
            (_without(case, last),),
        )


def _activation_last(case: _Case) -> Iterator[Advice]:
    last = case.last_activations()
    if last and (name := case.layers[last[-1]].type) not in SQUEEZE_SCORES:
        yield Advice(
            "activation-last",
            last[-1],
            f"Behind the last layer there is an activation, {name}, which bends the scores.",
            "A score may be any number, negative ones too: the loss turns scores into probabilities by itself.",
            (_without(case, last),),
        )


def _without(case: _Case, indices: list[int]) -> Fix:
    names = " and ".join(case.layers[index].type for index in indices)
    return Fix(f"Leave out {names} at the end", tuple(layer for index, layer in enumerate(case.layers) if index not in indices))


def _dropout_on_output(case: _Case) -> Iterator[Advice]:
    last = max((step.index for step in case.steps if step.parameters), default=len(case.layers))
    for index, layer in enumerate(case.layers[last + 1 :], last + 1):
        if layer.type == "Dropout":
            yield Advice(
                "dropout-on-output",
                index,
                f"Layer {index} (Dropout) sets scores of the output to zero at random.",
                "No layer behind it can make up for the scores that are missing, so the right answer is lost by chance. Dropout belongs between layers.",
                (case.place(index).instead("Leave out this Dropout layer"),),
            )


def _no_activation(case: _Case) -> Iterator[Advice]:
    """Weighted layers with nothing between them that bends, up to the first layer that does not fit."""
    before: int | None = None
    for index, layer in enumerate(case.layers):
        if case.steps[index].out_shape is None:
            return
        if layer.type in WEIGHTED:
            if before is not None:
                yield _between(case, before, index)
            before = index
        elif layer.type not in STRAIGHT:
            before = None


def _between(case: _Case, before: int, index: int) -> Advice:
    behind = before + 1 if case.layers[before + 1].type in BATCH_NORMS else before
    return Advice(
        "no-activation",
        index,
        f"Between layer {before} ({case.layers[before].type}) and layer {index} ({case.layers[index].type}) there is no activation.",
        "Weighted sums of weighted sums are weighted sums again: together the two can do no more than one layer. An activation between them changes that.",
        (case.place(behind).after(f"Put a ReLU layer behind layer {behind} ({case.layers[behind].type})", LayerSpec("ReLU")),),
    )


def _rows_dropped(case: _Case) -> Iterator[Advice]:
    """Windows that, moved by their stride, stop before the edge of the image; padding left over does no harm."""
    for step in case.steps:
        now = case.place(step.index).settings
        if step.in_shape is None or step.out_shape is None or "kernel_size" not in now:
            continue
        sizes = step.in_shape[1:]
        left = _left_out(sizes, **now)
        if any(left):
            span, padding, stride = _span(**now), now["padding"], now["stride"]
            sums = dict.fromkeys(f"({size} + 2·{padding} − {span}) / {stride} leaves {(size + 2 * padding - span) % stride}" for size in sizes)
            yield Advice(
                "rows-dropped",
                step.index,
                f"Layer {step.index} ({step.layer.type}) never looks at the edge of its {sizes[0]}×{sizes[1]} input: "
                f"{left[0]} px at the bottom and {left[1]} px at the right.",
                f"Its window moves {stride} pixels at a time, which does not come out even: {', '.join(sums)}. More padding or a larger window takes them in.",
                tuple(_wider(case.place(step.index), sizes)),
            )


def _span(*, kernel_size: int, dilation: int = 1, **_others: object) -> int:
    return dilation * (kernel_size - 1) + 1


def _left_out(sizes: Iterable[int], *, padding: int, stride: int, **window: Any) -> list[int]:
    """Rows and columns of the image, the padding not counted, that no window reaches."""
    return [max(0, (size + 2 * padding - _span(**window)) % stride - padding) for size in sizes]


def _wider(place: Place, sizes: Iterable[int]) -> Iterator[Fix]:
    """The smallest padding, and the smallest window, that leave nothing out."""
    now = place.settings
    for name in ("padding", "kernel_size"):
        larger = ({name: now[name] + more} for more in range(1, now["stride"]))
        yield from (place.with_params(**change) for change in islice((change for change in larger if not any(_left_out(sizes, **{**now, **change}))), 1))


def _batch_of_one(case: _Case) -> Iterator[Advice]:
    if case.batch_size != 1:
        return
    for step in case.steps:
        if step.layer.type in (*BATCH_NORMS, "ResidualBlock") and step.out_shape:
            norm = LayerSpec("LayerNorm")
            yield Advice(
                "batch-norm-of-one",
                step.index,
                f"Layer {step.index} ({step.layer.type}) takes its mean and variance over the batch, but a batch is a single sample.",
                "The variance of one vector is always zero, and PyTorch refuses it; that of one image says little. Use larger batches or a layer norm.",
                (case.place(step.index).instead("Use LayerNorm here", norm),) if step.layer.type in NORM_OF_RANK.values() else (),
            )


def _one_layer_dominates(case: _Case) -> Iterator[Advice]:
    with_parameters = [step for step in case.steps if step.parameters]
    if len(with_parameters) < 2 or case.parameters <= FEW_PARAMETERS:
        return
    largest = max(with_parameters, key=lambda step: step.parameters)
    share = largest.parameters / case.parameters
    if share >= LARGE_SHARE:
        flatten = case.place(largest.index).earlier("Flatten")
        yield Advice(
            "one-layer-dominates",
            largest.index,
            f"Layer {largest.index} ({largest.layer.type}) holds {percent(share)} of all parameters: {arithmetic(largest)}.",
            "This is where the network overfits first, and most of its file size is this layer. Fewer inputs or fewer outputs make it smaller.",
            (flatten.before(f"Put a MaxPool2d layer in front of layer {flatten.index} (Flatten)", LayerSpec("MaxPool2d")),) if flatten else (),
        )


def _vanishing_gradients(case: _Case) -> Iterator[Advice]:
    squashing = [index for index, layer in enumerate(case.layers[:-1]) if layer.type in ("Sigmoid", "Tanh")]
    if len(squashing) >= MANY_SQUASHING:
        layers = tuple(LayerSpec("ReLU") if index in squashing else layer for index, layer in enumerate(case.layers))
        yield Advice(
            "vanishing-gradients",
            squashing[0],
            f"The gradient passes {len(squashing)} Sigmoid or Tanh layers on its way to the first layer.",
            "Their slope is at most 0.25 (Sigmoid) or 1 (Tanh), and far less for large values; multiplied again and again, hardly anything is left.",
            (Fix("Use ReLU in place of all of them", layers),),
        )


def _bias_before_norm(case: _Case) -> Iterator[Advice]:
    for index, (layer, following) in enumerate(pairwise(case.layers)):
        if following.type in BATCH_NORMS and case.place(index).settings.get("bias"):
            yield Advice(
                "bias-before-batch-norm",
                index,
                f"The bias of layer {index} ({layer.type}) has no effect, because a batch norm follows.",
                "Batch norm subtracts the mean, and the bias with it, and then adds a bias of its own. It does no harm; without it there are fewer parameters.",
                (case.place(index).with_params(bias=False),),
            )


def _gigabytes(amount: int) -> str:
    return f"{amount / 2**30:,.1f} GB"


_RULES: tuple[Rule, ...] = (
    _wrong_input,
    _wrong_output,
    _too_large,
    _nothing_to_learn,
    _softmax_before_loss,
    _activation_last,
    _dropout_on_output,
    _no_activation,
    _batch_of_one,
    _vanishing_gradients,
    _rows_dropped,
    _one_layer_dominates,
    _bias_before_norm,
)
