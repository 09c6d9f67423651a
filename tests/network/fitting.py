"""Stacks that fit, collected once for tests that need them all together, such as those that start one process for all."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from playground.network.catalogue import LAYERS
from playground.network.spec import NetworkSpec

from .stacks import Layer, layer_of, network, stacks, without_misfits

EXAMPLES = 300
share_fitting_stacks = pytest.mark.xdist_group("fitting stacks")
"""Marks a module that needs them: one worker runs all of these, since to collect the stacks takes seconds."""


@st.composite
def classifiers(draw: st.DrawFn) -> NetworkSpec:
    """Layers for images, then layers for vectors, on images so large that several windows fit one after another."""
    shape = (draw(st.integers(1, 3)), *[draw(st.integers(20, 32))] * 2)
    inside, behind = ([kind.name for kind in LAYERS if rank in kind.ranks and kind.name != "PatchEmbedding"] for rank in (3, 1))
    first = draw(st.lists(st.sampled_from(inside).flatmap(layer_of), min_size=2, max_size=5))
    return network(shape, *first, Layer("Flatten"), *draw(st.lists(st.sampled_from(behind).flatmap(layer_of), min_size=1, max_size=4)))


@cache
def fitting_stacks() -> list[NetworkSpec]:
    """Several hundred different ones, always the same."""
    specs: dict[NetworkSpec, None] = {}

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(stacks, classifiers())
    def collect(some: NetworkSpec, other: NetworkSpec) -> None:
        specs.update(dict.fromkeys(fitting for spec in (some, other) if (fitting := without_misfits(spec))))

    collect()
    return list(specs)
