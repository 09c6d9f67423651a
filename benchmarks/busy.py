"""Whether every built-in demonstration still answers while two trainings use all of two cores.

`python -m benchmarks.busy` measures this alone. Everything that a learner can open without writing anything is asked for once: the examples of Tensors and
Autograd, the solutions of the exercises, each pitfall, the gradients and feature maps of every network, the answers to a drawing, and an evaluation.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np

from benchmarks.strokes import DIGITS, render
from playground.autograd import examples as gradient_examples
from playground.autograd.pitfalls.catalogue import PITFALLS
from playground.autograd.surfaces import OPTIMIZER_NAMES, OWN_SURFACE
from playground.autograd.task_names import GRADIENT_FLOW, PITFALL
from playground.environment import ROOT
from playground.inference.attribution import METHODS
from playground.inference.models import DEFAULT_MODEL
from playground.network.presets import load_presets
from playground.server.services import services
from playground.tensors import examples as tensor_examples
from playground.tensors.exercises import EXERCISES
from playground.tensors.sandbox import processor_seconds
from tests.support.serving import server

TRAININGS = 2
STARTING = "Loading PyTorch"
PITFALL_EXAMPLE = "paths"
"""The example in which every mistake can be made."""


@dataclass(frozen=True)
class Answer:
    """One demonstration that was asked for."""

    name: str
    seconds: float
    fault: str
    """What came instead of an answer; empty if one came."""


def measure() -> list[Answer]:
    """Ask for every demonstration at a server of its own, one after the other, while networks train."""
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as address, _trainings(Path(name)):
        return [_timed(*demonstration) for demonstration in _demonstrations(address)]


@contextmanager
def _trainings(folder: Path) -> Iterator[None]:
    """Networks that train as long as this lasts, each on one core."""
    variables = {**os.environ, "PLAYGROUND_DATA": str(folder / "data"), "PLAYGROUND_RUNS": str(folder / "others"), "PLAYGROUND_THREADS": "1"}
    command = [sys.executable, "-m", "playground", "train", "--epochs", "1000"]
    with ExitStack() as stack:
        for _ in range(TRAININGS):
            process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            stack.callback(process.terminate)
        while len(list((folder / "others").glob("*/*"))) < TRAININGS:
            time.sleep(0.1)
        yield


def _demonstrations(address: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    ask = partial(_ask, urlsplit(address).netloc)
    yield STARTING, lambda: (ask("/api/network/catalogue"), services().sandbox.run(GRADIENT_FLOW, {"network": "mnist-mlp", "device": "cpu"}))
    for example in tensor_examples.EXAMPLES:
        yield f"Tensors: {example.name}", partial(ask, "/api/tensors/run", {"source": example.source})
    for exercise in EXERCISES:
        yield f"Exercise: {exercise.name}", partial(ask, "/api/tensors/run", {"source": exercise.solution, "exercise": exercise.name})
    for example in gradient_examples.EXAMPLES.values():
        yield f"Autograd: {example.name}", partial(ask, "/api/autograd/run", {"source": example.source, "seed": 0})
    surface = {"expression": OWN_SURFACE.expression, "start": OWN_SURFACE.start, "learning_rate": OWN_SURFACE.learning_rate, "momentum": 0.9, "steps": 50}
    yield "Race downhill: own expression", partial(ask, "/api/autograd/descend", {**surface, "optimizers": list(OPTIMIZER_NAMES)})
    source = gradient_examples.EXAMPLES[PITFALL_EXAMPLE].source
    for name in PITFALLS:
        yield f"Pitfall: {name}", partial(services().sandbox.run, PITFALL, {"source": source, "pitfall": name, "device": "cpu"}, processor_seconds(3))
    for name, spec in load_presets().networks.items():
        yield f"Gradient flow: {name}", partial(services().sandbox.run, GRADIENT_FLOW, {"network": name, "device": "cpu", "batch": 32, "seed": 0})
        yield f"Network: {name}", partial(ask, "/api/network/analyse", {"network": spec.to_dict()})
        yield f"One batch: {name}", partial(ask, "/api/network/activations", {"network": spec.to_dict(), "device": "cpu"})
    yield from _of_the_shipped_network(ask)


def _of_the_shipped_network(ask: Callable[..., Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    model = urlencode({"model": DEFAULT_MODEL})
    evaluated = urlencode({"model": DEFAULT_MODEL, "dataset": "mnist-5k"})
    ink = render(next(iter(DIGITS.values()))[0].strokes).round().astype(np.uint8).tobytes()
    for what in ("answer", "layers", "picture"):
        yield f"Draw: {what}", partial(ask, f"/api/draw/{what}?{model}", ink)
    for method in METHODS:
        yield f"Draw: {method}", partial(ask, f"/api/draw/attribution?{model}&method={method}&target=0", ink)
    for what in ("", "/pictures", "/evidence", "/points?method=pca", "/points?method=tsne"):
        yield f"Evaluate: {what or 'summary'}", partial(ask, f"/api/evaluation{what}{'&' if '?' in what else '?'}{evaluated}")


def _ask(host: str, path: str, body: dict[str, Any] | bytes | None = None) -> None:
    connection = http.client.HTTPConnection(host, timeout=600)
    connection.request("GET" if body is None else "POST", path, json.dumps(body) if isinstance(body, dict) else body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(content.decode())


def _timed(name: str, demonstration: Callable[[], Any]) -> Answer:
    start = time.perf_counter()
    try:
        demonstration()
        fault = ""
    except Exception as error:  # whatever it is belongs into the table
        fault = str(error)
    return Answer(name, time.perf_counter() - start, fault)


def rows() -> list[tuple[str, str, str]]:
    """The row of the table; what failed is printed."""
    answers = measure()
    for answer in answers:
        if answer.fault:
            print(f"{answer.name}: {answer.fault}")
    seconds = sorted((answer.seconds, answer.name) for answer in answers if answer.name != STARTING)
    answered = sum(not answer.fault for answer in answers)
    median, (slowest, name) = statistics.median(second for second, _ in seconds), seconds[-1]
    figures = f"{answered} of {len(answers)}; median {median:.2f} s, slowest {slowest:.1f} s ({name})"
    return [(f"Demonstrations that answer while {TRAININGS} trainings use both cores", figures, "all")]


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=": ")
