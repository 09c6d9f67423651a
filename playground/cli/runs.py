"""Commands for stored runs: runs, rename, delete, undelete, curves."""

from __future__ import annotations

import csv
import json

import click

from playground.cli.output import as_json, show
from playground.messages import t
from playground.runs import trash
from playground.runs.history import History
from playground.runs.labels import label, relabel
from playground.runs.run import STATES, all_runs, find
from playground.runs.sharing.archive import as_csv


@click.command()
@as_json
def runs(as_json: bool) -> None:
    """List the runs, the newest first."""
    for run in all_runs():
        history, name = History(run).follow(), label(run).name
        facts = {"run": run.id, "state": history.state, "step": history.step, "total_steps": history.total_steps, "test_accuracy": history.test_accuracy}
        accuracy = "" if history.test_accuracy is None else f"{history.test_accuracy:.2%}"
        line = f"{run.id:<60} {t(STATES[history.state]):<12} {history.step:>7}/{history.total_steps:<7} {accuracy:<7} {name}"
        show({**facts, "name": name}, line.rstrip(), as_json)


@click.command()
@click.argument("run")
@click.argument("name")
@as_json
def rename(run: str, name: str, as_json: bool) -> None:
    """Name RUN; an empty NAME removes its name."""
    written = relabel(find(run), name=name)
    show({"run": run, "name": written.name}, f"{run}: {written.name}", as_json)


@click.command()
@click.argument("run")
@as_json
def delete(run: str, as_json: bool) -> None:
    """Move RUN to the trash; undelete restores it."""
    trash.delete(find(run))
    show({"run": run}, t("Deleted {run}. To restore it: python -m playground undelete {run}", run=run), as_json)


@click.command()
@click.argument("run")
@as_json
def undelete(run: str, as_json: bool) -> None:
    """Restore a deleted RUN from the trash."""
    show({"run": trash.restore(run).id}, t("Restored {run}", run=run), as_json)


@click.command()
@click.argument("run")
@as_json
def curves(run: str, as_json: bool) -> None:
    """Print RUN's loss and accuracy at every step as CSV."""
    table = as_csv(find(run))
    if not as_json:
        click.echo(table, nl=False)
        return
    for row in csv.DictReader(table.splitlines()):
        click.echo(json.dumps({name: None if value == "" else json.loads(value) for name, value in row.items()}))
