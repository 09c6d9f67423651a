"""What the first click would otherwise wait for. Imports torch: the server imports this module in the background."""

from __future__ import annotations

import gc

import numpy as np
import torch

from playground.data.load import load
from playground.inference.models import DEFAULT_MODEL, load_model
from playground.server.routes import drawing, evaluation, fine_tuning, networks, reference

ROUTES_WITH_TORCH = (drawing, evaluation, fine_tuning, networks, reference)
"""Imported with this module, so that no request waits for them."""


def warm_torch() -> None:
    """Load the default data and the shipped network, and make one prediction."""
    torch.set_num_threads(1)  # pages answer many small questions; the cores are for training
    load_model(DEFAULT_MODEL).predict_drawing(np.eye(28))
    load("mnist-5k")
    gc.collect()
    gc.freeze()  # what is imported stays: collections need not look at it again
