"""Evaluation on all test images, compared with PyTorch and scikit-learn; and its cache."""

from __future__ import annotations

import base64
import json
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn.metrics import classification_report, confusion_matrix, log_loss
from torch import Tensor, nn
from torch.nn import functional as F

from playground.data.catalogue import DATASETS, dataset_info
from playground.data.images import ImageSet
from playground.data.input_scaling import STANDARDISED
from playground.data.load import load
from playground.errors import CheckpointError, ConfigError, DataError, PlaygroundError, ShapeError, UnknownName
from playground.inference import evaluation as evaluating
from playground.inference.evaluation import (
    BATCH,
    CACHED,
    MAX_PAGE,
    ORDERS,
    SAMPLE,
    Evaluation,
    Filter,
    cell,
    compatible_datasets,
    describe_leakage,
    evaluate_model,
    grid,
    load_evaluation,
    mistakes,
    pictures,
    rivals,
    summary,
)
from playground.inference.models import DEFAULT_MODEL, Model, load_model
from playground.network.build import build
from playground.network.presets import load_presets, preset
from playground.network.spec import LayerSpec, NetworkSpec
from playground.runs.run import Run, create, create_from
from playground.runs.sharing.weights import create_from_weights
from playground.training.config import TrainConfig
from playground.training.events import Created

from ..support.tiers import repetitions

DIGITS, OBJECTS = dataset_info("mnist-5k"), dataset_info("shapes")


@pytest.fixture(scope="module")
def shipped(digits: ImageSet) -> Evaluation:
    return evaluate_model(load_model(DEFAULT_MODEL), digits)


@pytest.fixture
def evaluated_models(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An empty cache; the names of the networks that were evaluated."""
    names: list[str] = []

    def counted(model: Model, images: ImageSet) -> Evaluation:
        names.append(model.name)
        return evaluate_model(model, images)

    monkeypatch.setattr(evaluating, "_cache", evaluating._Cache())
    monkeypatch.setattr(evaluating, "evaluate_model", counted)
    return names


def untrained(*layers: LayerSpec, info: str = "mnist-5k") -> Model:
    dataset = dataset_info(info)
    spec = NetworkSpec("mine", dataset.input_shape, layers)
    return Model("mine", spec, dataset, STANDARDISED, build(spec, seed=1).eval().requires_grad_(False), torch.device("cpu"))


def random_images(info: str, count: int) -> ImageSet:
    """Random pixels and labels in the form of a data set."""
    dataset, random = dataset_info(info), torch.Generator().manual_seed(count)
    pixels = torch.randint(0, 256, (2 * count, *dataset.input_shape), generator=random, dtype=torch.uint8)
    labels = torch.randint(0, len(dataset.classes), (2 * count,), generator=random)
    return ImageSet(dataset, pixels[:count], labels[:count], pixels[count:], labels[count:])


def layer_inputs(model: Model, layer: nn.Module, images: Tensor) -> Tensor:
    """What enters a layer, as a hook of PyTorch's hears it: (N, F)."""
    inputs: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _layer, arguments: inputs.append(arguments[0]))
    with torch.inference_mode():
        model.network(model.prepare(images))
    handle.remove()
    return inputs[0].flatten(1)


def test_logits_probabilities_and_losses_are_those_of_the_network(shipped: Evaluation, digits: ImageSet) -> None:
    model = load_model(DEFAULT_MODEL)
    with torch.inference_mode():
        logits = torch.cat([model.network(model.prepare(batch)) for batch in digits.test_images.split(BATCH)])
    assert shipped.logits.dtype == np.float32 and np.array_equal(shipped.logits, logits.numpy())
    np.testing.assert_allclose(shipped.probabilities, logits.softmax(dim=1), atol=1e-6)
    np.testing.assert_allclose(shipped.losses, F.cross_entropy(logits, digits.test_labels, reduction="none"), atol=1e-5)
    assert np.array_equal(shipped.predictions, logits.argmax(dim=1)) and np.array_equal(shipped.labels, digits.test_labels)
    assert np.array_equal(shipped.confidence, shipped.probabilities.max(axis=1))
    loss, accuracy = model.evaluate(digits)
    assert shipped.accuracy == accuracy and shipped.loss == pytest.approx(loss, rel=1e-5)
    assert shipped.loss == pytest.approx(log_loss(shipped.labels, shipped.probabilities), rel=1e-9)


