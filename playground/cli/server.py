"""The command that starts the playground: serve."""

from __future__ import annotations

import sys

import click

from playground.messages import t
from playground.server import process


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help=t("TCP port to listen on."))
@click.option("--address", default="localhost", show_default=True, help=t("Address to listen on; 0.0.0.0 lets other computers in, as a class needs it."))
@click.option("--browser/--no-browser", default=True, show_default=True, help=t("Open a browser as soon as the server answers."))
def serve(port: int, address: str, browser: bool) -> None:
    """Start the playground in the browser; Ctrl+C ends it."""
    sys.exit(process.serve(port, address, browser))
