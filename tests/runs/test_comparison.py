"""Comparison of runs: names, differing settings, cost and curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from playground.data.catalogue import dataset_info
from playground.errors import CheckpointError, ConfigError, PlaygroundError
from playground.network.build import build
from playground.network.presets import preset
from playground.network.spec import NetworkSpec, from_dict
from playground.runs.branching import fork
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.labels import relabel
from playground.runs.run import Run, create, create_from
from playground.runs.trash import delete
from playground.runs.views.comparison import BACKWARD, Axis, default_name, differing, facts, macs, name, overlay, points_each
from playground.training.config import SETTINGS, TrainConfig
from playground.training.events import Created, Evaluated, Started, Step, Stopped
from playground.training.suggestions import suggested

from .small import SMALL

BASE = suggested("mnist-5k")
NAME = "Small modern CNN on MNIST 5k"
"""Of a run with the suggested settings."""


def create_run(spec: NetworkSpec | None = None, /, **changes: Any) -> Run:
    config = TrainConfig.from_dict({**BASE.to_dict(), **changes})
    return create(config, spec or preset(config.network), owner="ada")


def record_run(losses: Sequence[float], evaluations: Sequence[tuple[int, float]] = (), per_epoch: int = 10, **changes: Any) -> History:
    """Record a run with these losses, a tenth of a second a step, and evaluations after some steps."""
    run = create_run(**changes)
    with run.journal.recorder() as record:
        record(Started(0.0, 0, 1000, per_epoch, "cpu", 1))
        for number, loss in enumerate(losses, 1):
            record(Step(number, loss, 1 - loss, 0.1, number / 10, 100.0))
        for step, accuracy in evaluations:
            record(Evaluated(step, step / per_epoch, 0.5, 0.5, 1 - accuracy, accuracy, step / 10))
    return History(run).follow()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, NAME),
        ({"optimizer": "sgd", "learning_rate": 0.1}, "SGD, learning rate 0.1"),
        ({"learning_rate": 0.00002}, "Learning rate 2e-5"),
        ({"batch_size": 32, "epochs": 0.5}, "Batch size 32, epochs 0.5"),
        ({"augment": {"shift": 0, "rotation": 10.0}}, "No shift, rotation 10°"),
        ({"optimizer": "sgd", "momentum": 0, "nesterov": False}, "SGD, no momentum"),
        ({"momentum": 0.5}, NAME),  # Adam has none
        ({"evaluate_every": 7, "device": "cpu"}, NAME),  # neither changes what is learnt
        ({"optimizer": "rmsprop", "batch_size": 32, "seed": 5, "label_smoothing": 0.1, "epochs": 2}, "RMSprop, batch size 32, epochs 2 and 2 more"),
        ({"initialisation": "kaiming", "inputs": "0-255"}, "Input scaling 0-255, initialisation Kaiming (He)"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
def test_a_default_name_lists_the_changes(changes: dict[str, Any], text: str) -> None:
    assert default_name(create_run(**changes)) == text


def test_another_network_is_named_first() -> None:
    network = preset("mnist-mlp")
    assert default_name(create_run(network, network="mnist-mlp", seed=3)) == f"{network.title}, seed 3"


def test_another_network_is_compared_with_the_settings_recommended_for_it() -> None:
    network = preset("mnist-cnn")
    assert suggested("mnist").network != network.name
    assert default_name(create(suggested("mnist", network.name), network)) == f"{network.title} on MNIST"


@pytest.mark.parametrize("dataset", ["mnist-5k", "shapes", "cifar10"])
def test_settings_are_compared_with_those_recommended_for_the_data_set(dataset: str) -> None:
    config = suggested(dataset)
    network = preset(config.network)
    assert default_name(create(config, network)) == f"{network.title} on {dataset_info(dataset).title}"


def test_names_mention_every_setting_but_one() -> None:
    silent = {setting.name for setting in SETTINGS if not setting.name_template}
    assert silent == {"dataset", "network", "evaluate_every", "device"}


def test_a_fork_is_named_after_its_step_and_its_changes() -> None:
    parent = create_run(epochs=0.1)
    for _ in execute(parent):
        pass
    step = parent.checkpoints.steps()[-1]
    changed = fork(parent, step, {"epochs": 3.0, "learning_rate": 0.0005}, "ada")
    assert default_name(changed) == f"From step {step}: learning rate 0.0005, epochs 3"
    delete(parent)
    assert default_name(changed).startswith(f"From step {step}: learning rate 0.0005, epochs 3")  # now against what is recommended


def test_a_fork_without_changes_is_named_after_its_step() -> None:
    parent = create_run(epochs=0.1)
    for _ in execute(parent):
        pass
    step = parent.checkpoints.steps()[0]
    child = fork(parent, step, {"epochs": 2.0}, "ada")
    same = replace(child.config, epochs=parent.config.epochs)
    (child.path / "config.json").write_text(json.dumps(same.to_dict()))
    assert default_name(child) == f"From step {step}"


def test_names_mention_start_weights_and_own_drawings() -> None:
    def fill(run: Run) -> None:
        run.start_path.write_bytes(b"weights")

    def teach(run: Run) -> None:
        fill(run)
        run.own_path.write_bytes(b"drawings")

    config, network = suggested("mnist-5k"), preset(suggested("mnist-5k").network)
    runs = [create_from(config, network, Created(0.0, "ada"), filled) for filled in (lambda _run: None, fill, teach)]
    assert [default_name(run) for run in runs] == [NAME, "Weights of a file", "Own drawings"]
    (start,) = differing(runs)
    assert (start.title, start.texts) == ("Start", ("fresh", "weights of a file", "own drawings"))


def test_the_learners_name_replaces_the_default_name() -> None:
    run = create_run(seed=1)
    assert name(run) == "Seed 1"
    relabel(run, name="Mine")
    assert name(run) == "Mine"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", "{"),
        ("config.json", '{"dataset": "mnist-5k", "warp": 9}'),  # a later version's setting
        ("config.json", '{"dataset": "nowhere"}'),
        ("network.json", '{"version": 2}'),
        ("network.json", ""),
        ("events.jsonl", ""),
        ("events.jsonl", '{"kind": "creat'),
        ("events.jsonl", '{"kind": "paused", "step": 1}\n'),
    ],
)
def test_a_damaged_run_raises_an_error_for_the_learner(file: str, content: str) -> None:
    run = create_run()
    default_name(run)  # what was read before does not hide what has become of it
    (run.path / file).write_text(content)
    if file == "events.jsonl":  # of an event that was read once, the rest of a record never changes
        run = Run(run.path.rename(run.path.with_name(f"{run.id[:-4]}0000")))
    with pytest.raises((CheckpointError, ConfigError, PlaygroundError)):
        default_name(run)


def test_only_differing_settings_have_a_column() -> None:
    runs = [create_run(), create_run(optimizer="sgd", learning_rate=0.1), create_run(optimizer="sgd", learning_rate=0.1, momentum=0.5)]
    columns = {column.name: column for column in differing(runs)}
    assert list(columns) == ["optimizer", "learning_rate", "momentum"]
    assert columns["optimizer"].texts == ("Adam", "SGD", "SGD")
    assert columns["optimizer"].numbers == (None, None, None)
    assert columns["learning_rate"].texts == ("0.003", "0.1", "0.1")
    assert columns["learning_rate"].numbers == (0.003, 0.1, 0.1)
    assert columns["momentum"].texts == ("–", "0.9", "0.5")  # Adam has none
    assert columns["momentum"].numbers == (None, 0.9, 0.5)


def test_equal_runs_and_a_single_run_have_no_columns() -> None:
    assert differing([create_run(), create_run()]) == []
    assert differing([create_run(optimizer="sgd")]) == []
    assert differing([]) == []


def test_a_setting_that_an_optimizer_does_not_use_is_no_difference() -> None:
    assert [column.name for column in differing([create_run(), create_run(optimizer="sgd")])] == ["optimizer"]


def test_the_best_device_equals_the_device_that_it_stands_for() -> None:
    assert differing([create_run(device="best"), create_run(device="cpu")]) == []
    assert [column.texts for column in differing([create_run(device="cpu"), create_run(device="cuda:7")])] == [("cpu", "cuda:7")]


def test_data_sets_networks_and_parents_are_columns_of_text() -> None:
    parent = create_run(epochs=0.1)
    for _ in execute(parent):
        pass
    step = parent.checkpoints.steps()[-1]
    child = fork(parent, step, {"epochs": 1.0}, "ada")
    other = create(suggested("shapes"), preset("cifar-resnet"))
    columns = {column.name: column.texts for column in differing([parent, child, other])}
    assert columns["dataset"] == ("MNIST 5k", "MNIST 5k", dataset_info("shapes").title)
    assert columns["network"] == (preset("mnist-cnn").title, preset("mnist-cnn").title, preset("cifar-resnet").title)
    assert columns["parent"] == ("–", f"Epochs 0.1, step {step}", "–")


def test_networks_with_equal_titles_show_their_size() -> None:
    layers = [{"type": "Flatten"}, {"type": "Linear", "out_features": 10}]
    small = from_dict({"name": "mine", "title": "My network", "input_shape": [1, 28, 28], "layers": layers})
    large = from_dict(
        {"name": "mine", "title": "My network", "input_shape": [1, 28, 28], "layers": [layers[0], {"type": "Linear", "out_features": 20}, layers[1]]}
    )
    (column,) = differing([create_run(small, network="mine"), create_run(large, network="mine")])
    assert column.texts == ("My network (2 layers, 7,850 parameters)", "My network (3 layers, 15,910 parameters)")
    assert differing([create_run(small, network="mine"), create_run(small, network="mine")]) == []


def test_facts_before_the_first_step() -> None:
    run = create_run()
    assert asdict(facts(run, History(run).follow())) | {"parameters": 0, "multiply_adds": 0} == {
        "step": 0, "total_steps": 0, "seconds": 0.0, "accuracy": None, "best_accuracy": None, "parameters": 0, "multiply_adds": 0, "compute": 0,
    }  # fmt: skip


def test_facts_of_a_running_run() -> None:
    history = record_run([0.5] * 30, [(10, 0.8), (20, 0.9), (30, 0.7)])
    result = facts(history.run, history)
    assert (result.step, result.total_steps, result.accuracy, result.best_accuracy) == (30, 1000, 0.7, 0.9)
    assert result.seconds == pytest.approx(3.0)


@pytest.mark.parametrize("network", ["mnist-mlp", "lenet-5"])
def test_compute_equals_the_operations_counted_by_pytorch(network: str) -> None:
    spec, batch = preset(network), 64
    module = build(spec, "cpu", 0)
    inputs = torch.zeros(batch, *spec.input_shape, requires_grad=True)  # so that the first layer counts the gradient of its inputs, too
    with FlopCounterMode(display=False) as counter:
        module(inputs).sum().backward()
    history = record_run([0.5], network=network, batch_size=batch)
    result = facts(history.run, history)
    assert result.compute == pytest.approx(counter.get_total_flops() / 2, rel=0.01)  # a multiply-add is two operations
    assert result.compute == (1 + BACKWARD) * result.multiply_adds * batch


def test_images_of_a_short_last_batch_count_once() -> None:
    """4,000 images in batches of 64: the 63rd batch has 32."""
    steps = {63: 4000, 64: 4064, 126: 8000}
    for step, images in steps.items():
        history = record_run([0.5] * step)
        result = facts(history.run, history)
        assert result.compute == 3 * result.multiply_adds * images


def test_compute_of_lbfgs_counts_every_evaluation_of_the_loss() -> None:
    """L-BFGS evaluates the loss on the training set several times a step."""
    run = create(TrainConfig(network="small", optimizer="lbfgs", learning_rate=1.0, epochs=2, device="cpu"), SMALL, owner="ada")
    list(execute(run))
    history = History(run).follow()
    result = facts(run, history)
    images = history.evaluations[-1].images_processed
    assert result.step == 2 and images > 2 * 4000 and images % 4000 == 0
    assert result.compute == 3 * result.multiply_adds * images


def test_compute_after_the_last_evaluation_counts_one_pass_a_step() -> None:
    run = create_run()
    with run.journal.recorder() as record:
        record(Started(0.0, 0, 1000, 10, "cpu", 1))
        for number in range(1, 31):
            record(Step(number, 0.5, 0.5, 0.1, number / 10, 100.0))
        record(Evaluated(20, 2.0, 0.5, 0.5, 0.5, 0.5, 2.0, images_processed=10_000))
    result = facts(run, History(run).follow())
    assert result.compute == 3 * result.multiply_adds * (10_000 + 10 * 64)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 MAC"), (999, "999 MAC"), (1_000, "1 kMAC"), (999_600, "1 MMAC"), (1.234e12, "1.23 TMAC"), (5.6e15, "5.6 PMAC"), (7e21, "7e+03 EMAC")],
)
def test_multiply_adds_have_a_unit_prefix(count: float, text: str) -> None:
    assert macs(count) == text


@pytest.mark.parametrize(("x", "places", "end"), [("step", [1, 2, 3], 1000), ("epoch", [0.1, 0.2, 0.3], 100), ("seconds", [0.1, 0.2, 0.3], None)])
def test_a_short_run_keeps_every_point(x: Axis, places: list[float], end: float | None) -> None:
    drawn = overlay(record_run([0.9, 0.6, 0.3], [(2, 0.75)]), x, "loss")
    assert drawn["state"] == "interrupted"
    assert drawn["end"] == end
    assert drawn["train"] == {"x": places, "y": [0.9, 0.6, 0.3]}
    assert drawn["test"] == {"x": [places[1]], "y": [0.25]}


def test_training_and_test_accuracy_have_curves() -> None:
    drawn = overlay(record_run([0.9, 0.6], [(2, 0.75)]), "step", "accuracy")
    assert drawn["train"]["y"] == [0.1, 0.4]
    assert drawn["test"]["y"] == [0.75]


@pytest.mark.parametrize("count", [300, 301, 600, 601, 20_001])
def test_a_long_run_is_reduced_to_means(count: int) -> None:
    losses = np.random.default_rng(0).random(count)
    train = overlay(record_run(list(losses)), "step", "loss")["train"]
    assert 150 <= len(train["y"]) <= 300
    size = round(train["x"][1] - train["x"][0])
    np.testing.assert_allclose(train["y"][:-1], losses[: (len(train["y"]) - 1) * size].reshape(-1, size).mean(1), rtol=1e-4)
    assert train["y"][-1] == pytest.approx(losses[(len(train["y"]) - 1) * size :].mean(), rel=1e-4)


def test_a_curve_that_grows_keeps_its_points() -> None:
    losses = list(np.random.default_rng(0).random(420))
    before, after = (overlay(record_run(losses[:count]), "step", "loss")["train"] for count in (402, 420))
    whole = len(before["y"]) - 1
    assert after["y"][:whole] == before["y"][:whole]


def test_many_evaluations_are_reduced_to_some_of_them() -> None:
    accuracies = [(step, step / 1000) for step in range(1, 1001)]
    test = overlay(record_run([0.5] * 1000, accuracies), "step", "accuracy", points=20)["test"]
    assert len(test["x"]) == 20
    assert (test["x"][0], test["x"][-1]) == (1, 1000)
    assert [step / 1000 for step in test["x"]] == test["y"]


def test_ten_long_runs_take_at_most_100_kilobytes() -> None:
    rng = np.random.default_rng(0)
    histories = [record_run(list(rng.random(5_000)), [(step, rng.random()) for step in range(1, 5_000, 10)], per_epoch=63) for _ in range(10)]
    drawn = [overlay(history, "epoch", "loss", points_each(len(histories))) for history in histories]
    assert len(json.dumps(drawn, separators=(",", ":"))) <= 100_000


def test_a_non_finite_value_is_none() -> None:
    history = record_run([0.5, 0.4])
    history.steps._values[1, 0] = np.inf
    assert overlay(history, "step", "loss")["train"]["y"] == [None, 0.4]


def test_a_run_that_has_not_started_has_empty_curves() -> None:
    run = create_run()
    assert overlay(History(run).follow(), "epoch", "loss") == {"state": "queued", "end": None, "train": {"x": [], "y": []}, "test": {"x": [], "y": []}}
    run.journal.append(Stopped(0.0, 0))
    assert overlay(History(run).follow(), "epoch", "loss")["state"] == "stopped"
