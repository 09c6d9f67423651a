"""Setting up a run: the data set, the network, the settings, and the button that starts the training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.data.catalogue import DATASETS, DatasetInfo, dataset_info
from playground.data.load import download
from playground.data.own_drawings import count_drawings, load_drawings, to_safetensors, to_tensors
from playground.errors import PlaygroundError
from playground.messages import t
from playground.network.presets import load_presets
from playground.network.spec import NetworkSpec
from playground.runs.run import Run
from playground.runs.views.comparison import name
from playground.training.suggestions import suggested
from playground.ui import state
from playground.ui.pages.train.contents import show_data, show_outline
from playground.ui.pages.train.form import choose_settings, fill
from playground.ui.pages.train.opening import go_to
from playground.ui.pages.train.pasting import paste_script
from playground.ui.shared import visitor
from playground.ui.shared.datasets import is_usable
from playground.ui.shared.device import choose_device, chosen_device
from playground.ui.shared.errors import show
from playground.ui.shared.glossary import glossary
from playground.ui.shared.launch import launch
from playground.ui.shared.networks import OWN_NAME, fitting_networks, use_own_network

DRAWER_WIDTH = 420
"""Pixels, so that the curves stay in sight beside it."""


def set_up_on_page() -> None:
    """Show the settings side by side: the page of a learner without a run."""
    text, start = st.container(key="set-up-head").columns([4, 1], vertical_alignment="bottom")
    text.title(t("Train a network"), anchor=False)
    text.caption(t("Train the suggested settings, or change them first. Training continues when you leave the page or close the browser."))
    paste_script()
    data, network, optimizer = st.container(key="set-up").columns(3, gap="large")
    info, spec = _set_up(data, network, optimizer, start)
    with data:
        show_data(info)
    if spec is not None:
        with network:
            show_outline(spec)


def set_up_in_drawer(run: Run) -> None:
    """Show the settings in a drawer beside the run, if it is open."""
    if not state.SETTING_UP.read():
        return

    def drawer() -> None:
        st.button(
            t("Use the settings of “{run}”", run=t(name(run))), icon=":material/settings_backup_restore:", key="use-settings", width="stretch",
            on_click=_use_settings, args=(run,),
        )  # fmt: skip
        paste_script()
        _set_up(st.container(), st.container(), st.container(), st.container(key="train-foot"))

    st.dialog(t("Set up a new run"), width=DRAWER_WIDTH, position="right", on_dismiss=state.SETTING_UP.forget)(drawer)()


def chosen() -> tuple[DatasetInfo, NetworkSpec | None]:
    """Return the data set and the network selected in the settings."""
    info = dataset_info(state.DATASET.read())
    return info, fitting_networks(info).get(state.NETWORK.of(info.name).read())


def _set_up(data: DeltaGenerator, network: DeltaGenerator, optimizer: DeltaGenerator, start: DeltaGenerator) -> tuple[DatasetInfo, NetworkSpec | None]:
    """Fill in the groups of settings, and offer to train with them; return the data set and the network."""
    with data:
        st.header(t("Data"), anchor=False)
        info = _choose_data()
        with_own = _choose_own(info)
    with network:
        st.header(t("Network"), anchor=False)
        spec = _choose_network(info)
        for file, fault in load_presets().faults.items():
            st.warning(t("The file models/{name} cannot be used. {fault}", name=file, fault=fault), icon=":material/build:")
        choose_device()
    if spec is None:
        return info, None
    with optimizer:
        st.header(t("Optimizer"), anchor=False)
        main, more = st.container(), st.expander(t("More settings"), icon=":material/tune:")
    settings = choose_settings(info, spec, main, more)
    with start:
        if not is_usable(info):
            _offer_download(info)
        elif st.button(t("Train"), type="primary", icon=":material/play_arrow:", width="stretch", key="train"):
            _start(info, spec, settings, with_own)
    return info, spec


def _use_settings(run: Run) -> None:
    """Fill in the form as the run was set up. A network that is none of the presets is offered as the learner's own."""
    config, network = run.config, run.network
    if load_presets().networks.get(network.name) != network:
        network = replace(network, name=OWN_NAME)
        use_own_network(network)
    state.DATASET.write(config.dataset)
    state.NETWORK.of(config.dataset).write(network.name)
    fill(config, network.name)


def _choose_data() -> DatasetInfo:
    by_name = {info.name: info for info in DATASETS}
    name = st.selectbox(
        t("Data set"),
        list(by_name),
        format_func=lambda name: t(by_name[name].title),
        key=state.DATASET.key,
        help=glossary("data set", "training set", "test set"),
        persist_state="session",
    )
    info = by_name[name]
    st.caption(t(info.source))
    return info


def _choose_own(info: DatasetInfo) -> bool:
    """Ask whether to train on the learner's drawings as well, if there are any."""
    kept = count_drawings(visitor.current_learner()) if info.kind == "digits" else 0
    if not kept:
        return False
    title = t("Train on my drawings as well ({number:,})", number=kept)
    explained = t(
        "The drawings you saved under Teach on the Draw page are mixed in: about every tenth image is one of yours. "
        "The run stores your drawings; anyone you give its file to gets them as well."
    )
    return st.checkbox(title, key=state.WITH_OWN_DIGITS.key, help=explained, persist_state="session")


def _choose_network(info: DatasetInfo) -> NetworkSpec | None:
    """Let the learner choose a network that fits the data set."""
    fitting = fitting_networks(info)
    if not fitting:
        st.warning(t("No network in the folder models/ fits this data set."))
        return None
    choice = state.NETWORK.of(info.name)
    default = suggested(info.name).network
    if choice.read() not in fitting:  # a default of the widget would not go with a choice made on another page
        choice.write(default if default in fitting else next(iter(fitting)))
    name = st.selectbox(
        t("Network"),
        list(fitting),
        format_func=lambda name: t(fitting[name].title or name),
        key=choice.key,
        help=glossary("layer", "preset"),
        persist_state="session",
    )
    if summary := fitting[name].summary:
        st.caption(t(summary))
    return fitting[name]


def _start(info: DatasetInfo, network: NetworkSpec, settings: Mapping[str, Any], with_own: bool) -> None:
    try:
        own = to_safetensors(to_tensors(load_drawings(visitor.current_learner())), info) if with_own else None
        config = replace(suggested(info.name, network.name), network=network.name, device=chosen_device(), **settings)
        run = launch(config, network, own)
    except PlaygroundError as error:
        show(error)
        return
    state.SETTING_UP.forget()
    go_to(run)


def _offer_download(info: DatasetInfo) -> None:
    """Offer to download the data set, with a progress bar; an interrupted download is continued."""
    if not st.button(t("Download {dataset}", dataset=info.title), icon=":material/download:", width="stretch", key="download"):
        return

    bar = st.progress(0.0, t("Downloading {dataset}…", dataset=info.title))

    def progress(name: str, there: int, total: int) -> None:
        text = t("{file}: {received:.1f} MB of {total:.1f} MB", file=name, received=there / 1e6, total=total / 1e6)
        bar.progress(min(there / total, 1.0) if total else 0.0, text)

    try:
        download(info.name, progress)
    except PlaygroundError as error:
        bar.empty()
        show(error)
        return
    st.rerun()
