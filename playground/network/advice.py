"""Hints about mistakes in a network that PyTorch does not report, each with its reason and, where there are any, fixes.

Each rule examines the whole network and proposes fixes. A fix is shown only if it works: after it, the layers that fitted still fit, and the
rule yields fewer hints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from math import prod

from playground.data.catalogue import DatasetInfo
from playground.messages import joined, listed, msg
from playground.network.catalogue import DROPOUTS, Settings, layer_type
from playground.network.fixes import NORM_OF_RANK, Fix, Position, propose_input_fixes, propose_output_fixes
from playground.network.formulas import write_parameter_formula
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import ShapeStep, select_working, trace
from playground.typography import percent

MAX_PER_KIND = 3
"""Most hints of one kind: a stack of 200 linear layers would have 199."""
FEW_PARAMETERS = 10_000
"""In networks up to this size the distribution of parameters does not matter."""
LARGE_SHARE = 0.9
"""Share of all parameters from which one layer dominates."""
MANY_SQUASHING_LAYERS = 6
"""Number of Sigmoid and Tanh layers from which gradients vanish."""
BYTES_PER_PARAMETER = 16
"""Training with Adam stores each float32 parameter, its gradient and two running averages, 4 bytes each (https://arxiv.org/abs/1412.6980)."""
BYTES_PER_ACTIVATION = 8
"""Training stores each float32 activation and its gradient, 4 bytes each."""
GIGABYTE = 2**30

WEIGHT_LAYERS = ("Linear", "Conv2d", "PatchEmbedding")
AFFINE_LAYERS = ("Flatten", *DROPOUTS, "BatchNorm1d", "BatchNorm2d", "AvgPool2d", "AdaptiveAvgPool2d", "TokenMean")
"""Layers that are affine in evaluation mode: with only these between them, two weight layers compute what one could."""
SQUASHING_OUTPUTS = ("Softmax", "Sigmoid")
BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d")


@dataclass(frozen=True)
class Advice:
    """One hint about a network."""

    kind: str
    """Identifier of the rule, such as `softmax-before-loss`."""
    layer: int | None
    """Index of the layer concerned; None for the whole network."""
    text: str
    """The mistake, with its values, in a sentence."""
    reason: str
    """Why it is a mistake and what to do, with terms of the glossary in double brackets."""
    fixes: tuple[Fix, ...] = ()
    """Fixes after which the rule yields fewer hints, best first."""


@dataclass(frozen=True)
class _Case:
    """A network, its trace, and how it is to be trained: the input of every rule."""

    spec: NetworkSpec
    steps: Sequence[ShapeStep]
    dataset: DatasetInfo | None
    batch_size: int
    memory_bytes: int | None
    """Memory of the device; None where it is unknown."""

    @property
    def layers(self) -> tuple[LayerSpec, ...]:
        return self.spec.layers

    @property
    def parameters(self) -> int:
        return sum(step.parameters for step in self.steps)

    def position(self, index: int) -> Position:
        return Position(self.layers, index)

    def output_activations(self) -> list[int]:
        """Return the indices of the activations after the last layer of another group; Dropout and Flatten are ignored."""
        groups = [layer_type(layer.type).group if layer.type not in (*DROPOUTS, "Flatten") else "" for layer in self.layers]
        last = max((index for index, group in enumerate(groups) if group not in ("Activation", "")), default=-1)
        return [index for index, group in enumerate(groups) if index > last and group == "Activation"]


Rule = Callable[[_Case], Iterator[Advice]]


def advise(spec: NetworkSpec, steps: Sequence[ShapeStep], dataset: DatasetInfo | None, batch_size: int, memory_bytes: int | None) -> list[Advice]:
    """List the hints on a network, most serious first, at most `MAX_PER_KIND` of one kind.

    Args:
        spec: the network, which need not fit.
        steps: its trace.
        dataset: the data set to train on, or None.
        batch_size: number of samples in one training step.
        memory_bytes: memory of the device, or None where it is unknown.
    """
    case = _Case(spec, steps, dataset, batch_size, memory_bytes)
    hints = []
    for rule in _RULES:
        rule_hints = list(rule(case))
        hints += [replace(hint, fixes=_select_effective(case, rule, len(rule_hints), hint.fixes)) for hint in rule_hints[:MAX_PER_KIND]]
    return hints


def _select_effective(case: _Case, rule: Rule, hint_count: int, fixes: tuple[Fix, ...]) -> tuple[Fix, ...]:
    """Select the fixes after which no more layers are without a shape than before, and the rule yields fewer than `hint_count` hints."""
    effective = []
    for fix in select_working(case.spec, fixes, sum(step.out_shape is None for step in case.steps)):
        spec = fix.apply(case.spec)
        if sum(1 for _ in rule(replace(case, spec=spec, steps=trace(spec)))) < hint_count:
            effective.append(fix)
    return tuple(effective)


def _wrong_input(case: _Case) -> Iterator[Advice]:
    dataset = case.dataset
    if dataset and case.spec.input_shape != dataset.input_shape:
        yield Advice(
            "wrong-input",
            None,
            msg(
                "The network takes input of shape {shape}, but {dataset} has images of shape {image_shape}.",
                shape=case.spec.input_shape,
                dataset=dataset.title,
                image_shape=dataset.input_shape,
            ),
            msg("The first layer cannot process these images. Change the input shape or choose another data set."),
            tuple(propose_input_fixes(case.layers, case.spec.input_shape, dataset.input_shape)),
        )


def _wrong_output(case: _Case) -> Iterator[Advice]:
    out = case.steps[-1].out_shape
    if case.dataset and out is not None and out != (len(case.dataset.classes),):
        classes = len(case.dataset.classes)
        yield Advice(
            "wrong-output",
            case.steps[-1].index,
            msg("The network ends in shape {shape}, but {dataset} has {classes} classes.", shape=out, dataset=case.dataset.title, classes=classes),
            msg("The [[cross-entropy]] loss needs one score for each class. Let the last layer have {classes} outputs.", classes=classes),
            tuple(propose_output_fixes(case.layers, out, classes)),
        )


def _too_large(case: _Case) -> Iterator[Advice]:
    values = sum(prod(step.out_shape) for step in case.steps if step.out_shape)
    weights, activations = case.parameters * BYTES_PER_PARAMETER, values * case.batch_size * BYTES_PER_ACTIVATION
    if case.memory_bytes is not None and weights + activations > case.memory_bytes:
        yield Advice(
            "too-large-for-device",
            None,
            msg(
                "Training this network takes about {needed:,.1f} GB, but the device has {memory:,.1f} GB.",
                needed=(weights + activations) / GIGABYTE,
                memory=case.memory_bytes / GIGABYTE,
            ),
            msg(
                "With Adam, {parameters:,} parameters take {parameter_bytes} bytes each, and {activations:,} [[activations|activation]] of each of "
                "{samples} samples take {activation_bytes} bytes each. Make the largest layer or the batch smaller.",
                parameters=case.parameters,
                parameter_bytes=BYTES_PER_PARAMETER,
                activations=values,
                samples=case.batch_size,
                activation_bytes=BYTES_PER_ACTIVATION,
            ),
        )


def _nothing_to_learn(case: _Case) -> Iterator[Advice]:
    out = case.steps[-1].out_shape
    if out is not None and not case.parameters:
        yield Advice(
            "nothing-to-learn",
            None,
            msg("No layer of this network has parameters, so training cannot change anything."),
            msg("Only layers with weights, such as Linear or Conv2d, learn. Add one of them."),
            tuple(propose_output_fixes(case.layers, out, len(case.dataset.classes))) if case.dataset else (),
        )


def _softmax_before_loss(case: _Case) -> Iterator[Advice]:
    last = case.output_activations()
    if last and (name := case.layers[last[-1]].type) in SQUASHING_OUTPUTS:
        yield Advice(
            "softmax-before-loss",
            last[-1],
            msg("The network ends in {layer}, but the cross-entropy loss expects logits.", layer=name),
            msg(
                "The loss applies [[softmax]] to the [[logits]] itself. After {layer}, all scores lie between 0 and 1, so gradients are small and "
                "training is slow. Remove the layer.",
                layer=name,
            ),
            (_remove_layers(case, last),),
        )


def _activation_last(case: _Case) -> Iterator[Advice]:
    last = case.output_activations()
    if last and (name := case.layers[last[-1]].type) not in SQUASHING_OUTPUTS:
        yield Advice(
            "activation-last",
            last[-1],
            msg("The network ends in an activation, {layer}, which changes the logits.", layer=name),
            msg("A [[logit|logits]] can be any number, positive or negative: the loss turns logits into probabilities itself. Remove the activation."),
            (_remove_layers(case, last),),
        )


def _remove_layers(case: _Case, indices: list[int]) -> Fix:
    title = msg("Leave out {layers} at the end", layers=listed(case.layers[index].type for index in indices))
    return Fix(title, tuple(layer for index, layer in enumerate(case.layers) if index not in indices))


def _dropout_on_output(case: _Case) -> Iterator[Advice]:
    last = max((step.index for step in case.steps if step.parameters), default=len(case.layers))
    for index, layer in enumerate(case.layers[last + 1 :], last + 1):
        if layer.type in DROPOUTS:
            yield Advice(
                "dropout-on-output",
                index,
                msg("Layer {index} (Dropout) sets random logits of the output to zero.", index=index),
                msg("No later layer makes up for a missing [[logit|logits]], so the true class may lose its score by chance. Use Dropout between layers."),
                (case.position(index).replace_with(msg("Leave out this Dropout layer")),),
            )


def _no_activation(case: _Case) -> Iterator[Advice]:
    """Find weight layers without a nonlinear layer between them, up to the first layer that does not fit."""
    previous: int | None = None
    for index, layer in enumerate(case.layers):
        if case.steps[index].out_shape is None:
            return
        if layer.type in WEIGHT_LAYERS:
            if previous is not None:
                yield _missing_activation(case, previous, index)
            previous = index
        elif layer.type not in AFFINE_LAYERS:
            previous = None


def _missing_activation(case: _Case, previous: int, index: int) -> Advice:
    insertion = previous + 1 if case.layers[previous + 1].type in BATCH_NORMS else previous
    title = msg("Put a ReLU layer after layer {index} ({type})", index=insertion, type=case.layers[insertion].type)
    return Advice(
        "no-activation",
        index,
        msg(
            "There is no activation between layer {first} ({first_type}) and layer {second} ({second_type}).",
            first=previous,
            first_type=case.layers[previous].type,
            second=index,
            second_type=case.layers[index].type,
        ),
        msg(
            "An [[affine transformation]] of an affine transformation is again affine, so the two layers can compute no more than one. "
            "Insert an [[activation]] between them."
        ),
        (case.position(insertion).insert_after(title, LayerSpec("ReLU")),),
    )


def _rows_dropped(case: _Case) -> Iterator[Advice]:
    """Find windows that end before the edge of the image because of their stride; leaving out padding does no harm."""
    for step in case.steps:
        params = case.position(step.index).settings
        if step.in_shape is None or step.out_shape is None or "kernel_size" not in params:
            continue
        sizes = step.in_shape[1:]
        omitted = _omitted_pixels(sizes, params)
        if any(omitted):
            span, padding, stride = _window_span(params), params["padding"], params["stride"]
            remainders = dict.fromkeys(
                msg(
                    "({size} + 2·{padding} − {span}) / {stride} leaves {remainder}",
                    size=size,
                    padding=padding,
                    span=span,
                    stride=stride,
                    remainder=(size + 2 * padding - span) % stride,
                )
                for size in sizes
            )
            yield Advice(
                "rows-dropped",
                step.index,
                msg(
                    "Layer {index} ({type}) ignores the edge of its {height}×{width} input: {rows} px at the bottom and {columns} px at the right.",
                    index=step.index,
                    type=step.layer.type,
                    height=sizes[0],
                    width=sizes[1],
                    rows=omitted[0],
                    columns=omitted[1],
                ),
                msg(
                    "The window moves {stride} pixels at a time and cannot reach them: {remainders}. Use more [[padding]] or a larger window.",
                    stride=stride,
                    remainders=joined(remainders, ", "),
                ),
                tuple(_propose_larger_windows(case.position(step.index), sizes)),
            )


def _window_span(params: Settings) -> int:
    return params.get("dilation", 1) * (params["kernel_size"] - 1) + 1


def _omitted_pixels(sizes: Sequence[int], params: Settings) -> list[int]:
    """Return how many rows and columns of the image, padding not counted, no window covers."""
    span, padding, stride = _window_span(params), params["padding"], params["stride"]
    return [max(0, (size + 2 * padding - span) % stride - padding) for size in sizes]


def _propose_larger_windows(position: Position, sizes: Sequence[int]) -> Iterator[Fix]:
    """Yield the smallest padding and the smallest kernel with which the windows cover the whole image."""
    params = position.settings
    steps = range(1, params["stride"])
    larger_paddings = [Settings(padding=params["padding"] + step) for step in steps]
    larger_kernels = [Settings(kernel_size=params["kernel_size"] + step) for step in steps]
    for changes in (larger_paddings, larger_kernels):
        covering = (change for change in changes if not any(_omitted_pixels(sizes, {**params, **change})))
        for change in islice(covering, 1):
            yield position.with_params(**change)


def _batch_of_one(case: _Case) -> Iterator[Advice]:
    if case.batch_size != 1:
        return
    for step in case.steps:
        if step.layer.type in (*BATCH_NORMS, "ResidualBlock") and step.out_shape:
            norm = LayerSpec("LayerNorm")
            yield Advice(
                "batch-norm-of-one",
                step.index,
                msg("Layer {index} ({type}) computes mean and variance over the batch, but the batch size is 1.", index=step.index, type=step.layer.type),
                msg(
                    "The variance of a single vector is 0, for which PyTorch raises an error; one image gives a poor estimate. Use larger batches or LayerNorm."
                ),
                (case.position(step.index).replace_with(msg("Use {layer} here", layer=norm.type), norm),) if step.layer.type in NORM_OF_RANK.values() else (),
            )


def _one_layer_dominates(case: _Case) -> Iterator[Advice]:
    with_parameters = [step for step in case.steps if step.parameters]
    if len(with_parameters) < 2 or case.parameters <= FEW_PARAMETERS:
        return
    largest = max(with_parameters, key=lambda step: step.parameters)
    share = largest.parameters / case.parameters
    if share >= LARGE_SHARE:
        flatten = case.position(largest.index).find_earlier("Flatten")
        yield Advice(
            "one-layer-dominates",
            largest.index,
            msg(
                "Layer {index} ({type}) holds {share} of all parameters: {formula}.",
                index=largest.index,
                type=largest.layer.type,
                share=percent(share),
                formula=write_parameter_formula(largest),
            ),
            msg("The network [[overfits|overfitting]] most easily in this layer, which also makes up most of the file size. Reduce its inputs or outputs."),
            (flatten.insert_before(msg("Put a MaxPool2d layer before layer {index} (Flatten)", index=flatten.index), LayerSpec("MaxPool2d")),)
            if flatten
            else (),
        )


def _vanishing_gradients(case: _Case) -> Iterator[Advice]:
    squashing = [index for index, layer in enumerate(case.layers[:-1]) if layer.type in ("Sigmoid", "Tanh")]
    if len(squashing) >= MANY_SQUASHING_LAYERS:
        layers = tuple(LayerSpec("ReLU") if index in squashing else layer for index, layer in enumerate(case.layers))
        yield Advice(
            "vanishing-gradients",
            squashing[0],
            msg("The gradient passes {count} Sigmoid or Tanh layers on its way to the first layer.", count=len(squashing)),
            msg(
                "Their slope is at most 0.25 (Sigmoid) or 1 (Tanh), and far smaller for large values. "
                "The gradient is multiplied by each of them, so it [[vanishes|vanishing gradient]]. Use ReLU."
            ),
            (Fix(msg("Use ReLU in place of all of them"), layers),),
        )


def _bias_before_norm(case: _Case) -> Iterator[Advice]:
    for index, (layer, following) in enumerate(pairwise(case.layers)):
        if following.type in BATCH_NORMS and case.position(index).settings.get("bias"):
            yield Advice(
                "bias-before-batch-norm",
                index,
                msg("The bias of layer {index} ({type}) has no effect, because a batch norm follows.", index=index, type=layer.type),
                msg(
                    "[[Batch norm|batch normalisation]] subtracts the mean, which includes the [[bias]], and then adds its own. "
                    "Without the first bias the network has fewer parameters."
                ),
                (case.position(index).with_params(bias=False),),
            )


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
