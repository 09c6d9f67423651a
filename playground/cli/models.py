"""Commands for trained networks: export, evaluate, predict."""

from __future__ import annotations

from pathlib import Path

import click

from playground import device
from playground.cli.output import as_json, show
from playground.data.image_files import read_image, to_input
from playground.data.load import load
from playground.errors import DrawingError
from playground.inference import export as exporting
from playground.inference import models
from playground.messages import msg, t, translated
from playground.runs.run import find


@click.command()
@click.argument("run")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help=t("Path of the new files, without a file extension."))
@click.option("--calibrate", is_flag=True, help=t("Fit one temperature, so that probabilities mean what they say, and divide the last layer by it."))
def export(run: str, target: Path, calibrate: bool) -> None:
    """Export a finished RUN's weights as safetensors with a model card."""
    finished = find(run)
    weights, card = exporting.export(finished, target, exporting.training_command(finished), calibrate)
    click.echo(t("Wrote {weights} and {card}", weights=weights, card=card))


@click.command()
@click.option("--model", default="mnist-cnn", show_default=True, help=t("Name of a trained network, or a run."))
@click.option("--dataset", default="mnist-5k", show_default=True, help=t("Name of the data set whose test images are used."))
@as_json
def evaluate(model: str, dataset: str, as_json: bool) -> None:
    """Evaluate a trained network on a data set's test images."""
    loss, accuracy = models.load_model(model, device.best().name).evaluate(load(dataset))
    facts = {"model": model, "dataset": dataset, "test_loss": loss, "test_accuracy": accuracy}
    show(facts, t("{model} on {dataset}: accuracy {accuracy:.2%}, loss {loss:.4f}", model=model, dataset=dataset, accuracy=accuracy, loss=loss), as_json)


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", default="mnist-cnn", show_default=True, help=t("Name of a trained network, or a run."))
@as_json
def predict(images: tuple[Path, ...], model: str, as_json: bool) -> None:
    """Predict the class of each of the IMAGES."""
    chosen = models.load_model(model)
    for path in images:
        try:
            answer = chosen.predict(to_input(read_image(path), chosen.info))
        except DrawingError as error:
            raise DrawingError(msg("{file}: {error}", file=str(path), error=error.text)) from None
        facts = {"file": str(path), "label": answer.label, "probabilities": dict(zip(chosen.info.classes, answer.probabilities, strict=True))}
        show(facts, f"{path}: {translated(answer.label)} ({max(answer.probabilities):.1%})", as_json)
