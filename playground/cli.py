"""The command line: `python -m playground …`

Every command prints text, or with `--json` one JSON object per line. Invalid input ends with one line
on standard error and exit status 2.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from playground.errors import DrawingError, PlaygroundError
from playground.training.config import SETTINGS

if TYPE_CHECKING:
    from playground.network.spec import NetworkSpec
    from playground.runs.run import Run
    from playground.training.config import TrainConfig


class _Cli(click.Group):
    """Print a `PlaygroundError` as one line; anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PlaygroundError as error:
            click.echo(f"Error: {error}".replace("\n", " "), err=True)
            sys.exit(2)


@click.group(cls=_Cli, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Start the playground in the browser, or train networks, evaluate them and classify images with PyTorch without one."""


def setting_options(command: Any) -> Any:
    """Give a command an option for every setting but data set and network."""
    types: dict[str, dict[str, Any]] = {
        "number": {"type": float}, "whole": {"type": int}, "pair": {"type": float, "nargs": 2}, "switch": {"is_flag": True}, "choice": {}, "name": {},
    }  # fmt: skip
    for setting in reversed([each for each in SETTINGS if each.name not in ("dataset", "network")]):
        help = f"{setting.help} One of {', '.join(setting.choices)}." if setting.choices else setting.help
        command = click.option(setting.option, default=None, help=help, **types[setting.kind])(command)
    return command


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="TCP port to listen on.")
@click.option("--address", default="localhost", show_default=True, help="Address to listen on; 0.0.0.0 lets other computers in, as a class needs it.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open a browser as soon as the server answers.")
def serve(port: int, address: str, browser: bool) -> None:
    """Start the playground in the browser; Ctrl+C ends it."""
    from playground.server.process import serve as run_server

    sys.exit(run_server(port, address, browser))


@main.command()
@as_json
def devices(as_json: bool) -> None:
    """List the devices of this machine, the best first."""
    from playground import device

    for item in device.available():
        _show(vars(item), f"{item.name:<10} {item.title}  {item.details}", as_json)


@main.command()
@click.option("--download", metavar="NAME", help="Download this data set first.")
@as_json
def datasets(download: str | None, as_json: bool) -> None:
    """List the data sets; optionally download one first."""
    from playground.data import load
    from playground.data.catalogue import DATASETS

    if download:
        _download(download)
    for info in DATASETS:
        ready = load.is_ready(info.name)
        facts: dict[str, Any] = {"name": info.name, "title": info.title, "input_shape": info.input_shape, "classes": info.classes}
        facts |= {"train_size": info.train_size, "test_size": info.test_size, "source": info.source, "ready": ready}
        state = "ready" if ready else "not downloaded"
        _show(facts, f"{info.name:<14} {info.train_size:>6,} + {info.test_size:>6,} images  {state:<15} {info.source}", as_json)


@main.command()
@click.option("--dataset", default="mnist-5k", show_default=True, help="Name of the data set.")
@click.option("--network", default="mnist-cnn", show_default=True, help="Name of a network, or path of its JSON file.")
@setting_options
@click.option("--from", "start", type=click.Path(path_type=Path), metavar="WEIGHTS", help="Start from the weights in this file (.pt or .safetensors).")
@as_json
def train(as_json: bool, dataset: str, network: str, start: Path | None, **options: Any) -> None:
    """Train a network and store it as a run."""
    from playground.network.trace import check
    from playground.runs.run import create
    from playground.training.config import TrainConfig

    spec = _network(network)
    config = TrainConfig.from_options({"dataset": dataset, "network": spec.name, **options})
    _check_device(config.device)
    from playground.data.catalogue import dataset_info
    from playground.data.load import load

    info = dataset_info(dataset)
    check(spec, info.input_shape, len(info.classes))
    load(dataset)
    _execute(_started_from(start, config, spec) if start else create(config, spec), as_json)


def _started_from(path: Path, config: TrainConfig, spec: NetworkSpec) -> Run:
    """Create a run that starts from the weights in a file; print what was changed to make them fit."""
    from playground.runs.sharing.weights import create_from_weights, fitted, read_weights

    weights, notes = fitted(read_weights(path, str(path)), spec)
    for note in notes:
        click.echo(note, err=True)
    return create_from_weights(config, spec, weights)


@main.command()
@click.argument("run")
@as_json
def resume(run: str, as_json: bool) -> None:
    """Resume an interrupted, stopped or failed RUN from its last checkpoint."""
    from playground.errors import RunError
    from playground.runs.history import History
    from playground.runs.run import find

    stored = find(run)
    if History(stored).follow().state == "finished":
        raise RunError(f"The run “{run}” is finished; there is nothing to resume.")
    _execute(stored, as_json)


@main.command()
@as_json
def runs(as_json: bool) -> None:
    """List the runs, the newest first."""
    from playground.runs.history import History
    from playground.runs.labels import label
    from playground.runs.run import all_runs

    for run in all_runs():
        history, name = History(run).follow(), label(run).name
        facts = {"run": run.id, "state": history.state, "step": history.step, "total_steps": history.total_steps, "test_accuracy": history.test_accuracy}
        accuracy = "" if history.test_accuracy is None else f"{history.test_accuracy:.2%}"
        line = f"{run.id:<60} {facts['state']:<12} {history.step:>7}/{history.total_steps:<7} {accuracy:<7} {name}"
        _show({**facts, "name": name}, line.rstrip(), as_json)


@main.command()
@click.argument("run")
@click.argument("name")
@as_json
def rename(run: str, name: str, as_json: bool) -> None:
    """Name RUN; an empty NAME removes its name."""
    from playground.runs.labels import relabel
    from playground.runs.run import find

    written = relabel(find(run), name=name)
    _show({"run": run, "name": written.name}, f"{run}: {written.name}", as_json)


@main.command()
@click.argument("run")
@as_json
def delete(run: str, as_json: bool) -> None:
    """Move RUN to the trash; undelete restores it."""
    from playground.runs.run import find
    from playground.runs.trash import delete as move_to_trash

    move_to_trash(find(run))
    _show({"run": run}, f"Deleted {run}. To restore it: python -m playground undelete {run}", as_json)


@main.command()
@click.argument("run")
@as_json
def undelete(run: str, as_json: bool) -> None:
    """Restore a deleted RUN from the trash."""
    from playground.runs.trash import restore

    _show({"run": restore(run).id}, f"Restored {run}", as_json)


@main.command()
@click.argument("run")
@as_json
def curves(run: str, as_json: bool) -> None:
    """Print RUN's loss and accuracy at every step as CSV."""
    import csv

    from playground.runs.run import find
    from playground.runs.sharing.archive import as_csv

    table = as_csv(find(run))
    if not as_json:
        click.echo(table, nl=False)
        return
    for row in csv.DictReader(table.splitlines()):
        click.echo(json.dumps({name: None if value == "" else json.loads(value) for name, value in row.items()}))


@main.command()
@click.option("--model", default="mnist-cnn", show_default=True, help="Name of a trained network, or a run.")
@click.option("--dataset", default="mnist-5k", show_default=True, help="Name of the data set whose test images are used.")
@as_json
def evaluate(model: str, dataset: str, as_json: bool) -> None:
    """Evaluate a trained network on a data set's test images."""
    from playground import device
    from playground.data.load import load
    from playground.inference.models import load_model

    loss, accuracy = load_model(model, device.best().name).evaluate(load(dataset))
    facts = {"model": model, "dataset": dataset, "test_loss": loss, "test_accuracy": accuracy}
    _show(facts, f"{model} on {dataset}: accuracy {accuracy:.2%}, loss {loss:.4f}", as_json)


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", default="mnist-cnn", show_default=True, help="Name of a trained network, or a run.")
@as_json
def predict(images: tuple[Path, ...], model: str, as_json: bool) -> None:
    """Predict the class of each of the IMAGES."""
    from playground.inference.models import load_model
    from playground.inference.preprocessing import read_image, to_input

    chosen = load_model(model)
    for path in images:
        try:
            answer = chosen.predict(to_input(read_image(path), chosen.info))
        except DrawingError as error:
            raise DrawingError(f"{path}: {error}") from None
        facts = {"file": str(path), "label": answer.label, "probabilities": dict(zip(chosen.info.classes, answer.probabilities, strict=True))}
        _show(facts, f"{path}: {answer.label} ({max(answer.probabilities):.1%})", as_json)


@main.command()
@click.argument("file", type=click.File("rb"))
@as_json
def tensors(file: Any, as_json: bool) -> None:
    """Run the tensor script in FILE (- for standard input), and print its output and its variables."""
    from playground.tensors.sandbox import run_once

    report = run_once(_script(file))
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(report["output"], nl=False)
    for name, facts in report["names"].items():
        shape = "" if facts["shape"] is None else f"{tuple(facts['shape'])}  {facts['values']}"
        click.echo(f"{name}: {facts['dtype']} {shape or facts['text']}")
    _raise_script_error(report["error"])


@main.command()
@click.argument("file", type=click.File("rb"))
@as_json
def autograd(file: Any, as_json: bool) -> None:
    """Run the script in FILE (- for standard input), and print the graph that PyTorch recorded, with its gradients."""
    from playground.autograd.sandbox_tasks import OBSERVE
    from playground.tensors.sandbox import run_once

    report = run_once(_script(file), OBSERVE)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(report["output"], nl=False)
    graph = report.get("graph", {"nodes": []})
    for node in graph["nodes"]:
        click.echo(f"{node['name'] or node['source'] or '·':<24} {node['op'] or 'constant':<24} value {node['value']}  gradient {node['grad']}")
    _raise_script_error(report["error"])


@main.command()
@click.argument("source", metavar="FILE")
@click.option("--input-shape", metavar="SIZES", help="Shape of one sample, such as 1,28,28; needed where the code does not state it.")
@click.option("--code", "style", flag_value="module", help="Print the network as a class.")
@click.option("--sequential", "style", flag_value="sequential", help="Print it as nn.Sequential.")
@as_json
def network(source: str, input_shape: str | None, style: str | None, as_json: bool) -> None:
    """Describe the network in FILE: the name of a preset, a JSON specification, or Python code, which is parsed and never run."""
    from dataclasses import asdict

    from playground.network import source as code
    from playground.network.facts import arithmetic, totals
    from playground.network.trace import trace

    spec, notes = _described(source, input_shape)
    if style:
        click.echo(code.module_script(spec) if style == "module" else code.sequential_script(spec), nl=False)
        return
    steps = trace(spec)
    error = next((f"Layer {step.index} ({step.layer.type}): {step.error}" for step in steps if step.error), None)
    layers = [
        {"type": step.layer.type, "params": dict(step.layer.params), "in_shape": step.in_shape, "out_shape": step.out_shape, "parameters": step.parameters}
        for step in steps
    ]
    if as_json:
        facts = {"name": spec.name, "input_shape": spec.input_shape, "layers": layers, "totals": asdict(totals(steps)), "notes": notes, "error": error}
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for step in steps:
        click.echo(f"{step.index:>3} {step.layer.type:<24} {step.in_shape or '?'!s:<18} → {step.out_shape or '?'!s:<18} {arithmetic(step)}")
    click.echo(f"{totals(steps).parameters:,} parameters")
    for note in notes:
        click.echo(note)
    if error:
        raise PlaygroundError(error)


def _described(source: str, input_shape: str | None) -> tuple[NetworkSpec, tuple[str, ...]]:
    """Load the network that the command line names; with it the notes that reading it from code left."""
    from playground.network import reading
    from playground.network.presets import load_presets, preset
    from playground.network.spec import from_json

    if source in load_presets().networks:
        return preset(source), ()
    path = Path(source)
    if source != "-" and not path.is_file():
        return preset(source), ()  # its error lists the known presets
    with click.open_file(source, "rb") as file:
        text = _script(file)
    if text.lstrip().startswith(("{", "[")):
        return from_json(text), ()
    sizes = None if input_shape is None else _sizes(input_shape)
    network = reading.read(text, sizes, "" if source == "-" else path.stem)
    return network.spec, network.notes


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.strip("()").rstrip(",").split(","))
    except ValueError:
        raise PlaygroundError(f"“{text}” is not a shape.", "Write the sizes with commas, such as 1,28,28.") from None


