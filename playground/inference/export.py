"""Export of a run's network with its weights and a model card, as the networks in `models/pretrained/` are stored."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file

from playground import environment
from playground.data.catalogue import dataset_info
from playground.data.stroke_files import CHARACTERS, CHARACTERS_SOURCE, DIGITS, DIGITS_SOURCE
from playground.errors import CheckpointError, PlaygroundError
from playground.inference.calibration import calibrated, temperature_of
from playground.inference.models import load_model
from playground.messages import msg
from playground.runs.history import History
from playground.runs.run import Run
from playground.training.config import TrainConfig
from playground.typography import percent

_USES = {
    "digits": "classifying a single digit, drawn or scanned, preprocessed as in MNIST: light on dark, "
    "scaled to 20×20 pixels, centred in 28×28",  # no text: model cards are in English
    "characters": "classifying a single character, light on dark, filling the image",  # no text: as above
    "pictures": "classifying small images of one of its classes",  # no text: as above
}

_CARD = """\
# {name}

{title}. {summary}

| | |
|---|---|
| Network | `models/{network}.json` |
| Trained on | {dataset}, {train_size:,} images. {source} |{mixed}
| Accuracy | {accuracy} on the {test_size:,} test images, never used in training |
| Temperature | {temperature} |
| Epochs | {epochs:g} |
| Seed | {seed} |
| Time | {seconds:.0f} seconds, {images_per_second:,.0f} images per second |
| Intended use | {use} |
| Not intended for | images unlike its training data, or decisions that affect people |

How it was made:

```sh
{command}
python -m playground export RUN --to models/pretrained/{name}{calibrate}
```
"""  # no text: as above


def export(run: Run, target: Path, command: str, calibrate: bool = False) -> tuple[Path, Path]:
    """Write a run's weights as safetensors with their network and configuration, and a model card beside them.

    Args:
        run: a finished run.
        target: the path of the new files, without a file extension.
        command: the command line that trained it, for the card.
        calibrate: whether to divide the last layer by a temperature, so that probabilities mean what they say.

    Raises:
        PlaygroundError: the run is not finished, it ends with no linear layer to calibrate, or the files cannot be written.
    """
    weights, card = (target.with_name(target.name + ending) for ending in (".safetensors", ".md"))
    state, history = run.checkpoints.load(), History(run).follow()
    if state is None or history.finished is None:
        raise CheckpointError(msg("The run “{run}” is not finished, so its weights cannot be exported yet.", run=run.id))
    temperature = temperature_of(load_model(run.id)) if calibrate else 1.0
    facts = {
        "network": run.network.to_json(),
        "config": json.dumps(run.config.to_dict()),
        "test_accuracy": f"{history.finished.test_accuracy:.4f}",
        "temperature": f"{temperature:.4f}",
        "command": command,
    }
    tensors = calibrated(state["weights"], temperature, run.network.layers) if calibrate else state["weights"]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, weights, facts)
        card.write_text(_card(target.name, run, history, command, temperature), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise PlaygroundError(msg("The weights could not be written to {target}: {error}.", target=str(target), error=str(error))) from error
    return weights, card


def training_command(run: Run) -> str:
    """Return the command line that trains with the same configuration."""
    return shlex.join(["python", "-m", "playground", "train", *run.config.arguments()])


def _card(name: str, run: Run, history: History, command: str, temperature: float) -> str:
    config, spec, finished = run.config, run.network, history.finished
    info = dataset_info(config.dataset)
    assert finished is not None
    return _CARD.format(
        name=name,
        title=spec.title,
        summary=spec.summary,
        network=spec.name,
        dataset=info.title,
        train_size=info.train_size,
        source=info.source,
        mixed="".join(f"\n{row}" for row in _mixed_in(config)),
        accuracy=percent(finished.test_accuracy, 2),
        test_size=info.test_size,
        temperature=f"{temperature:.2f}, by which the last layer was divided" if temperature != 1 else "1: not calibrated",  # no text: as above
        epochs=config.epochs,
        seed=config.seed,
        seconds=finished.seconds,
        images_per_second=finished.samples_per_second,
        use=_USES[info.kind],
        command=command,
        calibrate=" --calibrate" if temperature != 1 else "",
    )


def _mixed_in(config: TrainConfig) -> Iterator[str]:
    """Yield the rows about drawn images among the training images."""
    folder, augment = environment.data_folder() / "pen", config.augment
    if augment.styles:
        pens = f", and the digits of 20 writers: {DIGITS_SOURCE}" if (folder / DIGITS).exists() else ""  # no text: as above
        yield f"| Digits mixed in | {percent(augment.styles)} of each batch: drawn in other styles of handwriting{pens} |"  # no text: as above
    if augment.scribbles:
        characters = f", and characters: {CHARACTERS_SOURCE}" if list(folder.glob(CHARACTERS)) else ""  # no text: as above
        yield f"| Of no class | {percent(augment.scribbles)} of each batch: letters, scribbles and pairs of digits{characters} |"  # no text: as above
