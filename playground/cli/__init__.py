"""The command line: `python -m playground …`

Every command prints text, or with `--json` one JSON object per line. Invalid input ends with one line
on standard error and exit status 2.

Help is translated when a module is imported: the language of the command line is known before, and stays.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from playground.cli.output import show_error
from playground.errors import PlaygroundError
from playground.messages import t

COMMANDS = {
    "serve": ("server", t("Start the playground in the browser; Ctrl+C ends it.")),
    "devices": ("machine", t("List the devices of this machine, the best first.")),
    "datasets": ("machine", t("List the data sets; optionally download one first.")),
    "train": ("training", t("Train a network and store it as a run.")),
    "record": ("training", t("Train a small network, and keep its weights at some steps for the browser.")),
    "resume": ("training", t("Resume an interrupted, stopped or failed RUN from its last checkpoint.")),
    "runs": ("runs", t("List the runs, the newest first.")),
    "rename": ("runs", t("Name RUN; an empty NAME removes its name.")),
    "delete": ("runs", t("Move RUN to the trash; undelete restores it.")),
    "undelete": ("runs", t("Restore a deleted RUN from the trash.")),
    "curves": ("runs", t("Print RUN's loss and accuracy at every step as CSV.")),
    "weights": ("sharing", t("Export RUN's weights for network.load_state_dict (.pt), or as safetensors.")),
    "pack": ("sharing", t("Export RUN, with its record and checkpoints, as one zip file.")),
    "unpack": ("sharing", t("Import the run in FILE, which pack wrote here or on another computer.")),
    "export": ("models", t("Export a finished RUN's weights as safetensors with a model card.")),
    "evaluate": ("models", t("Evaluate a trained network on a data set's test images.")),
    "predict": ("models", t("Predict the class of each of the IMAGES, or of each digit in photographs of handwriting.")),
    "tensors": ("scripts", t("Run the tensor script in FILE (- for standard input), and print its output and its variables.")),
    "autograd": ("scripts", t("Run the script in FILE (- for standard input), and print the graph that PyTorch recorded, with its gradients.")),
    "network": ("networks", t("Describe the network in FILE: the name of a preset, a JSON specification, or Python code, run with shapes alone.")),
}
"""Every command: the module of this package that has it, as a function of the same name, and the docstring of that function."""


class LazyCommand(click.Command):
    """A command whose module is imported when it is run or its own help is requested: importing torch takes seconds.

    Args:
        name: the name of the command, and of the function in its module.
        module: the name of its module in this package.
        help: what the list of commands shows of it.
    """

    def __init__(self, name: str, module: str, help: str) -> None:
        super().__init__(name, help=help)
        self._function = name
        self._module = module

    def load(self) -> click.Command:
        """Import the module; return the command itself, with its options and the help that the list of commands has."""
        command: click.Command = getattr(import_module(f"playground.cli.{self._module}"), self._function)
        command.help = self.help
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        """Make the context of the command itself, which click then runs in place of this one."""
        return self.load().make_context(info_name, args, parent, **extra)


class _Cli(click.Group):
    """Print a `PlaygroundError` as one line; anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PlaygroundError as error:
            show_error(error)
            sys.exit(2)


@click.group(
    cls=_Cli,
    commands=[LazyCommand(name, *place) for name, place in COMMANDS.items()],
    help=t("Start the playground in the browser, or train networks, evaluate them and classify images with PyTorch without one."),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """Run the command that the arguments name."""