@main.command()
@click.argument("run")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="Path of the new files, without a file extension.")
def export(run: str, target: Path) -> None:
    """Export a finished RUN's weights as safetensors with a model card."""
    from playground.inference.models import export as write
    from playground.inference.models import training_command
    from playground.runs.run import find

    finished = find(run)
    weights, card = write(finished, target, training_command(finished))
    click.echo(f"Wrote {weights} and {card}")


@main.command()
@click.argument("run")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="Path of the new file; .pt or .safetensors selects the format.")
@click.option("--step", type=int, help="Step of the checkpoint; by default the last one.")
@as_json
def weights(run: str, target: Path, step: int | None, as_json: bool) -> None:
    """Export RUN's weights for network.load_state_dict (.pt), or as safetensors."""
    from playground.runs.run import find
    from playground.runs.sharing.weights import as_safetensors, as_state_dict

    kinds = {".pt": as_state_dict, ".safetensors": as_safetensors}
    if target.suffix not in kinds:
        raise PlaygroundError(f"The file extension of {target} is not one of a weights file.", "Use .pt or .safetensors.")
    _write(target, io.BytesIO(kinds[target.suffix](find(run), step)))
    _show({"run": run, "file": str(target)}, f"Wrote {target}", as_json)


@main.command()
@click.argument("run")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="Path of the new file, such as run.zip.")
@as_json
def pack(run: str, target: Path, as_json: bool) -> None:
    """Export RUN, with its record and checkpoints, as one zip file."""
    from playground.runs.run import find
    from playground.runs.sharing.archive import as_zip

    with as_zip(find(run)) as packed:
        _write(target, packed)
    _show({"run": run, "file": str(target)}, f"Wrote {target}", as_json)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def unpack(file: Path, as_json: bool) -> None:
    """Import the run in FILE, which pack wrote here or on another computer."""
    from playground.runs.sharing.archive import from_zip

    run = from_zip(file, name=str(file))
    _show({"run": run.id}, f"Imported {run.id}", as_json)