def test_the_features_are_the_inputs_of_the_last_linear_layer(shipped: Evaluation, digits: ImageSet) -> None:
    model = load_model(DEFAULT_MODEL)
    assert np.array_equal(shipped.sample, np.arange(1000)) and shipped.features.dtype == np.float32
    expected = torch.cat([layer_inputs(model, model.network[-1], batch) for batch in digits.test_images.split(BATCH)])
    assert np.array_equal(shipped.features, expected)


CONV, MEAN, FLAT = LayerSpec("Conv2d", {"out_channels": 10}), LayerSpec("AdaptiveAvgPool2d", {"output_size": 1}), LayerSpec("Flatten")
TOKENS = LayerSpec("PatchEmbedding", {"embed_dim": 10, "patch_size": 7})
STACKS: dict[str, tuple[tuple[LayerSpec, ...], int]] = {
    "linear-alone": ((FLAT, LayerSpec("Linear", {"out_features": 10})), 1),
    "norm-behind-it": ((FLAT, LayerSpec("Linear", {"out_features": 10}), LayerSpec("BatchNorm1d")), 1),
    "linear-on-tokens": ((TOKENS, LayerSpec("Linear", {"out_features": 10}), LayerSpec("TokenMean")), 1),
    "convolutions-only": ((CONV, LayerSpec("ReLU"), LayerSpec("MaxPool2d"), CONV, MEAN, FLAT), 3),
    "one-convolution": ((CONV, MEAN, FLAT), 0),
    "attention-only": ((TOKENS, LayerSpec("TransformerEncoderLayer", {"nhead": 2}), LayerSpec("TokenMean")), 1),
}
"""Networks, and the place of the layer whose input is taken."""


@pytest.mark.parametrize(("layers", "place"), STACKS.values(), ids=STACKS)
def test_every_kind_of_network_has_features(layers: tuple[LayerSpec, ...], place: int) -> None:
    model, images = untrained(*layers), random_images("mnist-5k", 30)
    evaluation = evaluate_model(model, images)
    np.testing.assert_allclose(evaluation.features, layer_inputs(model, model.network[place], images.test_images), atol=1e-5)
    np.testing.assert_allclose(evaluation.probabilities, model.probabilities(images.test_images), atol=1e-6)


@pytest.mark.parametrize(
    "name", sorted(name for name, spec in load_presets().networks.items() if spec.input_shape in (DIGITS.input_shape, OBJECTS.input_shape))
)
def test_every_preset_can_be_evaluated(name: str) -> None:
    spec = preset(name)
    info = DIGITS if spec.input_shape == DIGITS.input_shape else OBJECTS
    model, images = untrained(*spec.layers, info=info.name), random_images(info.name, 20)
    evaluation = evaluate_model(model, images)
    np.testing.assert_allclose(evaluation.features, layer_inputs(model, model.network[-1], images.test_images), atol=1e-5)


def test_more_images_than_fit_into_a_batch_are_evaluated_and_features_are_sampled() -> None:
    model, images = untrained(FLAT, LayerSpec("Linear", {"out_features": 10})), random_images("mnist-5k", 2300)
    evaluation = evaluate_model(model, images)
    assert evaluation.logits.shape == (2300, 10) and evaluation.features.shape == (SAMPLE, 784)
    assert (np.diff(evaluation.sample) > 0).all() and evaluation.sample.max() > 2000
    np.testing.assert_allclose(evaluation.features, model.prepare(images.test_images[evaluation.sample]).flatten(1), atol=1e-6)
    np.testing.assert_allclose(evaluation.probabilities, model.probabilities(images.test_images), atol=1e-6)
    assert np.array_equal(evaluation.sample, evaluate_model(model, images).sample)


def test_with_very_many_features_neighbours_are_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating, "MAX_FEATURES", 196)
    model, images = untrained(FLAT, LayerSpec("Linear", {"out_features": 10})), random_images("mnist-5k", 5)
    expected = model.prepare(images.test_images).reshape(5, 196, 4).mean(dim=2)
    np.testing.assert_allclose(evaluate_model(model, images).features, expected, atol=1e-6)


def test_evaluation_does_not_change_the_network(digits: ImageSet) -> None:
    model = load_model(DEFAULT_MODEL)
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    evaluate_model(model, digits)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.network.state_dict().items())
    assert not any(module.training or module._forward_hooks or module._forward_pre_hooks for module in model.network.modules())


