"""Fine-tuning on corrected drawings, and the comparison of the networks before and after."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from sklearn.metrics import accuracy_score, recall_score
from torch import Tensor

from playground.data.load import load
from playground.data.own_drawings import to_safetensors
from playground.errors import DataError, ShapeError
from playground.inference import fine_tuning
from playground.inference.fine_tuning import compare_networks, fine_tune
from playground.inference.models import Model, load_model
from playground.network.presets import preset
from playground.network.spec import LayerSpec, NetworkSpec
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.labels import NAME_LIMIT, label, relabel
from playground.runs.run import all_runs, create
from playground.runs.start import own_images, start_weights
from playground.training.config import TrainConfig

from ..support.training import train

NETWORK = "mnist-mlp"


@pytest.fixture
def model() -> Model:
    """A network that still has much to learn."""
    run = create(TrainConfig(network=NETWORK, epochs=1, device="cpu"), preset(NETWORK), "ada")
    return load_model(train(run).id)


def misclassified(model: Model, count: int) -> tuple[Tensor, Tensor]:
    """Digits that the network takes for others."""
    tested = load("mnist-5k")
    wrong = (model.probabilities(tested.test_images).argmax(dim=1) != tested.test_labels).nonzero().squeeze(1)[:count]
    assert len(wrong) == count
    return tested.test_images[wrong], tested.test_labels[wrong]


def test_corrections_are_classified_correctly_and_accuracy_hardly_drops(model: Model) -> None:
    images, labels = misclassified(model, 5)
    state = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    run = fine_tune(model, images, labels, "ada")
    assert (History(run).follow().state, run.owner, run.config.inputs) == ("queued", "ada", model.inputs)
    start, own = start_weights(run), own_images(run)
    assert start is not None and own is not None
    assert start.keys() == state.keys() and all(torch.equal(start[name], tensor) for name, tensor in state.items())
    assert torch.equal(own[0], images) and torch.equal(own[1], labels)
    after = load_model(train(run).id)
    comparison = compare_networks(model, after, images, labels, "mnist-5k")
    assert all(each["after"]["label"] == each["label"] != each["before"]["label"] for each in comparison["drawings"])
    assert comparison["accuracy"]["after"] > comparison["accuracy"]["before"] - 0.003
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.network.state_dict().items())


def test_the_shipped_network_can_be_fine_tuned_on_an_unusual_digit() -> None:
    """A one upside down and mirrored is no digit that anyone has shown it."""
    model = load_model("mnist-cnn")
    images = load("mnist-5k").test_images
    labels = load("mnist-5k").test_labels
    odd = images[labels == 4].flip(-2)[:2]
    targets = torch.full((2,), 4)
    assert (model.probabilities(odd).argmax(dim=1) != targets).all()
    after = load_model(train(fine_tune(model, odd, targets, "ada")).id)
    assert (after.probabilities(odd).argmax(dim=1) == targets).all()
    assert after.inputs == model.inputs and not after.network.training


def test_the_comparison_has_the_metrics_of_scikit_learn(model: Model) -> None:
    images, labels = misclassified(model, 3)
    other = load_model("mnist-cnn")
    tested = load("mnist-5k")
    predictions = [each.probabilities(tested.test_images).argmax(dim=1) for each in (other, model)]
    comparison = compare_networks(other, model, images, labels, "mnist-5k")
    assert (comparison["dataset"], comparison["images"]) == ("MNIST 5k", 1000)
    assert list(comparison["accuracy"].values()) == pytest.approx([accuracy_score(tested.test_labels, each) for each in predictions])
    lost = recall_score(tested.test_labels, predictions[0], average=None) - recall_score(tested.test_labels, predictions[1], average=None)
    forgotten = comparison["forgotten"]
    assert len(forgotten) == 3 and [each["lost"] / each["of"] for each in forgotten] == pytest.approx(sorted(lost, reverse=True)[:3])
    assert all(lost[int(each["class"])] == pytest.approx(each["lost"] / each["of"]) for each in forgotten)
    for when, network in (("before", other), ("after", model)):
        probabilities = network.probabilities(images)
        answers = [each[when] for each in comparison["drawings"]]
        assert [each["label"] for each in answers] == [str(int(row.argmax())) for row in probabilities]
        assert [each["probability"] for each in answers] == pytest.approx(probabilities.amax(dim=1).tolist(), abs=1e-6)
        assert [each["true_probability"] for each in answers] == pytest.approx(
            [float(row[index]) for row, index in zip(probabilities, labels, strict=True)], abs=1e-6
        )
    assert compare_networks(model, model, images, labels, "mnist-5k")["forgotten"] == []


def test_fine_tuning_twice_gives_the_same_weights(model: Model) -> None:
    images, labels = misclassified(model, 2)
    first, second = (train(fine_tune(model, images, labels, "ada")).checkpoints.load() for _ in range(2))
    assert first is not None and second is not None
    assert all(torch.equal(tensor, second["weights"][name]) for name, tensor in first["weights"].items())


def test_the_run_is_named_after_the_drawings(model: Model) -> None:
    images, labels = misclassified(model, 2)
    assert label(fine_tune(model, images[:1], labels[:1], "ada")).name.endswith(", fine-tuned (drawings: 1)")
    assert label(fine_tune(load_model("mnist-cnn"), images, labels, "ada")).name == "Small modern CNN, fine-tuned (drawings: 2)"
    assert model.run is not None
    relabel(model.run, "n" * NAME_LIMIT)
    name = label(fine_tune(model, images, labels, "ada")).name
    assert len(name) == NAME_LIMIT and name.startswith("nnn") and name.endswith("n, fine-tuned (drawings: 2)")


@pytest.mark.parametrize("count", [1, 5, 139, 1000])
def test_no_batch_has_a_single_image(count: int) -> None:
    """Batch norm over vectors could not learn from it. With 139 drawings the usual batch size would leave one."""
    spec = NetworkSpec("norm", (1, 28, 28), (LayerSpec("Flatten"), LayerSpec("BatchNorm1d"), LayerSpec("Linear", {"out_features": 10})))
    run = train(create(TrainConfig(network="norm", epochs=0.05, device="cpu"), spec))
    images, labels = torch.zeros(count, 1, 28, 28, dtype=torch.uint8), torch.zeros(count, dtype=torch.long)
    taught = fine_tune(load_model(run.id), images, labels, "ada")
    assert next(iter(execute(taught))).step == 0  # type: ignore[attr-defined]
    assert (taught.config.batch_size == fine_tuning.SETTINGS.batch_size) == (count != 139)


def test_invalid_drawings_and_networks_cannot_be_fine_tuned(model: Model) -> None:
    runs = all_runs()
    images, labels = misclassified(model, 2)
    with pytest.raises(DataError, match="Labels must be"):
        fine_tune(model, images, labels[:1], "ada")
    with pytest.raises(DataError, match="not 0"):
        fine_tune(model, images[:0], labels[:0], "ada")
    with pytest.raises(DataError, match="from 0 to 9"):
        fine_tune(model, images, labels + 10, "ada")
    with pytest.raises(ShapeError, match="cannot classify drawn digits"):
        fine_tune(replace(model, info=load("shapes").info), images, labels, "ada")
    assert all_runs() == runs


def test_drawings_reach_the_run_unchanged(model: Model) -> None:
    images, labels = misclassified(model, 2)
    assert fine_tune(model, images, labels, "ada").own_path.read_bytes() == to_safetensors((images, labels), model.info)


def test_what_the_rivals_of_taught_digits_lose_is_counted(model: Model) -> None:
    images, labels = misclassified(model, 4)
    other = load_model("mnist-cnn")
    tested = load("mnist-5k")
    rivals = compare_networks(model, other, images, labels, "mnist-5k")["rivals"]
    others = model.probabilities(images).argmax(dim=1)  # those of misclassified images are their predicted classes
    assert {rival["label"] for rival in rivals} <= {str(int(label)) for label in labels} and 0 < len(rivals) <= fine_tuning.MAX_CLASSES
    for rival in rivals:
        label, name = int(rival["label"]), int(rival["class"])
        predicted = others[labels == label].bincount()
        assert predicted[name] == predicted.max()
        assert rival["tested"] == {
            "before": int(((model.probabilities(tested.test_images).argmax(dim=1) == name) & (tested.test_labels == name)).sum()),
            "after": int(((other.probabilities(tested.test_images).argmax(dim=1) == name) & (tested.test_labels == name)).sum()),
            "of": int((tested.test_labels == name).sum()),
        }
        assert 0 < rival["drawn"]["before"] < rival["drawn"]["of"] == fine_tuning.DRAWN


def test_the_rival_of_a_digit_that_is_classified_correctly_is_the_second_most_probable_class(model: Model) -> None:
    images, labels = load("mnist-5k").test_images[:100], load("mnist-5k").test_labels[:100]
    right = (model.probabilities(images).argmax(dim=1) == labels).nonzero().squeeze(1)[:1]
    (rival,) = compare_networks(model, model, images[right], labels[right], "mnist-5k")["rivals"]
    assert rival["class"] == str(int(model.probabilities(images[right])[0].topk(2).indices[1]))
    assert rival["drawn"]["before"] == rival["drawn"]["after"]
