"""Commands that say what this machine has: devices, datasets."""

from __future__ import annotations

import time
from typing import Any

import click

from playground import device
from playground.cli.output import as_json, show
from playground.data.catalogue import DATASETS
from playground.data.load import download as download_dataset
from playground.data.load import is_ready
from playground.messages import t, translated


@click.command()
@as_json
def devices(as_json: bool) -> None:
    """List the devices of this machine, the best first."""
    for item in device.available():
        show(vars(item), f"{item.name:<10} {translated(item.title)}  {translated(item.details)}", as_json)


@click.command()
@click.option("--download", metavar="NAME", help=t("Download this data set first."))
@as_json
def datasets(download: str | None, as_json: bool) -> None:
    """List the data sets; optionally download one first."""
    if download:
        _download(download)
    for info in DATASETS:
        ready = is_ready(info.name)
        facts: dict[str, Any] = {"name": info.name, "title": info.title, "input_shape": info.input_shape, "classes": info.classes}
        facts |= {"train_size": info.train_size, "test_size": info.test_size, "source": info.source, "ready": ready}
        line = t(
            "{name:<14} {train:>6,} + {test:>6,} images  {state:<15} {source}",
            name=info.name,
            train=info.train_size,
            test=info.test_size,
            state=t("ready") if ready else t("not downloaded"),
            source=info.source,
        )
        show(facts, line, as_json)


def _download(name: str) -> None:
    """Download a data set; show on standard error how much has been received."""
    last_shown = 0.0

    def progress(file: str, received: int, total: int) -> None:
        nonlocal last_shown
        if time.monotonic() - last_shown > 0.2 or received == total:
            last_shown = time.monotonic()
            if total:
                line = t("{file}: {received:.1f} of {total:.1f} MB", file=file, received=received / 1e6, total=total / 1e6)
            else:
                line = t("{file}: {received:.1f} MB", file=file, received=received / 1e6)
            click.echo(f"\r{line} ", nl=received == total, err=True)

    download_dataset(name, progress)
