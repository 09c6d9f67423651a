"""`make bench`: every figure that the README quotes, measured in one go and written where it quotes them."""

from __future__ import annotations

import re
import sys
import time

import torch

from benchmarks import autograd, browser, drawing, killing, latency, network, pen, refresh, speed, tensors, throughput, tutorials
from playground import device, settings
from playground.data.load import download, load
from playground.errors import PlaygroundError
from playground.inference.models import SHIPPED, load_model

Row = tuple[str, str, str]
SLOW = "--slow"
"""With it the kills and the tutorials’ trainings are measured, too, which takes an hour."""
START, END = "<!-- benchmarks -->\n", "<!-- /benchmarks -->"


def main() -> int:
    """Measure, print, and write `benchmarks/RESULTS.md` and the README's table."""
    torch.set_num_threads(settings.training_threads())
    rows: list[Row] = []
    try:
        download("mnist", lambda _name, _there, _total: None)
        rows += _accuracy() + _throughput() + speed.rows()
        rows += tutorials.rows() if SLOW in sys.argv else []
    except PlaygroundError as error:
        print(f"Without MNIST there are no figures for accuracy and throughput. {error}", file=sys.stderr)
    rows += refresh.rows() + (killing.rows() if SLOW in sys.argv else [])
    if browser.available():
        rows += _waiting() + latency.rows() + tensors.rows() + autograd.rows() + network.rows()
    else:
        print("Without Chromium there are no figures for waiting.", file=sys.stderr)
    text = _table(rows)
    print(text)
    (settings.ROOT / "benchmarks" / "RESULTS.md").write_text(f"# Benchmarks\n\n{text}", encoding="utf-8")
    readme = settings.ROOT / "README.md"
    quoted = re.sub(f"{START}.*?{END}", lambda _: f"{START}{text}{END}", readme.read_text(encoding="utf-8"), flags=re.S)
    readme.write_text(quoted, encoding="utf-8")
    return 0


def _accuracy() -> list[Row]:
    model, images = load_model(SHIPPED), load("mnist")
    _, accuracy = model.evaluate(images)
    return [("Shipped network on MNIST’s 10,000 test images", f"{accuracy:.2%}", "≥ 99.5 %"), *drawing.rows(), *pen.rows(model)]


def _throughput() -> list[Row]:
    found = throughput.measure()
    return [
        ("Training, ours ÷ the tutorial’s DataLoader", f"{found.ours_to_tutorial:.2f} ({found.ours:,.0f} ÷ {found.tutorial:,.0f} images/s)", "≥ 2.5"),
        ("Training, ours with everything recorded ÷ a bare loop", f"{found.ours_to_bare:.2f} ({found.ours:,.0f} ÷ {found.bare:,.0f} images/s)", "≥ 0.90"),
    ]


def _waiting() -> list[Row]:
    found = browser.measure()
    return [
        ("Click on *Train* → first loss on the page", f"{found.train_to_first_loss:.2f} s", "≤ 1 s"),
        ("End of a stroke → probabilities on the page", f"{1000 * found.stroke_to_answer:.0f} ms", "≤ 150 ms"),
        ("Start of the server → first page usable", f"{found.start_to_page:.1f} s", "≤ 5 s"),
    ]


def _table(rows: list[Row]) -> str:
    cpu = device.get("cpu")
    lines = ["| What | Measured (median) | Held to |", "|---|---|---|", *(f"| {what} | {value} | {bound} |" for what, value, bound in rows)]
    lines += ["", f"{cpu.title}, {cpu.details}; torch {torch.__version__}; {time.strftime('%Y-%m-%d')}. Network N3 at batch 64. Repeat with `make bench`."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