def test_predictions_of_another_thread_do_not_disturb_an_evaluation(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty pages share one model: here another thread asks it in the middle of an evaluation."""
    model, alone = load_model(DEFAULT_MODEL), evaluate_model(load_model(DEFAULT_MODEL), digits)
    prepare = Model.prepare

    def interrupted(model: Model, images: Tensor) -> Tensor:
        if threading.current_thread() is threading.main_thread():
            asking = threading.Thread(target=model.predict, args=(images[0],))
            asking.start()
            asking.join()
        return prepare(model, images)

    monkeypatch.setattr(Model, "prepare", interrupted)
    evaluation = evaluate_model(model, digits)
    assert np.array_equal(evaluation.logits, alone.logits) and np.array_equal(evaluation.features, alone.features)


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_non_finite_logits_are_refused(value: float) -> None:
    model = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}))
    model.network[1].bias[3] = value
    with pytest.raises(CheckpointError, match="not finite"):
        evaluate_model(model, random_images("mnist-5k", 5))


def test_huge_logits_have_a_finite_loss() -> None:
    model = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}))
    model.network[1].weight.mul_(1e36)
    evaluation = evaluate_model(model, random_images("mnist-5k", 50))
    assert np.isfinite(evaluation.losses).all() and evaluation.losses.max() > 1e30 and np.isfinite(evaluation.probabilities).all()
    json.dumps(summary(evaluation), allow_nan=False)


def test_data_of_other_classes_is_refused(digits: ImageSet) -> None:
    with pytest.raises(ShapeError, match="other classes"):
        evaluate_model(load_model(DEFAULT_MODEL), replace(digits, info=dataset_info("kmnist")))


def test_compatible_data_sets_begin_with_the_networks_own() -> None:
    assert [info.name for info in compatible_datasets(load_model(DEFAULT_MODEL))] == ["mnist", "mnist-5k"]
    assert [info.name for info in compatible_datasets(untrained(FLAT, LayerSpec("Linear", {"out_features": 10})))] == ["mnist-5k", "mnist"]


# Held


CONFIG = TrainConfig(network="mnist-mlp")


def run_with_checkpoints(seed: int = 0, steps: tuple[int, ...] = (1,)) -> Run:
    """A run with checkpoints of random weights."""
    run = create(CONFIG, preset("mnist-mlp"))
    for step in steps:
        run.checkpoints.save({"weights": build(run.network, seed=seed + step).state_dict(), "step": step})
    return run


def test_an_evaluation_is_computed_once_until_the_file_changes(evaluated_models: list[str]) -> None:
    run = run_with_checkpoints()
    first = load_evaluation(run.id)
    assert load_evaluation(run.id) is first is load_evaluation(run.id, "mnist-5k") and evaluated_models == [run.id]
    later = run.checkpoints.latest_path.stat().st_mtime_ns + 10**9
    os.utime(run.checkpoints.latest_path, ns=(later, later))
    assert load_evaluation(run.id) is not first and evaluated_models == [run.id, run.id]


def test_each_checkpoint_has_an_evaluation(evaluated_models: list[str]) -> None:
    run = run_with_checkpoints(steps=(1, 2))
    first, second = (load_evaluation(f"{run.id}@{step}") for step in (1, 2))
    assert not np.array_equal(first.logits, second.logits) and first.model == f"{run.id}@1"
    assert np.array_equal(load_evaluation(run.id).logits, second.logits)


def test_the_shipped_network_can_be_evaluated_on_bundled_digits_only(evaluated_models: list[str]) -> None:
    assert load_evaluation(DEFAULT_MODEL, "mnist-5k").accuracy > 0.98
    with pytest.raises(DataError, match="not been downloaded"):
        load_evaluation(DEFAULT_MODEL)


@pytest.mark.parametrize("name", ["nobody", ""])
def test_an_unknown_network_or_data_set_is_refused(name: str, evaluated_models: list[str]) -> None:
    with pytest.raises(UnknownName):
        load_evaluation(name)
    with pytest.raises(UnknownName):
        load_evaluation(DEFAULT_MODEL, name or "nothing")


def test_only_the_most_recently_used_evaluations_are_cached(evaluated_models: list[str]) -> None:
    runs = [run_with_checkpoints(seed) for seed in range(CACHED + 1)]
    for run in runs[:CACHED]:
        load_evaluation(run.id)
    load_evaluation(runs[0].id)  # now the second is the one not asked for the longest
    load_evaluation(runs[CACHED].id)
    assert evaluated_models == [run.id for run in runs]
    load_evaluation(runs[0].id)
    assert len(evaluated_models) == CACHED + 1
    load_evaluation(runs[1].id)
    assert evaluated_models[-1] == runs[1].id


def test_evaluations_of_an_overwritten_file_are_evicted_first(evaluated_models: list[str]) -> None:
    other, run = run_with_checkpoints(1), run_with_checkpoints(2)
    first = load_evaluation(other.id)
    for later in range(1, CACHED + 3):
        os.utime(run.checkpoints.latest_path, ns=(later * 10**9, later * 10**9))
        load_evaluation(run.id)
    assert load_evaluation(other.id) is first


def test_simultaneous_requests_share_one_computation(evaluated_models: list[str]) -> None:
    run, together = run_with_checkpoints(), threading.Barrier(8)

    def load(_number: int) -> Evaluation:
        together.wait()
        return load_evaluation(run.id)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(load, range(8)))
    assert evaluated_models == [run.id] and all(one is results[0] for one in results)


def test_a_cached_evaluation_is_available_while_another_is_computed(evaluated_models: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ready, slow = run_with_checkpoints(1), run_with_checkpoints(2)
    there = load_evaluation(ready.id)
    begun, go_on = threading.Event(), threading.Event()

    def stuck(model: Model, images: ImageSet) -> Evaluation:
        begun.set()
        assert go_on.wait(60)
        return evaluate_model(model, images)

    monkeypatch.setattr(evaluating, "evaluate_model", stuck)
    with ThreadPoolExecutor(1) as pool:
        computing = pool.submit(load_evaluation, slow.id)
        assert begun.wait(60)
        assert load_evaluation(ready.id) is there
        go_on.set()
        assert computing.result().model == slow.id


def test_a_failed_evaluation_does_not_block_the_next_one(evaluated_models: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_with_checkpoints()
    with pytest.raises(ShapeError):
        load_evaluation(run.id, "shapes")
    assert load_evaluation(run.id).model == run.id


# Looked at from many sides


def evaluation_of(labels: list[int], predictions: list[int], confidence: list[float]) -> Evaluation:
    """An evaluation of ten classes in which each image was given a class with a confidence, and the rest is shared out."""
    sure, count = np.array(confidence), len(labels)
    probabilities = np.repeat((1 - sure[:, None]) / 9, 10, axis=1)
    probabilities[np.arange(count), predictions] = sure
    logits = np.log(probabilities).astype(np.float32)
    images = replace(random_images("mnist-5k", count), test_labels=torch.tensor(labels))
    place, each = np.arange(count), (np.array(values, dtype=np.int64) for values in (labels, predictions))
    return Evaluation("mine", images, logits, probabilities, *each, sure, -np.log(probabilities[place, labels]), place, logits, "")


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    rows = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.5, 0.6, 0.9, 0.99])), min_size=1, max_size=30))
    return evaluation_of(*(list(column) for column in zip(*rows, strict=True)))


CERTAINTY: dict[str, Callable[[Evaluation, int], float]] = {
    "in-order": lambda _evaluation, _image: 0,
    "least-certain": lambda evaluation, image: evaluation.confidence[image],
    "most-certain": lambda evaluation, image: -evaluation.confidence[image],
}


@hypothesis_settings(max_examples=repetitions(200))
@given(
    evaluations(),
    st.builds(Filter, st.sampled_from(["all", "right", "wrong"]), *[st.none() | st.integers(0, 3)] * 2, st.sampled_from(sorted(ORDERS))),
    st.integers(0, 10),
    st.integers(1, 10),
)
def test_a_filter_selects_images_by_outcome_and_class_in_its_order(evaluation: Evaluation, chosen: Filter, offset: int, count: int) -> None:
    expected = []
    for image, (label, prediction) in enumerate(zip(evaluation.labels, evaluation.predictions, strict=True)):
        has_outcome = {"all": True, "right": label == prediction, "wrong": label != prediction}[chosen.outcome]
        if has_outcome and chosen.true in (None, label) and chosen.predicted in (None, prediction):
            expected.append(image)
    expected.sort(key=lambda image: (CERTAINTY[chosen.order](evaluation, image), image))
    page = grid(evaluation, chosen, offset, count)
    assert page.total == len(expected) and page.indices.tolist() == expected[offset : offset + count]


def test_misclassified_images_and_cells_begin_with_the_most_confident() -> None:
    evaluation = evaluation_of([0, 0, 1, 1, 1], [0, 1, 1, 0, 0], [0.9, 0.6, 0.5, 0.7, 0.99])
    assert mistakes(evaluation, 5).tolist() == [4, 3, 1] and mistakes(evaluation, 1).tolist() == [4]
    assert mistakes(evaluation, 5, true=0).tolist() == [1] and mistakes(evaluation, 5, predicted=0).tolist() == [4, 3]
    assert mistakes(evaluation, 5, true=2).tolist() == []
    assert cell(evaluation, 1, 0).tolist() == [4, 3] and cell(evaluation, 0, 0).tolist() == [0]


def test_each_cell_has_as_many_images_as_the_confusion_matrix_says(shipped: Evaluation) -> None:
    confused = summary(shipped)["confusion"]
    assert [[len(cell(shipped, true, predicted)) for predicted in range(10)] for true in range(10)] == confused


@pytest.mark.parametrize(
    "ask",
    [
        lambda evaluation: grid(evaluation, Filter(true=10)),
        lambda evaluation: cell(evaluation, 0, -1),
        lambda evaluation: mistakes(evaluation, 0),
        lambda evaluation: grid(evaluation, Filter(), -1),
        lambda evaluation: grid(evaluation, Filter(), 0, MAX_PAGE + 1),
        lambda evaluation: pictures(evaluation, [-1]),
        lambda evaluation: pictures(evaluation, [1000]),
        lambda evaluation: pictures(evaluation, range(MAX_PAGE + 1)),
        lambda evaluation: rivals(evaluation, 1000),
        lambda _evaluation: Filter("some"),
        lambda _evaluation: Filter(order="upside-down"),
    ],
    ids=["class", "cell", "none", "before", "large", "negative", "behind", "many", "rivals", "answers", "order"],
)
def test_unknown_classes_and_images_are_refused(ask: Callable[[Evaluation], object], shipped: Evaluation) -> None:
    with pytest.raises(PlaygroundError):
        ask(shipped)


def test_a_page_after_the_last_one_is_empty(shipped: Evaluation) -> None:
    page = grid(shipped, Filter(), 5000)
    assert page.total == 1000 and not page.indices.size


def test_the_summary_has_the_metrics_of_scikit_learn(shipped: Evaluation) -> None:
    document = json.loads(json.dumps(summary(shipped), allow_nan=False))
    report = classification_report(shipped.labels, shipped.predictions, target_names=DIGITS.classes, output_dict=True)
    assert document["confusion"] == confusion_matrix(shipped.labels, shipped.predictions).tolist()
    assert document["accuracy"] == pytest.approx(report["accuracy"], abs=1e-6) and document["loss"] == pytest.approx(shipped.loss, abs=1e-6)
    for row in document["table"]:
        theirs = report[row["class"]]
        assert [row[name] for name in ("precision", "recall", "f1")] == pytest.approx([theirs["precision"], theirs["recall"], theirs["f1-score"]], abs=1e-6)
        assert row["support"] == theirs["support"]
    for ours, theirs in ((document["macro"], report["macro avg"]), (document["weighted"], report["weighted avg"])):
        assert list(ours.values()) == pytest.approx([theirs["precision"], theirs["recall"], theirs["f1-score"]], abs=1e-6)
    assert sum(group["count"] for group in document["calibration"]["bins"]) == document["images"] == 1000
    assert (document["model"], document["dataset"], document["leakage"]) == (DEFAULT_MODEL, "MNIST 5k", shipped.leakage)


def test_undefined_metrics_are_none_in_the_summary() -> None:
    document = summary(evaluation_of([0, 1], [0, 0], [0.9, 0.9]))
    assert [document["table"][place]["precision"] for place in (0, 1, 2)] == [0.5, None, None]
    assert [document["table"][place]["recall"] for place in (0, 1, 2)] == [1, 0, None]
    assert [document["table"][place]["f1"] for place in (0, 1, 2)] == [pytest.approx(2 / 3, abs=1e-6), 0, None]
    assert document["calibration"]["bins"][0]["accuracy"] is None


def test_a_prediction_is_rivalled_by_the_true_class_or_by_the_second_most_probable(shipped: Evaluation) -> None:
    ranked = np.argsort(-shipped.probabilities, axis=1)
    wrong, right = (int(np.flatnonzero(shipped.is_correct == is_correct)[0]) for is_correct in (False, True))
    assert rivals(shipped, wrong) == (ranked[wrong, 0], shipped.labels[wrong])
    for index in range(right, right + 50):
        if shipped.is_correct[index]:
            assert rivals(shipped, index) == (ranked[index, 0], ranked[index, 1])


def test_images_come_with_the_three_most_probable_classes(shipped: Evaluation, digits: ImageSet) -> None:
    chosen = [*mistakes(shipped, 5).tolist(), 7]
    document = json.loads(json.dumps(pictures(shipped, chosen), allow_nan=False))
    assert document["index"] == chosen and document["shape"] == [1, 28, 28]
    pixels = np.frombuffer(base64.b64decode(document["pixels"]), dtype=np.uint8).reshape(-1, *document["shape"])
    assert np.array_equal(pixels, digits.test_images[chosen])
    assert document["labels"] == digits.test_labels[chosen].tolist()
    likely, classes = torch.from_numpy(shipped.probabilities[chosen]).topk(3)
    assert [[place for place, _ in top] for top in document["top"]] == classes.tolist()
    np.testing.assert_allclose([[share for _, share in top] for top in document["top"]], likely, atol=1e-6)
    assert document["predictions"] == classes[:, 0].tolist() and document["confidence"] == pytest.approx(likely[:, 0].tolist(), abs=1e-6)


def test_pixels_of_colour_images_are_in_channel_order() -> None:
    model, images = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}), info="shapes"), random_images("shapes", 4)
    document = pictures(evaluate_model(model, images), [3, 0])
    assert base64.b64decode(document["pixels"]) == images.test_images[[3, 0]].numpy().tobytes() and document["shape"] == [3, 32, 32]


def test_without_images_there_are_no_pixels(shipped: Evaluation) -> None:
    document = pictures(shipped, [])
    assert document["pixels"] == "" and document["top"] == [] == document["index"]


# Whether the figures flatter


def test_test_images_that_were_not_trained_on_are_reported(digits: ImageSet) -> None:
    model = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}))
    assert describe_leakage(model, digits) == "These 1,000 images of MNIST 5k were never used in training."
    mnist = replace(random_images("mnist", 5), info=dataset_info("mnist"))
    assert describe_leakage(model, mnist) == "These 5 images of MNIST were never used in training."


def test_training_images_among_the_test_images_are_counted(digits: ImageSet) -> None:
    leaky = replace(digits, test_images=torch.cat([digits.test_images[:7], digits.train_images[[5, 5, 9]]]), test_labels=digits.test_labels[:10])
    model = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}))
    assert "include 3 of these 10 images of MNIST 5k" in describe_leakage(model, leaky)
    assert "include 3 of these 3 images of MNIST, pixel" in describe_leakage(
        model, replace(leaky, info=dataset_info("mnist"), test_images=leaky.test_images[7:])
    )


def test_the_shipped_network_was_trained_on_images_of_mnist_5k(shipped: Evaluation) -> None:
    assert "MNIST’s training images" in shipped.leakage and "trained on them" in shipped.leakage


def test_for_imported_weights_the_training_images_are_unknown(digits: ImageSet) -> None:
    spec = preset("mnist-mlp")
    brought = create_from_weights(CONFIG, spec, build(spec).state_dict())
    brought.checkpoints.save({"weights": build(spec).state_dict(), "step": 1})
    runs = [brought]
    for _ in range(2):
        created = Created(0.0, "", parent=runs[-1].id, parent_step=1)
        runs.append(create_from(CONFIG, spec, created, lambda run: run.checkpoints.save({"weights": build(spec).state_dict(), "step": 1})))
    for run in runs:
        assert "They may have been trained on" in describe_leakage(load_model(run.id), digits)
    shutil.rmtree(brought.path)
    assert "never used" in describe_leakage(load_model(runs[-1].id), digits)
    assert "never used" in describe_leakage(load_model(run_with_checkpoints().id), digits)


def test_training_and_test_images_of_bundled_sets_are_distinct(data_folder: Path) -> None:
    for info in DATASETS:
        if info.offline:
            images = load(info.name)
            assert evaluating._count_duplicates(images.train_images, images.test_images) == 0


def test_an_unknown_class_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="no class 4711"):
        cell(evaluation_of([0], [0], [0.9]), 4711, 0)
