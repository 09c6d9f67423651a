"""Load what the training of a run starts with: weights, and the learner's own images. Imports torch, which readers of a run do without."""

from __future__ import annotations

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from playground.data.catalogue import dataset_info
from playground.data.own_drawings import LabelledImages, from_safetensors
from playground.errors import CheckpointError, DataError
from playground.messages import msg
from playground.runs.run import Run


def start_weights(run: Run) -> dict[str, Tensor] | None:
    """Load the weights that training starts from; None for initialised ones.

    Raises:
        CheckpointError: the file is damaged.
    """
    if not run.start_path.exists():
        return None
    try:
        return load_file(run.start_path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(msg("The weights to start from cannot be read: {error}.", error=str(error))) from None


def own_images(run: Run) -> LabelledImages | None:
    """Load the learner's own images and labels; None if the run is trained on the data set alone.

    Raises:
        CheckpointError: the file is damaged, or does not fit the data set.
    """
    if not run.own_path.exists():
        return None
    try:
        return from_safetensors(run.own_path.read_bytes(), dataset_info(run.config.dataset))
    except (DataError, OSError) as error:
        reason = error.text if isinstance(error, DataError) else str(error)
        raise CheckpointError(msg("The learner’s own images in the run “{run}” cannot be read: {reason}", run=run.id, reason=reason)) from None
