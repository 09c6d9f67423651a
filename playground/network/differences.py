"""Differences between two networks: input shape, layers, their parameters, and the number of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from playground.messages import joined, msg, nmsg
from playground.network.catalogue import layer_type
from playground.network.spec import NetworkSpec
from playground.network.trace import trace

DifferenceKind = Literal["input_shape", "added", "removed", "changed", "parameters"]


@dataclass(frozen=True)
class Difference:
    """One difference of a network from a reference network."""

    kind: DifferenceKind
    text: str
    """The difference in a sentence."""
    index: int | None = None
    """Index of the layer in the network; None where the network lacks it."""
    reference_index: int | None = None
    """Index of the layer in the reference network; None where the reference lacks it."""
    extra_parameters: int = 0
    """How many more parameters the network has than the reference, negative for fewer (`parameters` only)."""


def find_differences(spec: NetworkSpec, reference: NetworkSpec) -> list[Difference]:
    """List the differences of a network from a reference network: input shape, then layers in order, then the number of parameters."""
    differences: list[Difference] = []
    if spec.input_shape != reference.input_shape:
        text = msg("The input has shape {shape}, not {reference_shape}.", shape=spec.input_shape, reference_shape=reference.input_shape)
        differences.append(Difference("input_shape", text))
    types, reference_types = [layer.type for layer in spec.layers], [layer.type for layer in reference.layers]
    for tag, start, end, reference_start, reference_end in SequenceMatcher(None, types, reference_types, autojunk=False).get_opcodes():
        if tag == "equal":
            pairs = zip(range(start, end), range(reference_start, reference_end), strict=True)
            differences += [difference for pair in pairs if (difference := _compare_params(spec, reference, *pair))]
            continue
        differences += [
            Difference(
                "removed",
                msg("Layer {index} of “{reference}” is missing: {type}.", index=index, reference=reference.name, type=reference_types[index]),
                reference_index=index,
            )
            for index in range(reference_start, reference_end)
        ]
        differences += [Difference("added", msg("Layer {index} is new: {type}.", index=index, type=types[index]), index=index) for index in range(start, end)]
    extra = sum(step.parameters for step in trace(spec)) - sum(step.parameters for step in trace(reference))
    if extra:
        text = (
            nmsg("It has {n:,} parameter more than “{reference}”.", "It has {n:,} parameters more than “{reference}”.", extra, reference=reference.name)
            if extra > 0
            else nmsg("It has {n:,} parameter fewer than “{reference}”.", "It has {n:,} parameters fewer than “{reference}”.", -extra, reference=reference.name)
        )
        differences.append(Difference("parameters", text, extra_parameters=extra))
    return differences


def _compare_params(spec: NetworkSpec, reference: NetworkSpec, index: int, reference_index: int) -> Difference | None:
    """Return the difference between the parameters of two layers of the same type, or None where they are equal."""
    layer = spec.layers[index]
    kind = layer_type(layer.type)
    values, reference_values = kind.settings(layer.params), kind.settings(reference.layers[reference_index].params)
    changes = [
        msg("{name} is {value}, not {reference_value}", name=name, value=values[name], reference_value=reference_values[name])
        for name in values
        if values[name] != reference_values[name]
    ]
    text = msg("Layer {index} ({type}): {changes}.", index=index, type=layer.type, changes=joined(changes, ", "))
    return Difference("changed", text, index, reference_index) if changes else None
