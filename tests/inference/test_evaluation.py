"""What a network says of all test images: PyTorch and scikit-learn say the same, and each is asked once."""

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
def held(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An empty cache; the names of the networks that were evaluated."""
    names: list[str] = []

    def counted(model: Model, images: ImageSet) -> Evaluation:
        names.append(model.name)
        return evaluate_model(model, images)

    monkeypatch.setattr(evaluating, "_cache", evaluating._Cache())
    monkeypatch.setattr(evaluating, "evaluate_model", counted)
    return names


def untrained(*layers: LayerSpec, info: str = "mnist-5k") -> Model:
    found = dataset_info(info)
    spec = NetworkSpec("mine", found.input_shape, layers)
    return Model("mine", spec, found, STANDARDISED, build(spec, seed=1).eval().requires_grad_(False), torch.device("cpu"))


def some(info: str, count: int) -> ImageSet:
    """Random pixels and labels in the form of a data set."""
    found, random = dataset_info(info), torch.Generator().manual_seed(count)
    pixels = torch.randint(0, 256, (2 * count, *found.input_shape), generator=random, dtype=torch.uint8)
    labels = torch.randint(0, len(found.classes), (2 * count,), generator=random)
    return ImageSet(found, pixels[:count], labels[:count], pixels[count:], labels[count:])


def heard(model: Model, layer: nn.Module, images: Tensor) -> Tensor:
    """What enters a layer, as a hook of PyTorch's hears it: (N, F)."""
    inputs: list[Tensor] = []
    handle = layer.register_forward_pre_hook(lambda _layer, arguments: inputs.append(arguments[0]))
    with torch.inference_mode():
        model.network(model.prepare(images))
    handle.remove()
    return inputs[0].flatten(1)


def test_the_answers_are_those_of_the_network(shipped: Evaluation, digits: ImageSet) -> None:
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


def test_the_features_are_what_a_hook_hears_at_the_last_linear_layer(shipped: Evaluation, digits: ImageSet) -> None:
    model = load_model(DEFAULT_MODEL)
    assert np.array_equal(shipped.sample, np.arange(1000)) and shipped.features.dtype == np.float32
    expected = torch.cat([heard(model, model.network[-1], batch) for batch in digits.test_images.split(BATCH)])
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
def test_every_stack_has_a_layer_whose_input_is_taken(layers: tuple[LayerSpec, ...], place: int) -> None:
    model, images = untrained(*layers), some("mnist-5k", 30)
    found = evaluate_model(model, images)
    np.testing.assert_allclose(found.features, heard(model, model.network[place], images.test_images), atol=1e-5)
    np.testing.assert_allclose(found.probabilities, model.probabilities(images.test_images), atol=1e-6)


@pytest.mark.parametrize(
    "name", sorted(name for name, spec in load_presets().networks.items() if spec.input_shape in (DIGITS.input_shape, OBJECTS.input_shape))
)
def test_every_preset_can_be_evaluated(name: str) -> None:
    spec = preset(name)
    info = DIGITS if spec.input_shape == DIGITS.input_shape else OBJECTS
    model, images = untrained(*spec.layers, info=info.name), some(info.name, 20)
    found = evaluate_model(model, images)
    np.testing.assert_allclose(found.features, heard(model, model.network[-1], images.test_images), atol=1e-5)


def test_more_images_than_a_batch_and_a_sample() -> None:
    model, images = untrained(FLAT, LayerSpec("Linear", {"out_features": 10})), some("mnist-5k", 2300)
    found = evaluate_model(model, images)
    assert found.logits.shape == (2300, 10) and found.features.shape == (SAMPLE, 784)
    assert (np.diff(found.sample) > 0).all() and found.sample.max() > 2000
    np.testing.assert_allclose(found.features, model.prepare(images.test_images[found.sample]).flatten(1), atol=1e-6)
    np.testing.assert_allclose(found.probabilities, model.probabilities(images.test_images), atol=1e-6)
    assert np.array_equal(found.sample, evaluate_model(model, images).sample)


def test_of_very_many_features_neighbours_are_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating, "MAX_FEATURES", 196)
    model, images = untrained(FLAT, LayerSpec("Linear", {"out_features": 10})), some("mnist-5k", 5)
    expected = model.prepare(images.test_images).reshape(5, 196, 4).mean(dim=2)
    np.testing.assert_allclose(evaluate_model(model, images).features, expected, atol=1e-6)


