"""A configuration is valid or refused with all its problems, and survives JSON and the command line."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playground.cli import main as cli
from playground.data.augmentation import Augmentation
from playground.data.catalogue import DATASETS
from playground.data.input_scaling import INPUT_SCALINGS
from playground.environment import ROOT
from playground.errors import ConfigError
from playground.network.initialisations import INITIALISATIONS
from playground.training.config import PRECISIONS, SETTINGS, TrainConfig
from playground.training.optimizers import OPTIMIZER_TITLES
from playground.training.reference import settings_reference
from playground.training.schedules import SCHEDULE_TITLES
from playground.training.suggestions import suggested

from ..support.tiers import repetitions

EVERYTHING = TrainConfig(
    dataset="mnist",
    network="lenet-5",
    epochs=2.5,
    batch_size=17,
    optimizer="sgd",
    learning_rate=0.0123456789,
    momentum=0.8765432109,
    nesterov=True,
    betas=(0.85, 0.9875),
    weight_decay=0.00012345678,
    clip_grad_norm=1.5,
    schedule="cosine",
    label_smoothing=0.1,
    inputs="0-1",
    initialisation="orthogonal",
    whiten=True,
    augment=Augmentation(shift=3, flip=True, rotation=12.3456789, scale=0.123456789, stroke=0.25, noise=0.05, styles=0.2, scribbles=0.1),
    evaluate_every=7,
    precision="bfloat16",
    seed=2**31 - 1,
    device="cpu",
)
"""No field has its default value."""

WRONG = {
    "epochs": (0, -1, 1000.5, math.nan, math.inf, "3", None, True, 10**400),
    "batch_size": (0, -3, 65537, 2.0, "64", True, None, math.nan),
    "optimizer": ("", "Adam", None, 3, []),
    "learning_rate": (0, -0.1, 100.1, math.nan, math.inf, -math.inf, "1", None),
    "momentum": (-0.1, 1, math.nan, "0"),
    "betas": ((0.9,), (0.9, 1.0), (0.9, -0.1), (0.9, 0.99, 0.999), ("a", "b"), (math.nan, 0.9), 0.9, None),
    "weight_decay": (-1, 10.5, math.nan, math.inf),
    "schedule": ("", "linear", None, {}),
    "label_smoothing": (-0.01, 1, math.nan),
    "inputs": ("", "0-2", None, 7, [], {}),
    "initialisation": ("", "Kaiming", None, 7, [], {}),
    "evaluate_every": (-1, 1.5, "1", None),
    "seed": (-1, 2**31, 0.0, "0", None),
    "precision": ("", "float16", None, 16, [], {}),
    "dataset": ("imagenet", "", None, 7, [], {}),
    "network": (None, 7, [], {}),
    "device": (None, 7, [], {}),
    "nesterov": ("yes", 1, None),
}
WRONG_AUGMENT = {
    "shift": (-1, 100, 1.5, "1", None, math.nan, True),
    "flip": ("yes", 3, None),
    "rotation": (-1, 181, math.nan, math.inf, "10", None),
    "scale": (-0.1, 0.95, math.nan, []),
    "stroke": (-0.1, 1.1, math.nan, {}),
    "noise": (-0.1, 1.1, math.nan, math.inf, None),
}


def cases(table: dict[str, tuple[Any, ...]]) -> list[Any]:
    return [pytest.param(name, value, id=f"{name}={str(value)[:12]!r}") for name, values in table.items() for value in values]


def from_command_line(words: list[str]) -> TrainConfig:
    """Parse arguments of the command `train`."""
    command = cli.commands["train"]
    options = command.make_context("train", list(words), **cli.context_settings).params
    for name in ("as_json", "start"):
        options.pop(name)
    return TrainConfig.from_options(options)


numbers = st.floats(min_value=1e-6, max_value=0.9, allow_nan=False)
configs = st.builds(
    lambda nesterov, momentum, **values: TrainConfig(nesterov=nesterov and momentum > 0, momentum=momentum, **values),
    nesterov=st.booleans(),
    momentum=st.floats(0, 0.999),
    dataset=st.sampled_from([info.name for info in DATASETS]),
    network=st.sampled_from(["mnist-mlp", "mnist-cnn", "cifar-resnet"]),
    epochs=st.floats(0.001, 1000) | st.integers(1, 1000),
    batch_size=st.integers(1, 4000),
    optimizer=st.sampled_from(list(OPTIMIZER_TITLES)),
    learning_rate=st.floats(1e-12, 100),
    betas=st.tuples(numbers, numbers),
    weight_decay=st.floats(0, 10),
    clip_grad_norm=st.floats(0, 1000),
    schedule=st.sampled_from(list(SCHEDULE_TITLES)),
    label_smoothing=st.floats(0, 0.99),
    inputs=st.sampled_from(list(INPUT_SCALINGS)),
    initialisation=st.sampled_from(list(INITIALISATIONS)),
    augment=st.builds(
        Augmentation,
        shift=st.integers(0, 14),
        flip=st.booleans(),
        rotation=st.floats(0, 180),
        scale=st.floats(0, 0.9),
        stroke=st.floats(0, 1),
        noise=st.floats(0, 1),
    ),
    evaluate_every=st.integers(0, 10**6),
    precision=st.sampled_from(list(PRECISIONS)),
    seed=st.integers(0, 2**31 - 1),
    device=st.sampled_from(["best", "cpu", "cuda:1"]),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["adam", "shapes", "step"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
names = st.sampled_from([*EVERYTHING.to_dict(), "surprise"])
augments = st.dictionaries(st.sampled_from([*EVERYTHING.to_dict()["augment"], "surprise"]), values, max_size=3)
documents = values | st.dictionaries(names, values, max_size=4) | st.fixed_dictionaries({"augment": augments})


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig(epochs=-1, batch_size=0, optimizer="magic", learning_rate=math.nan, schedule="zigzag", seed=-5, augment=Augmentation(shift=99, noise=-1))
    problems = caught.value.problems
    assert len(problems) == 8
    for word in ("Epochs", "Batch size", "magic", "nan", "zigzag", "-5", "shift", "noise"):
        assert sum(word in problem for problem in problems) == 1, word
    assert all(problem in str(caught.value) for problem in problems)


@pytest.mark.parametrize(("name", "value"), cases(WRONG))
def test_an_invalid_value_in_a_document_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_dict({name: value})
    assert caught.value.problems


@pytest.mark.parametrize(("name", "value"), cases(WRONG_AUGMENT))
def test_an_invalid_augmentation_in_a_document_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_dict({"augment": {name: value}})
    assert len(caught.value.problems) == 1 and name in caught.value.problems[0]


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ConfigError, match="momentum above 0"):
        TrainConfig(optimizer="sgd", nesterov=True, momentum=0.0)


@pytest.mark.parametrize("info", DATASETS, ids=lambda info: info.name)
def test_a_batch_may_be_as_large_as_the_training_set_but_no_larger(info: Any) -> None:
    assert TrainConfig(info.name, batch_size=info.train_size).batch_size == info.train_size
    with pytest.raises(ConfigError, match=rf"A batch of {info.train_size + 1:,} is larger than {info.title}"):
        TrainConfig(info.name, batch_size=info.train_size + 1)


def test_no_setting_of_this_configuration_is_the_default() -> None:
    plain, given = TrainConfig().to_dict(), EVERYTHING.to_dict()
    assert [name for name in plain if plain[name] == given[name]] == []
    assert [name for name in plain["augment"] if plain["augment"][name] == given["augment"][name]] == []


def test_drawn_images_are_mixed_into_digits_only() -> None:
    assert TrainConfig(dataset="mnist-5k", augment=Augmentation(styles=0.2)).augment.draws
    with pytest.raises(ConfigError, match="only be mixed into digits, not into Shapes"):
        TrainConfig(dataset="shapes", augment=Augmentation(scribbles=0.1))


def test_round_trip_through_json() -> None:
    assert TrainConfig.from_dict(json.loads(json.dumps(EVERYTHING.to_dict()))) == EVERYTHING


def test_an_empty_document_is_the_default_configuration() -> None:
    assert TrainConfig.from_dict({}) == TrainConfig()


@given(configs)
@settings(max_examples=repetitions(50))
def test_every_configuration_survives_json(config: TrainConfig) -> None:
    assert TrainConfig.from_dict(config.to_dict()) == config
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict(), allow_nan=False))) == config


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param({"lerning_rate": 1}, "lerning_rate", id="setting"),
        pytest.param({"augment": {"blur": 1}}, "shift, flip", id="augmentation"),
        pytest.param({"augment": [1]}, "must be an object", id="augment-list"),
        pytest.param({"augment": None}, "must be an object", id="augment-null"),
    ],
)
def test_unknown_settings_are_named(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig.from_dict(document)


def test_all_unknown_settings_are_named_together() -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_dict({"one": 1, "two": 2, "augment": 3})
    assert len(caught.value.problems) == 3


@given(documents)
@example(None)
@example([])
@example("epochs")
@example({"betas": 5})
@example({"betas": [math.nan, math.inf]})
@example({"dataset": []})
@example({"augment": {"shift": "x"}})
@example({"epochs": -math.inf, "learning_rate": math.nan})
@settings(max_examples=repetitions(200))
def test_every_json_document_is_a_configuration_or_refused(document: Any) -> None:
    try:
        config = TrainConfig.from_dict(document)
    except ConfigError:
        return
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict(), allow_nan=False))) == config
    assert 0 < config.epochs <= 1000 and 0 < config.learning_rate <= 100 and config.batch_size >= 1


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(TrainConfig(), id="default"),
        pytest.param(replace(EVERYTHING, learning_rate=0.01, momentum=0.5, weight_decay=0.001, augment=Augmentation(flip=True, shift=2)), id="short-numbers"),
        pytest.param(EVERYTHING, id="long-numbers"),
        *(pytest.param(suggested(info.name), id=f"suggested-{info.name}") for info in DATASETS),
    ],
)
def test_the_command_line_of_a_configuration_gives_the_same_configuration(config: TrainConfig) -> None:
    assert from_command_line(config.arguments()) == config


@given(configs)
@settings(max_examples=repetitions(50))
def test_the_command_line_of_every_configuration_gives_the_same_configuration(config: TrainConfig) -> None:
    assert from_command_line(config.arguments()) == config


def test_the_command_line_leaves_defaults_out() -> None:
    assert TrainConfig(seed=3).arguments() == ["--dataset", "mnist-5k", "--network", "mnist-cnn", "--seed", "3"]


def test_every_setting_has_a_title_and_a_help_text() -> None:
    for setting in SETTINGS:
        assert setting.title and setting.help.endswith(".") and setting.problem(setting.default) == "", setting.name
    assert {setting.name.partition(".")[0] for setting in SETTINGS} == {item.name for item in fields(TrainConfig)}
    assert len({setting.option for setting in SETTINGS}) == len({setting.title for setting in SETTINGS}) == len(SETTINGS)


@given(configs)
@settings(deadline=None, max_examples=50)
def test_every_value_of_a_configuration_is_one_that_its_setting_allows(config: TrainConfig) -> None:
    assert [setting.problem(setting.value(config)) for setting in SETTINGS if setting.problem(setting.value(config))] == []


def test_the_document_of_the_settings_is_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_reference(), "python -m playground.training.reference > docs/settings.md"
