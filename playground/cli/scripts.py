"""Commands that run a script: tensors, autograd."""

from __future__ import annotations

import json
from typing import Any

import click

from playground.autograd.task_names import OBSERVE
from playground.cli.files import read_script
from playground.cli.output import as_json
from playground.errors import PlaygroundError
from playground.messages import msg, t
from playground.tensors.sandbox import run_once


@click.command()
@click.argument("file", type=click.File("rb"))
@as_json
def tensors(file: Any, as_json: bool) -> None:
    """Run the tensor script in FILE (- for standard input), and print its output and its variables."""
    report = run_once(read_script(file))
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(report["output"], nl=False)
    for name, facts in report["names"].items():
        shape = "" if facts["shape"] is None else f"{tuple(facts['shape'])}  {facts['values']}"
        click.echo(f"{name}: {facts['dtype']} {shape or facts['text']}")
    _raise_script_error(report["error"])


@click.command()
@click.argument("file", type=click.File("rb"))
@as_json
def autograd(file: Any, as_json: bool) -> None:
    """Run the script in FILE (- for standard input), and print the graph that PyTorch recorded, with its gradients."""
    report = run_once(read_script(file), OBSERVE)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(report["output"], nl=False)
    graph = report.get("graph", {"nodes": []})
    for node in graph["nodes"]:
        name, operation = node["name"] or node["source"] or "·", node["op"] or t("constant")
        line = t("{name:<24} {operation:<24} value {value}  gradient {gradient}", name=name, operation=operation, value=node["value"], gradient=node["grad"])
        click.echo(line)
    _raise_script_error(report["error"])


def _raise_script_error(error: dict[str, Any] | None) -> None:
    """Raise the error of a script, so that the command ends as for any invalid input."""
    if error:
        message = error["message"]
        raise PlaygroundError(msg("Line {line}: {message}", line=error["line"], message=message) if error["line"] else message, error["explanation"])
