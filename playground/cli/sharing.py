"""Commands that export and import runs and their weights: weights, pack, unpack."""

from __future__ import annotations

import io
from pathlib import Path

import click

from playground.cli.files import write
from playground.cli.output import as_json, show
from playground.errors import PlaygroundError
from playground.messages import msg, t
from playground.runs.run import find
from playground.runs.sharing.archive import as_zip, from_zip
from playground.runs.sharing.weights import as_safetensors, as_state_dict


@click.command()
@click.argument("run")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help=t("Path of the new file; .pt or .safetensors selects the format."))
@click.option("--step", type=int, help=t("Step of the checkpoint; by default the last one."))
@as_json
def weights(run: str, target: Path, step: int | None, as_json: bool) -> None:
    """Export RUN's weights for network.load_state_dict (.pt), or as safetensors."""
    kinds = {".pt": as_state_dict, ".safetensors": as_safetensors}
    if target.suffix not in kinds:
        raise PlaygroundError(msg("The file extension of {file} is not one of a weights file.", file=str(target)), msg("Use .pt or .safetensors."))
    write(target, io.BytesIO(kinds[target.suffix](find(run), step)))
    show({"run": run, "file": str(target)}, t("Wrote {file}", file=target), as_json)


@click.command()
@click.argument("run")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help=t("Path of the new file, such as run.zip."))
@as_json
def pack(run: str, target: Path, as_json: bool) -> None:
    """Export RUN, with its record and checkpoints, as one zip file."""
    with as_zip(find(run)) as packed:
        write(target, packed)
    show({"run": run, "file": str(target)}, t("Wrote {file}", file=target), as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def unpack(file: Path, as_json: bool) -> None:
    """Import the run in FILE, which pack wrote here or on another computer."""
    run = from_zip(file, name=str(file))
    show({"run": run.id}, t("Imported {run}", run=run.id), as_json)