def test_the_network_is_left_as_it_was(digits: ImageSet) -> None:
    model = load_model(DEFAULT_MODEL)
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    evaluate_model(model, digits)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.network.state_dict().items())
    assert not any(module.training or module._forward_hooks or module._forward_pre_hooks for module in model.network.modules())


def test_who_asks_the_same_network_meanwhile_is_not_heard(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
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
    found = evaluate_model(model, digits)
    assert np.array_equal(found.logits, alone.logits) and np.array_equal(found.features, alone.features)


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=str)
def test_answers_that_are_no_numbers_are_told(value: float) -> None:
    model = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}))
    model.network[1].bias[3] = value
    with pytest.raises(CheckpointError, match="not finite"):
        evaluate_model(model, some("mnist-5k", 5))


def test_huge_answers_have_a_finite_loss() -> None:
    model = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}))
    model.network[1].weight.mul_(1e36)
    found = evaluate_model(model, some("mnist-5k", 50))
    assert np.isfinite(found.losses).all() and found.losses.max() > 1e30 and np.isfinite(found.probabilities).all()
    json.dumps(summary(found), allow_nan=False)


def test_data_of_other_classes_is_refused(digits: ImageSet) -> None:
    with pytest.raises(ShapeError, match="other classes"):
        evaluate_model(load_model(DEFAULT_MODEL), replace(digits, info=dataset_info("kmnist")))


def test_the_data_sets_that_fit_begin_with_the_networks_own() -> None:
    assert [info.name for info in compatible_datasets(load_model(DEFAULT_MODEL))] == ["mnist", "mnist-5k"]
    assert [info.name for info in compatible_datasets(untrained(FLAT, LayerSpec("Linear", {"out_features": 10})))] == ["mnist-5k", "mnist"]


# Held


CONFIG = TrainConfig(network="mnist-mlp")


def kept(seed: int = 0, steps: tuple[int, ...] = (1,)) -> Run:
    """A run with checkpoints of random weights."""
    run = create(CONFIG, preset("mnist-mlp"))
    for step in steps:
        run.checkpoints.save({"weights": build(run.network, seed=seed + step).state_dict(), "step": step})
    return run


def test_an_evaluation_is_computed_once_for_a_file(held: list[str]) -> None:
    run = kept()
    first = load_evaluation(run.id)
    assert load_evaluation(run.id) is first is load_evaluation(run.id, "mnist-5k") and held == [run.id]
    later = run.checkpoints.latest_path.stat().st_mtime_ns + 10**9
    os.utime(run.checkpoints.latest_path, ns=(later, later))
    assert load_evaluation(run.id) is not first and held == [run.id, run.id]


def test_each_checkpoint_has_its_own(held: list[str]) -> None:
    run = kept(steps=(1, 2))
    first, second = (load_evaluation(f"{run.id}@{step}") for step in (1, 2))
    assert not np.array_equal(first.logits, second.logits) and first.model == f"{run.id}@1"
    assert np.array_equal(load_evaluation(run.id).logits, second.logits)


def test_the_shipped_network_is_evaluated_on_the_digits_that_are_there(held: list[str]) -> None:
    assert load_evaluation(DEFAULT_MODEL, "mnist-5k").accuracy > 0.98
    with pytest.raises(DataError, match="not been downloaded"):
        load_evaluation(DEFAULT_MODEL)


@pytest.mark.parametrize("name", ["nobody", ""])
def test_an_unknown_network_or_data_set_is_told(name: str, held: list[str]) -> None:
    with pytest.raises(UnknownName):
        load_evaluation(name)
    with pytest.raises(UnknownName):
        load_evaluation(DEFAULT_MODEL, name or "nothing")


def test_only_the_last_ones_are_cache(held: list[str]) -> None:
    runs = [kept(seed) for seed in range(CACHED + 1)]
    for run in runs[:CACHED]:
        load_evaluation(run.id)
    load_evaluation(runs[0].id)  # now the second is the one not asked for the longest
    load_evaluation(runs[CACHED].id)
    assert held == [run.id for run in runs]
    load_evaluation(runs[0].id)
    assert len(held) == CACHED + 1
    load_evaluation(runs[1].id)
    assert held[-1] == runs[1].id


