"""The race that runs in the browser takes the steps of `torch.optim`."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest

from playground.autograd.descent import OPTIMIZERS, walk
from playground.autograd.surfaces import SURFACES
from playground.environment import ROOT

MOMENTA = (0.0, 0.9)
STEPS = 100
SCRIPT = """
import { LOSSES, descend } from "./playground/ui/components/descent_race/descent.js"
const wanted = JSON.parse(process.argv[1])
console.log(JSON.stringify(wanted.map(([surface, ...settings]) => descend(LOSSES[surface], ...settings))))
"""


@pytest.fixture(scope="module")
def raced() -> dict[tuple[str, str, float], dict[str, Any]]:
    """The paths that the browser computes, by surface, optimizer and momentum."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    keys = [(surface, optimizer, momentum) for surface in SURFACES for optimizer in OPTIMIZERS for momentum in MOMENTA]
    wanted = [[name, optimizer, SURFACES[name].start, SURFACES[name].learning_rate, momentum, STEPS] for name, optimizer, momentum in keys]
    command = ["node", "--input-type=module", "--eval", SCRIPT, json.dumps(wanted)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(zip(keys, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("momentum", MOMENTA)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("surface", SURFACES)
def test_every_step_equals_that_of_torch_optim(raced: dict[tuple[str, str, float], dict[str, Any]], surface: str, optimizer: str, momentum: float) -> None:
    path = raced[surface, optimizer, momentum]
    chosen = SURFACES[surface]
    reference = walk(chosen.expression, chosen.start, optimizer, chosen.learning_rate, momentum, STEPS)
    assert path["diverged"] == reference.diverged
    assert len(path["points"]) == len(reference.points)
    assert np.allclose(path["points"], reference.points, rtol=1e-5, atol=1e-5)


def test_a_race_that_diverges_ends_where_torch_optim_does() -> None:
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    command = ["node", "--input-type=module", "--eval", SCRIPT, json.dumps([["rosenbrock", "SGD", [-1.5, 2.5], 0.05, 0.9, STEPS]])]
    (path,) = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    reference = walk(SURFACES["rosenbrock"].expression, (-1.5, 2.5), "SGD", 0.05, 0.9, STEPS)
    assert path["diverged"] and reference.diverged
    assert len(path["points"]) == len(reference.points)
