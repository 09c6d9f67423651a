"""Commands for trained networks: export, evaluate, predict."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import click
from PIL import Image
from torch import Tensor

from playground import device
from playground.cli.output import as_json, show, show_error
from playground.data.image_files import brightness, read_image, to_input
from playground.data.load import load
from playground.data.photographs import find_ink
from playground.data.preprocessing import to_digit
from playground.errors import DrawingError
from playground.inference import export as exporting
from playground.inference import models
from playground.inference.confidence import warn_about_confidence, warn_about_drawing
from playground.inference.models import Model, Prediction
from playground.inference.reading import separate, warn_about_piece
from playground.inference.segmentation import Piece
from playground.inference.signs import SYMBOLS
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
    """Predict the class of each of the IMAGES, or of each digit in photographs of handwriting."""
    chosen = models.load_model(model)
    errors = 0
    for path in images:
        try:
            image = read_image(path)
            pieces = _digits(image, chosen) if chosen.info.kind == "digits" else [_classified(chosen, to_input(image, chosen.info))]
        except DrawingError as error:
            errors += 1
            show_error(DrawingError(msg("{file}: {error}", file=str(path), error=error.text)))
        else:
            show(_facts(path, pieces), _sentence(path, pieces), as_json)
    if errors:
        sys.exit(2)


class _Piece(TypedDict):
    """A predicted image, or one digit or sign of a photograph."""

    label: str
    probabilities: dict[str, float]
    """None for a sign."""
    doubt: str
    """Why the prediction should not be trusted; empty where it can be."""
    line: NotRequired[int]
    """The line of writing, counted from 0."""
    box: NotRequired[list[int]]
    """Top, bottom, left and right in pixels of the image."""


def _classified(model: Model, image: Tensor) -> _Piece:
    answer = model.predict(image)
    return {"label": answer.label, "probabilities": _by_class(model, answer), "doubt": warn_about_confidence(answer.probabilities)}


def _digits(image: Image.Image, model: Model) -> list[_Piece]:
    """Read the digits and signs in a photograph, a scan or a drawing, line by line."""
    ink = find_ink(brightness(image)).ink
    scale = image.height / ink.shape[0]
    lines = separate(ink, model.probabilities)
    alone = all(piece.kind != "digit" for line in lines for piece in line)
    return [_read(piece, number, scale, model, alone=alone) for number, line in enumerate(lines) for piece in line]


def _read(piece: Piece, line: int, scale: float, model: Model, *, alone: bool) -> _Piece:
    """Predict a piece of the image, which is so many times as large as its ink."""
    box = [round(side * scale) for side in piece.box]
    if piece.kind != "digit":
        return {"label": SYMBOLS[piece.kind], "probabilities": {}, "doubt": warn_about_piece(piece, (), alone=alone), "line": line, "box": box}
    digit = to_digit(piece.ink)
    answer = model.predict(digit.input)
    doubt = warn_about_piece(piece, answer.probabilities, alone=alone) or warn_about_drawing(digit, answer.probabilities)
    return {"label": answer.label, "probabilities": _by_class(model, answer), "doubt": doubt, "line": line, "box": box}


def _by_class(model: Model, answer: Prediction) -> dict[str, float]:
    return dict(zip(model.info.classes, answer.probabilities, strict=True))


def _facts(path: Path, pieces: list[_Piece]) -> dict[str, Any]:
    """Return what `--json` prints; the probabilities of a single piece stand on top, too."""
    single = {"probabilities": pieces[0]["probabilities"]} if len(pieces) == 1 else {}
    return {"file": str(path), "label": _label(pieces), **single, "doubt": _doubt(pieces), "pieces": pieces}


def _sentence(path: Path, pieces: list[_Piece]) -> str:
    shares = [max(piece["probabilities"].values()) for piece in pieces if piece["probabilities"]]
    details = f"({', '.join(f'{share:.1%}' for share in shares)})" if shares else ""
    return " ".join(part for part in (f"{path}: {_label(pieces)}", details, translated(_doubt(pieces))) if part)


def _label(pieces: list[_Piece]) -> str:
    """Return what the pieces say together, with a space between lines."""
    lines = groupby(pieces, key=lambda piece: piece.get("line", 0))
    return " ".join("".join(translated(piece["label"]) for piece in line) for _, line in lines)


def _doubt(pieces: list[_Piece]) -> str:
    """Return the first reason for doubt."""
    return next((piece["doubt"] for piece in pieces if piece["doubt"]), "")
