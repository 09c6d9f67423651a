"""Commands that train: train, resume."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from playground import device
from playground.cli.output import as_json, show
from playground.data.catalogue import dataset_info
from playground.errors import RunError
from playground.messages import msg, t, translated
from playground.network import spec as networks
from playground.network.presets import preset
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.runs.history import History
from playground.runs.run import Run, create, find
from playground.runs.sharing.weights import create_from_weights, match_weights, read_weights
from playground.training.config import SETTINGS, TrainConfig
from playground.training.events import Evaluated, Finished, Started, Step


def setting_options(command: Any) -> Any:
    """Give a command an option for every setting but data set and network."""
    types: dict[str, dict[str, Any]] = {
        "number": {"type": float}, "whole": {"type": int}, "pair": {"type": float, "nargs": 2}, "switch": {"is_flag": True}, "choice": {}, "name": {},
    }  # fmt: skip
    for setting in reversed([each for each in SETTINGS if each.name not in ("dataset", "network")]):
        help = t("{help} One of {choices}.", help=setting.help, choices=", ".join(setting.choices)) if setting.choices else translated(setting.help)
        command = click.option(setting.option, default=None, help=help, **types[setting.kind])(command)
    return command


@click.command()
@click.option("--dataset", default="mnist-5k", show_default=True, help=t("Name of the data set."))
@click.option("--network", default="mnist-cnn", show_default=True, help=t("Name of a network, or path of its JSON file."))
@setting_options
@click.option("--from", "start", type=click.Path(path_type=Path), metavar="WEIGHTS", help=t("Start from the weights in this file (.pt or .safetensors)."))
@as_json
def train(as_json: bool, dataset: str, network: str, start: Path | None, **options: Any) -> None:
    """Train a network and store it as a run."""
    spec = networks.load(Path(network)) if network.endswith(".json") else preset(network)
    config = TrainConfig.from_options({"dataset": dataset, "network": spec.name, **options})
    device.get(config.device)  # raises if this machine does not have it
    info = dataset_info(dataset)
    check(spec, info.input_shape, len(info.classes))
    from playground.data.load import load  # imports torch: the help of `train`, and an invalid setting, do not wait for it

    load(dataset)
    _execute(_started_from(start, config, spec) if start else create(config, spec), as_json)


@click.command()
@click.option("--dataset", default="mnist-5k", show_default=True, help=t("Name of the data set."))
@click.option("--network", default="tiny-cnn", show_default=True, help=t("Name of a network for grey images."))
@setting_options
@click.option("--snapshots", "count", type=click.IntRange(2, 200), default=32, show_default=True, help=t("How many steps are kept."))
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help=t("Path of the new file."))
def record(dataset: str, network: str, count: int, target: Path, **options: Any) -> None:
    """Train a small network, and keep its weights at some steps for the browser."""
    from playground.inference import recording  # imports torch, as `load` above

    config = TrainConfig.from_options({"dataset": dataset, "network": network, **options})
    command = shlex.join(["python", "-m", "playground", "record", *config.arguments(), "--snapshots", str(count)])
    made = recording.record(preset(network), config, count, command)
    recording.save(made, target)
    click.echo(t("Wrote {file}: {n} snapshots, test accuracy {accuracy:.1%}.", file=target, n=count, accuracy=made["snapshots"][-1]["accuracy"]))


@click.command()
@click.argument("run")
@as_json
def resume(run: str, as_json: bool) -> None:
    """Resume an interrupted, stopped or failed RUN from its last checkpoint."""
    stored = find(run)
    if History(stored).follow().state == "finished":
        raise RunError(msg("The run “{run}” is finished, so it cannot be resumed.", run=run), msg("Fork it to train it further."))
    _execute(stored, as_json)


def _started_from(path: Path, config: TrainConfig, spec: NetworkSpec) -> Run:
    """Create a run that starts from the weights in a file; print what was changed to make them fit."""
    weights, notes = match_weights(read_weights(path, str(path)), spec)
    for note in notes:
        click.echo(translated(note), err=True)
    return create_from_weights(config, spec, weights)


def _execute(run: Run, as_json: bool) -> None:
    """Train a run in this process; show a progress bar, or print a line of JSON for each evaluation."""
    from playground.runs.execution.worker import execute  # imports torch, as `load` above

    with click.progressbar(length=1, label=run.id, file=sys.stderr, hidden=as_json or not sys.stderr.isatty(), show_eta=True) as bar:
        for event in execute(run):
            match event:
                case Started():
                    bar.length = event.total_steps
                    bar.update(event.step)
                case Step():
                    bar.update(event.step - bar.pos)
                case Evaluated() if as_json:
                    click.echo(event.to_json())
                case Finished():
                    facts = {"run": run.id, "test_accuracy": event.test_accuracy, "seconds": event.seconds, "samples_per_second": event.samples_per_second}
                    line = t("{run}: test accuracy {test_accuracy:.2%} in {seconds:.1f} s, {samples_per_second:,.0f} images per second", **facts)
                    show(facts, f"\n{line}", as_json)
    assert History(run).follow().finished