def _write(target: Path, content: IO[bytes]) -> None:
    """Write to a temporary file, then rename it, so that a full disk leaves the previous file untouched."""
    part = Path(f"{target}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                shutil.copyfileobj(content, file)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise PlaygroundError(f"{target} could not be written: {error.strerror}.") from None


def _script(file: Any) -> str:
    try:
        source: str = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PlaygroundError(f"{file.name} is not encoded as UTF-8.", "Save it as UTF-8 in your editor.") from None
    return source


def _raise_script_error(error: dict[str, Any] | None) -> None:
    """Raise the error of a script, so that the command ends as for any invalid input."""
    if error:
        place = f"Line {error['line']}: " if error["line"] else ""
        raise PlaygroundError(f"{place}{error['message']}", error["explanation"])


def _show(facts: dict[str, Any], line: str, as_json: bool) -> None:
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else line)


def _network(name: str) -> Any:
    from playground.network.presets import preset
    from playground.network.spec import load

    return load(Path(name)) if name.endswith(".json") else preset(name)


def _check_device(name: str) -> None:
    from playground import device

    device.get(name)


def _download(name: str) -> None:
    from playground.data.load import download

    last_shown = 0.0

    def progress(file: str, received: int, total: int) -> None:
        nonlocal last_shown
        if time.monotonic() - last_shown > 0.2 or received == total:
            last_shown = time.monotonic()
            of = f" of {total / 1e6:.1f}" if total else ""
            click.echo(f"\r{file}: {received / 1e6:.1f}{of} MB ", nl=received == total, err=True)

    download(name, progress)


def _execute(run: Any, as_json: bool) -> None:
    """Train a run in this process; show a progress bar, or print a line of JSON for each evaluation."""
    from playground.runs.execution.worker import execute
    from playground.runs.history import History
    from playground.training.events import Evaluated, Finished, Started, Step

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
                    line = f"\n{run.id}: test accuracy {event.test_accuracy:.2%} in {event.seconds:.1f} s, {event.samples_per_second:,.0f} images per second"
                    _show(facts, line, as_json)
    assert History(run).follow().finished