def test_an_earlier_state_of_the_same_file_goes_first(held: list[str]) -> None:
    other, run = kept(1), kept(2)
    first = load_evaluation(other.id)
    for later in range(1, CACHED + 3):
        os.utime(run.checkpoints.latest_path, ns=(later * 10**9, later * 10**9))
        load_evaluation(run.id)
    assert load_evaluation(other.id) is first


def test_many_who_ask_at_once_wait_for_one_computation(held: list[str]) -> None:
    run, together = kept(), threading.Barrier(8)

    def ask(_number: int) -> Evaluation:
        together.wait()
        return load_evaluation(run.id)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert held == [run.id] and all(one is found[0] for one in found)


def test_what_is_there_is_had_while_another_is_computed(held: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ready, slow = kept(1), kept(2)
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


def test_a_computation_that_failed_lets_the_next_one_begin(held: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    run = kept()
    with pytest.raises(ShapeError):
        load_evaluation(run.id, "shapes")
    assert load_evaluation(run.id).model == run.id


# Looked at from many sides


def made(labels: list[int], predictions: list[int], confidence: list[float]) -> Evaluation:
    """An evaluation of ten classes in which each image was given a class with a confidence, and the rest is shared out."""
    sure, count = np.array(confidence), len(labels)
    probabilities = np.repeat((1 - sure[:, None]) / 9, 10, axis=1)
    probabilities[np.arange(count), predictions] = sure
    logits = np.log(probabilities).astype(np.float32)
    images = replace(some("mnist-5k", count), test_labels=torch.tensor(labels))
    place, each = np.arange(count), (np.array(values, dtype=np.int64) for values in (labels, predictions))
    return Evaluation("mine", images, logits, probabilities, *each, sure, -np.log(probabilities[place, labels]), place, logits, "")


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    rows = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.5, 0.6, 0.9, 0.99])), min_size=1, max_size=30))
    return made(*(list(column) for column in zip(*rows, strict=True)))


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
def test_a_filter_lets_through_what_it_says(evaluation: Evaluation, chosen: Filter, offset: int, count: int) -> None:
    expected = []
    for image, (label, prediction) in enumerate(zip(evaluation.labels, evaluation.predictions, strict=True)):
        wanted = {"all": True, "right": label == prediction, "wrong": label != prediction}[chosen.outcome]
        if wanted and chosen.true in (None, label) and chosen.predicted in (None, prediction):
            expected.append(image)
    expected.sort(key=lambda image: (CERTAINTY[chosen.order](evaluation, image), image))
    page = grid(evaluation, chosen, offset, count)
    assert page.total == len(expected) and page.indices.tolist() == expected[offset : offset + count]


def test_mistakes_and_cells_begin_with_the_most_certain() -> None:
    evaluation = made([0, 0, 1, 1, 1], [0, 1, 1, 0, 0], [0.9, 0.6, 0.5, 0.7, 0.99])
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
        lambda _evaluation: Filter("some"),
        lambda _evaluation: Filter(order="upside-down"),
    ],
    ids=["class", "cell", "none", "before", "large", "negative", "behind", "many", "answers", "order"],
)
def test_what_there_is_not_is_told(ask: Callable[[Evaluation], object], shipped: Evaluation) -> None:
    with pytest.raises(PlaygroundError):
        ask(shipped)


def test_a_page_behind_the_last_one_is_empty(shipped: Evaluation) -> None:
    page = grid(shipped, Filter(), 5000)
    assert page.total == 1000 and not page.indices.size


def test_the_summary_is_that_of_scikit_learn(shipped: Evaluation) -> None:
    told = json.loads(json.dumps(summary(shipped), allow_nan=False))
    report = classification_report(shipped.labels, shipped.predictions, target_names=DIGITS.classes, output_dict=True)
    assert told["confusion"] == confusion_matrix(shipped.labels, shipped.predictions).tolist()
    assert told["accuracy"] == pytest.approx(report["accuracy"], abs=1e-6) and told["loss"] == pytest.approx(shipped.loss, abs=1e-6)
    for row in told["table"]:
        theirs = report[row["class"]]
        assert [row[name] for name in ("precision", "recall", "f1")] == pytest.approx([theirs["precision"], theirs["recall"], theirs["f1-score"]], abs=1e-6)
        assert row["support"] == theirs["support"]
    for ours, theirs in ((told["macro"], report["macro avg"]), (told["weighted"], report["weighted avg"])):
        assert list(ours.values()) == pytest.approx([theirs["precision"], theirs["recall"], theirs["f1-score"]], abs=1e-6)
    assert sum(group["count"] for group in told["calibration"]["bins"]) == told["images"] == 1000
    assert (told["model"], told["dataset"], told["leakage"]) == (DEFAULT_MODEL, "MNIST 5k", shipped.leakage)


