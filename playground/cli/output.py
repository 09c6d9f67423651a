"""What a command prints: text, or with `--json` one JSON object per line, in English because programs read it."""

from __future__ import annotations

import json
from typing import Any

import click

from playground.errors import PlaygroundError
from playground.messages import t

as_json = click.option("--json", "as_json", is_flag=True, help=t("Print one JSON object per line."))


def show_error(error: PlaygroundError) -> None:
    """Print an error as one line on standard error."""
    click.echo(t("Error: {error}", error=error.text).replace("\n", " "), err=True)


def show(facts: dict[str, Any], line: str, as_json: bool) -> None:
    """Print the facts as JSON, or else the line that says the same."""
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else line)
