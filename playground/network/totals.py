"""Totals of a traced network: parameters, multiply-adds, and bytes of activations and of saved weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from playground.network.trace import ShapeStep

FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Totals:
    """Sums over all layers of a network; a layer that does not fit adds nothing but itself to `layers`."""

    parameters: int
    multiply_adds: int
    """For one sample."""
    activation_bytes: int
    """Size of the outputs of all layers for one sample, in float32."""
    disk_bytes: int
    """Size of the `state_dict` (weights and buffers) in float32, without a file header."""
    layers: int


def activation_bytes(step: ShapeStep) -> int:
    """Return the size of a layer's output for one sample, in bytes of float32; 0 for a layer that does not fit."""
    return FLOAT32_BYTES * prod(step.out_shape) if step.out_shape else 0


def compute_totals(steps: Sequence[ShapeStep]) -> Totals:
    """Add up parameters, multiply-adds and bytes over all layers of a trace."""
    return Totals(
        sum(step.parameters for step in steps),
        sum(step.multiply_adds for step in steps),
        sum(activation_bytes(step) for step in steps),
        sum(step.state_bytes for step in steps),
        len(steps),
    )
