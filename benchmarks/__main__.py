"""`make bench`: measure every figure of `docs/benchmarks.md` and write it there.

`python -m benchmarks NAME …` measures only the named groups and renews their rows, as `python -m benchmarks refresh latency`.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable

import torch

from benchmarks import (
    autograd,
    browser,
    busy,
    drawing,
    hands,
    killing,
    latency,
    mutations,
    network,
    notebooks,
    numbers,
    pen,
    photographs,
    refresh,
    scripts,
    speed,
    teaching,
    tensors,
    throughput,
    tutorials,
    watchers,
)
from playground import device, environment
from playground.data.load import download, load
from playground.errors import PlaygroundError
from playground.inference.models import DEFAULT_MODEL, load_model

Row = tuple[str, str, str]
START, END = "<!-- benchmarks -->\n", "<!-- /benchmarks -->"
RESULTS = environment.ROOT / "docs" / "benchmarks.md"


def _accuracy() -> list[Row]:
    model, images = load_model(DEFAULT_MODEL), load("mnist")
    _, accuracy = model.evaluate(images)
    return [("Included network: accuracy on the 10,000 test images of MNIST", f"{accuracy:.2%}", "≥ 99.5 %"), *drawing.rows(), *pen.rows()]


def _throughput() -> list[Row]:
    result = throughput.measure()
    return [
        (
            "Training speed: the playground ÷ the same network with the tutorial’s DataLoader",
            f"{result.ours_to_tutorial:.2f} ({result.ours:,.0f} ÷ {result.tutorial:,.0f} images/s)",
            "≥ 2.5",
        ),
        (
            "Training speed: the playground with everything recorded ÷ a loop that records nothing",
            f"{result.ours_to_bare:.2f} ({result.ours:,.0f} ÷ {result.bare:,.0f} images/s)",
            "≥ 0.90",
        ),
    ]


def _waiting() -> list[Row]:
    result = browser.measure()
    return [
        ("Train: time from the click on *Train* to the first loss on the page", f"{result.train_to_first_loss:.2f} s", "≤ 1 s"),
        ("Canvas: time from the end of a stroke to the probabilities on the page", f"{1000 * result.stroke_to_answer:.0f} ms", "≤ 150 ms"),
        (
            "Canvas: time from a movement of the pen until probabilities and all columns of the picture have followed",
            f"{1000 * result.point_to_picture:.0f} ms, 95th percentile {1000 * result.slow_point_to_picture:.0f} ms",
            "≤ 100 ms, 200 ms",
        ),
        (
            "Canvas: time from a movement of the pen until probabilities and picture have followed, while *Evidence* computes attributions",
            f"{1000 * result.explained_point_to_picture:.0f} ms",
            "≤ 100 ms",
        ),
        ("Home: time from the navigation until the network learns", f"{result.home_to_picture:.2f} s", "≤ 1 s"),
        ("Picture of a network of 60 layers: longest frame while a pulse runs", f"{1000 * result.longest_frame:.0f} ms", "≤ 50 ms"),
        ("Start: time from the command until the network on Home learns", f"{result.start_to_page:.1f} s", "≤ 3 s"),
    ]


GROUPS: dict[str, Callable[[], list[Row]]] = {
    "accuracy": _accuracy,
    "hands": hands.rows,
    "numbers": numbers.rows,
    "photographs": photographs.rows,
    "throughput": _throughput,
    "mnist": speed.mnist,
    "cifar10": speed.cifar10,
    "tutorials": tutorials.rows,
    "refresh": refresh.rows,
    "watchers": watchers.rows,
    "killing": killing.rows,
    "waiting": _waiting,
    "latency": latency.rows,
    "busy": busy.rows,
    "teaching": teaching.rows,
    "tensors": tensors.rows,
    "scripts": scripts.rows,
    "notebooks": notebooks.rows,
    "autograd": autograd.rows,
    "network": network.rows,
    "mutations": mutations.rows,
}
"""In the order of the table."""
SLOW = ("tutorials", "killing", "mutations")
"""Take an hour or more, so that they are measured only by name."""
NEED_MNIST = ("accuracy", "hands", "photographs", "teaching", "throughput", "mnist", "tutorials")
NEED_CHROMIUM = ("accuracy", "waiting", "latency", "tensors", "autograd", "network")


def main(names: list[str]) -> int:
    """Measure, print, and renew the table: after every group, so that an error costs only the rows of its own group."""
    if unknown := set(names) - set(GROUPS):
        print(f"There is no group called {', '.join(sorted(unknown))}. There are: {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    torch.set_num_threads(environment.training_threads())
    lacking = _lacking()
    for name in names or [name for name in GROUPS if name not in SLOW]:
        if name in lacking:
            print(f"{name} is left out: {lacking[name]}", file=sys.stderr)
            continue
        rows = GROUPS[name]()
        print(*(f"{what}: {value}, held to {bound}" for what, value, bound in rows), sep="\n", flush=True)
        _write(rows)
    return 0


def _lacking() -> dict[str, str]:
    """Why groups cannot be measured here."""
    lacking: dict[str, str] = {}
    try:
        download("mnist", lambda _name, _there, _total: None)
    except PlaygroundError as error:
        lacking |= dict.fromkeys(NEED_MNIST, str(error))
    if not browser.available():
        lacking |= dict.fromkeys(NEED_CHROMIUM, "Chromium is not installed.")
    if not hands.has_strokes():
        lacking["hands"] = "The strokes of other hands are not in the folder “pen” of the data folder."
    if not speed.has_cifar10():
        lacking["cifar10"] = "CIFAR-10 has not been downloaded."
    return lacking


def _write(rows: list[Row]) -> None:
    """Renew these rows of the table, and put new ones behind the others."""
    text = RESULTS.read_text(encoding="utf-8")
    start, end = text.index(START) + len(START), text.index(END)
    earlier = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", text[start:end], re.MULTILINE)[1:]
    table = {what: (what, value, bound) for what, value, bound in [*earlier, *rows]}
    RESULTS.write_text(text[:start] + _table(list(table.values())) + text[end:], encoding="utf-8")


def _table(rows: list[Row]) -> str:
    cpu = device.get("cpu")
    lines = ["| What | Measured (median) | Held to |", "|---|---|---|", *(f"| {what} | {value} | {bound} |" for what, value, bound in rows)]
    today = time.strftime("%Y-%m-%d")
    lines += [
        "",
        f"{cpu.title}, {cpu.details}; torch {torch.__version__}; the rows measured last on {today}. Network N3 at batch 64. Repeat with `make bench`.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
