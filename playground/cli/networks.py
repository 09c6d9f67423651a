"""The command that describes a network: network."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from playground.cli.files import read_script
from playground.cli.output import as_json
from playground.errors import PlaygroundError
from playground.messages import msg, nmsg, t, translated
from playground.network import source as code
from playground.network.formulas import write_parameter_formula
from playground.network.presets import load_presets, preset
from playground.network.spec import NetworkSpec, from_json
from playground.network.totals import compute_totals
from playground.network.trace import trace
from playground.pasted.reading import read


@click.command()
@click.argument("source", metavar="FILE")
@click.option("--input-shape", metavar="SIZES", help=t("Shape of one sample, such as 1,28,28; needed where the code does not state it."))
@click.option("--code", "style", flag_value="module", help=t("Print the network as a class."))
@click.option("--sequential", "style", flag_value="sequential", help=t("Print it as nn.Sequential."))
@as_json
def network(source: str, input_shape: str | None, style: str | None, as_json: bool) -> None:
    """Describe the network in FILE: the name of a preset, a JSON specification, or Python code, run with shapes alone."""
    spec, notes = _described(source, input_shape)
    if style:
        click.echo(code.module_script(spec) if style == "module" else code.sequential_script(spec), nl=False)
        return
    steps = trace(spec)
    error = next((msg("Layer {index} ({type}): {error}", index=step.index, type=step.layer.type, error=step.error) for step in steps if step.error), None)
    layers = [
        {"type": step.layer.type, "params": dict(step.layer.params), "in_shape": step.in_shape, "out_shape": step.out_shape, "parameters": step.parameters}
        for step in steps
    ]
    if as_json:
        facts = {"name": spec.name, "input_shape": spec.input_shape, "layers": layers, "totals": asdict(compute_totals(steps)), "notes": notes, "error": error}
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for step in steps:
        click.echo(f"{step.index:>3} {step.layer.type:<24} {step.in_shape or '?'!s:<18} → {step.out_shape or '?'!s:<18} {write_parameter_formula(step)}")
    click.echo(t(nmsg("{n:,} parameter", "{n:,} parameters", compute_totals(steps).parameters)))
    for note in notes:
        click.echo(translated(note))
    if error:
        raise PlaygroundError(error)


def _described(source: str, input_shape: str | None) -> tuple[NetworkSpec, tuple[str, ...]]:
    """Load the network that the command line names; with it the notes that reading it from code left."""
    if source in load_presets().networks:
        return preset(source), ()
    path = Path(source)
    if source != "-" and not path.is_file():
        return preset(source), ()  # its error lists the known presets
    with click.open_file(source, "rb") as file:
        text = read_script(file)
    if text.lstrip().startswith(("{", "[")):
        return from_json(text), ()
    sizes = None if input_shape is None else _sizes(input_shape)
    network = read(text, sizes, "" if source == "-" else path.stem)
    return network.spec, network.notes


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.strip("()").rstrip(",").split(","))
    except ValueError:
        raise PlaygroundError(msg("“{text}” is not a shape.", text=text), msg("Write the sizes with commas, such as 1,28,28.")) from None