def test_what_is_undefined_is_none_in_the_summary() -> None:
    told = summary(made([0, 1], [0, 0], [0.9, 0.9]))
    assert [told["table"][place]["precision"] for place in (0, 1, 2)] == [0.5, None, None]
    assert [told["table"][place]["recall"] for place in (0, 1, 2)] == [1, 0, None]
    assert [told["table"][place]["f1"] for place in (0, 1, 2)] == [pytest.approx(2 / 3, abs=1e-6), 0, None]
    assert told["calibration"]["bins"][0]["accuracy"] is None


def test_pictures_bring_the_pixels_and_the_three_likeliest_classes(shipped: Evaluation, digits: ImageSet) -> None:
    chosen = [*mistakes(shipped, 5).tolist(), 7]
    told = json.loads(json.dumps(pictures(shipped, chosen), allow_nan=False))
    assert told["index"] == chosen and told["shape"] == [1, 28, 28]
    pixels = np.frombuffer(base64.b64decode(told["pixels"]), dtype=np.uint8).reshape(-1, *told["shape"])
    assert np.array_equal(pixels, digits.test_images[chosen])
    assert told["labels"] == digits.test_labels[chosen].tolist()
    likely, classes = torch.from_numpy(shipped.probabilities[chosen]).topk(3)
    assert [[place for place, _ in top] for top in told["top"]] == classes.tolist()
    np.testing.assert_allclose([[share for _, share in top] for top in told["top"]], likely, atol=1e-6)
    assert told["predictions"] == classes[:, 0].tolist() and told["confidence"] == pytest.approx(likely[:, 0].tolist(), abs=1e-6)


def test_colour_pictures_come_channel_by_channel() -> None:
    model, images = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}), info="shapes"), some("shapes", 4)
    told = pictures(evaluate_model(model, images), [3, 0])
    assert base64.b64decode(told["pixels"]) == images.test_images[[3, 0]].numpy().tobytes() and told["shape"] == [3, 32, 32]


def test_no_pictures_are_no_pixels(shipped: Evaluation) -> None:
    told = pictures(shipped, [])
    assert told["pixels"] == "" and told["top"] == [] == told["index"]


# Whether the figures flatter


def test_test_images_that_were_never_learnt_are_said_to_be_so(digits: ImageSet) -> None:
    model = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}))
    assert describe_leakage(model, digits) == "These 1,000 images of MNIST 5k were never used in training."
    mnist = replace(some("mnist", 5), info=dataset_info("mnist"))
    assert describe_leakage(model, mnist) == "These 5 images of MNIST were never used in training."


def test_training_images_among_the_test_images_are_counted(digits: ImageSet) -> None:
    leaky = replace(digits, test_images=torch.cat([digits.test_images[:7], digits.train_images[[5, 5, 9]]]), test_labels=digits.test_labels[:10])
    model = untrained(FLAT, LayerSpec("Linear", {"out_features": 10}))
    assert "include 3 of these 10 images of MNIST 5k" in describe_leakage(model, leaky)
    assert "include 3 of these 3 images of MNIST, pixel" in describe_leakage(
        model, replace(leaky, info=dataset_info("mnist"), test_images=leaky.test_images[7:])
    )


def test_the_shipped_network_knows_mlxtends_digits(shipped: Evaluation) -> None:
    assert "MNIST’s training images" in shipped.leakage and "trained on them" in shipped.leakage


def test_of_weights_from_elsewhere_nobody_can_tell(digits: ImageSet) -> None:
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
    assert "never used" in describe_leakage(load_model(kept().id), digits)


def test_the_built_in_sets_never_share_an_image(data_folder: Path) -> None:
    for info in DATASETS:
        if info.offline:
            images = load(info.name)
            assert evaluating._count_duplicates(images.train_images, images.test_images) == 0


def test_class_numbers_are_checked_with_words() -> None:
    with pytest.raises(ConfigError, match="no class 4711"):
        cell(made([0], [0], [0.9]), 4711, 0)
