"""The form of a race: data set, network, the setting that differs, and the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from playground.data.catalogue import DATASETS, DatasetInfo, dataset_info
from playground.errors import PlaygroundError
from playground.messages import joined, nmsg, t
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.runs.races import (
    FIRST_EPOCHS,
    FIRST_OPTIMIZERS,
    KINDS,
    Kind,
    Variation,
    by_batch_size,
    by_learning_rate,
    by_optimizer,
    create_race,
    variation_name,
)
from playground.runs.run import Run
from playground.server.services import services
from playground.training.config import TrainConfig
from playground.training.optimizers import interchangeable_with
from playground.training.suggestions import suggested
from playground.ui import state
from playground.ui.shared import visitor
from playground.ui.shared.datasets import is_usable
from playground.ui.shared.device import choose_device, chosen_device
from playground.ui.shared.errors import show
from playground.ui.shared.glossary import glossary
from playground.ui.shared.networks import fitting_networks

RATES = "0.03, 0.003, 0.0003"
BATCH_SIZES = "16, 64, 256"


def start(config: TrainConfig, network: NetworkSpec, variations: Sequence[Variation]) -> list[Run]:
    """Create the runs of a race and queue them together.

    Raises:
        PlaygroundError: the network does not fit the data, a variation cannot work, or a run cannot be written.
    """
    info = dataset_info(config.dataset)
    check(network, info.input_shape, len(info.classes))
    runs = create_race(replace(config, network=network.name, device=chosen_device()), network, variations, visitor.current_learner())
    services().scheduler.submit(*runs)
    state.RACE_STARTED.write(tuple(run.id for run in runs))
    return runs


def chosen() -> list[str]:
    """Return the runs of the race started last in this session."""
    return list(state.RACE_STARTED.read())


def choose_race() -> None:
    """Show the form in a dialog, which closes when the race starts."""
    st.dialog(t("New race"), width="medium")(form)()


def form() -> None:
    """Show the settings of the race, and the button that starts it."""
    visitor.use_language()
    st.caption(t("All runs have the same network, the same initial weights and the same order of images."))
    info, network = _choose_task()
    if network is None:
        return
    config = _choose_common(info, network)
    try:
        config, variations = _choose_variations(config)
    except PlaygroundError as error:
        show(error)
        variations = []
    choose_device()
    if variations:
        names = joined((variation_name(variation) for variation in variations), "; ")
        st.caption(t(nmsg("{n} run: {names}.", "{n} runs: {names}.", len(variations), names=names)))
    if st.button(t("Start"), type="primary", icon=":material/flag:", width="stretch", disabled=not variations, key="race-start"):
        try:
            start(config, network, variations)
        except PlaygroundError as error:
            show(error)
            return
        st.rerun()


def _choose_task() -> tuple[DatasetInfo, NetworkSpec | None]:
    """Let the learner choose a data set and a network that fits it."""
    infos = {info.name: info for info in DATASETS if is_usable(info)}
    left, right = st.columns(2)
    name = left.selectbox(
        t("Data set"), list(infos), format_func=lambda name: t(infos[name].title), key=state.RACE_DATASET.key, help=t("Data sets that are downloaded.")
    )
    info = infos[name]
    fitting = fitting_networks(info)
    if not fitting:
        right.warning(t("No network in the folder models/ fits this data set."))
        return info, None
    names, default = list(fitting), suggested(info.name).network
    index = names.index(default) if default in names else 0
    chosen_name = right.selectbox(t("Network"), names, index, format_func=lambda name: t(fitting[name].title or name), key=state.RACE_NETWORK.of(info.name).key)
    return info, fitting[chosen_name]


def _choose_common(info: DatasetInfo, network: NetworkSpec) -> TrainConfig:
    """Let the learner choose the settings that all runs share."""
    first = suggested(info.name, network.name)
    left, right = st.columns(2)
    epochs = left.number_input(
        t("Epochs"), 0.1, 1000.0, min(FIRST_EPOCHS, float(first.epochs)), 1.0, format="%g", key=state.RACE_EPOCHS.of(info.name).key, help=glossary("epoch")
    )
    seed = right.number_input(t("Seed"), 0, 2**31 - 1, first.seed, key=state.RACE_SEED.key, help=glossary("seed"))
    return replace(first, epochs=float(epochs), seed=int(seed))


def _choose_variations(config: TrainConfig) -> tuple[TrainConfig, list[Variation]]:
    """Let the learner choose the setting that differs, and its values.

    Raises:
        ConfigError: there are too few or too many values, or one is not a number.
    """
    kind: Kind = st.segmented_control(
        t("What differs"), list(KINDS), format_func=lambda kind: t(KINDS[kind]), default="optimizer", required=True, key=state.RACE_KIND.key
    )
    titles = {each.name: t(each.title) for each in interchangeable_with(config.optimizer)}
    if kind == "optimizer":
        names = st.pills(
            t("Optimizers"),
            list(titles),
            selection_mode="multi",
            default=FIRST_OPTIMIZERS,
            format_func=titles.__getitem__,
            key=state.RACE_OPTIMIZERS.key,
            help=glossary("optimizer"),
        )
        common = {"learning_rate": config.learning_rate, "optimizer": titles[config.optimizer]}
        explanation = t("Otherwise, all use the learning rate {learning_rate:g}, as {optimizer} does.", **common)
        usual = st.checkbox(t("Give each its usual learning rate"), key=state.RACE_SUITED.key, help=explanation)
        return config, by_optimizer(config, [name for name in titles if name in names], usual=usual)
    index = list(titles).index(config.optimizer)
    optimizer = st.selectbox(
        t("Optimizer"), list(titles), index, format_func=titles.__getitem__, key=state.RACE_OPTIMIZER.of(config.dataset).key, help=glossary("optimizer")
    )
    config = replace(config, optimizer=optimizer)
    if kind == "learning_rate":
        rates = st.text_input(t("Learning rates"), RATES, key=state.RACE_RATES.key, help=t("Two to six numbers, such as 0.1, 0.01."))
        return config, by_learning_rate(rates)
    sizes = st.text_input(t("Batch sizes"), BATCH_SIZES, key=state.RACE_BATCHES.key, help=t("Two to six whole numbers, such as 16, 64."))
    return config, by_batch_size(sizes)
