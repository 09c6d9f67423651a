"""The parts of the Train page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.data.builtin import MNIST_5K_FILE
from playground.data.catalogue import DATASETS, DatasetInfo, dataset_info
from playground.data.load import download, load
from playground.data.own_drawings import count_drawings, load_drawings, to_safetensors, to_tensors
from playground.data.previews import class_rows
from playground.errors import PlaygroundError
from playground.messages import nmsg, t
from playground.network.presets import load_presets
from playground.network.spec import NetworkSpec
from playground.network.trace import trace
from playground.runs.run import Run, find
from playground.runs.views.summaries import Summary
from playground.server import identity
from playground.training.source import training_source
from playground.training.suggestions import suggested
from playground.ui import state
from playground.ui.components.training_monitor import training_monitor
from playground.ui.pages.train.export import offer_downloads, offer_import
from playground.ui.pages.train.form import choose_settings, fill
from playground.ui.shared import visitor
from playground.ui.shared.datasets import is_usable
from playground.ui.shared.device import choose_device, chosen_device
from playground.ui.shared.errors import show
from playground.ui.shared.launch import launch
from playground.ui.shared.networks import OWN_NAME, fitting_networks, use_own_network
from playground.ui.shared.runs import choose_run, has_trained_network, run_title, runs_of_visitor

_LATE_SECONDS = 8.0


def heading() -> None:
    st.title(t("Train a network"), anchor=False)
    st.caption(t("Choose a data set, a network and settings, then press Train. Training continues when you leave the page or close the browser."))


def layout() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return the columns for the settings and for the result."""
    left, right = st.columns([2, 5], gap="large")
    return left.container(border=True), right.container()


def choose_and_start() -> None:
    """Show the settings and the button that starts the training."""
    info = _choose_data()
    with_own = _choose_own(info)
    network = _choose_network(info)
    for name, fault in load_presets().faults.items():
        st.warning(t("The file models/{name} cannot be used. {fault}", name=name, fault=fault), icon=":material/build:")
    if network is None:
        return
    chosen = choose_settings(info, network)
    choose_device()
    if not is_usable(info):
        _offer_download(info)
    elif st.button(t("Train"), type="primary", icon=":material/play_arrow:", width="stretch", key="train"):
        _start(info, network, chosen, with_own)


def watch() -> None:
    """Show the selected run with its details; before the first run, show the data set."""
    runs = runs_of_visitor()
    run = _watched(runs)
    if run is None:
        _show_data(dataset_info(state.DATASET.read()))
        return
    training_monitor(run, run_title(run), key="monitor", on_end=lambda: None, on_open=_open)
    _offer_more(run, ready=any(each.run == run and has_trained_network(each) for each in runs))
    titles = [t("Network"), t("Data set"), t("PyTorch code"), t("Export"), t("All runs")]
    network, data, code, export, all_runs = st.tabs(titles, key=state.TRAIN_TABS.key, on_change="rerun")
    if network.open:
        with network:
            _show_network(run.network)
    if data.open:
        with data:
            _show_data(dataset_info(run.config.dataset))
    if code.open:
        with code:
            _show_code(run)
    if export.open:
        with export:
            offer_downloads(run)
            offer_import(*_chosen(), _go_to)
    if all_runs.open:
        with all_runs:
            _choose_run(runs)


def _open(run: str) -> None:
    """Select another run."""
    state.OPENED_RUN.write((run, state.RUN.read(), time.monotonic()))
    state.WATCHED_RUN.write(run)
    state.RUN.write(run)


def _go_to(run: Run) -> None:
    """Select another run and show it at once."""
    _open(run.id)
    st.rerun()


def _offer_more(run: Run, *, ready: bool) -> None:
    """Offer to evaluate the network, or to draw with it."""
    kept = bool(run.checkpoints.steps())
    reads_digits = dataset_info(run.config.dataset).kind == "digits"
    evaluate, draw, again = st.columns([3, 5, 4])
    if evaluate.button(t("Evaluate it"), icon=":material/fact_check:", key="evaluate-it", disabled=not kept, width="stretch"):
        state.open_page("evaluate", {state.MODEL: run.id})
    if reads_digits and draw.button(t("Draw a digit with this network"), icon=":material/draw:", key="draw-with-it", disabled=not ready, width="stretch"):
        state.open_page("draw", {state.DRAW_MODEL: run.id})
    again.button(
        t("Use these settings"), icon=":material/settings_backup_restore:", key="use-settings", width="stretch", on_click=_use_settings, args=(run,),
        help=t("Fill in the form with the data set, the network and every setting of this run: change one, and train again."),
    )  # fmt: skip


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
    name = st.selectbox(t("Data set"), list(by_name), format_func=lambda name: t(by_name[name].title), key=state.DATASET.key, persist_state="session")
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
    return st.checkbox(title, key=state.WITH_OWN_DIGITS.key, help=explained)


def _chosen() -> tuple[DatasetInfo, NetworkSpec | None]:
    """Return the data set and the network selected in the settings."""
    info = dataset_info(state.DATASET.read())
    return info, fitting_networks(info).get(state.NETWORK.of(info.name).read())


def _choose_network(info: DatasetInfo) -> NetworkSpec | None:
    """Let the learner choose a network that fits the data set."""
    fitting = fitting_networks(info)
    if not fitting:
        st.warning(t("No network in the folder models/ fits this data set."))
        return None
    names = list(fitting)
    default = suggested(info.name).network
    name = st.selectbox(
        t("Network"),
        names,
        index=names.index(default) if default in names else 0,
        format_func=lambda name: t(fitting[name].title or name),
        key=state.NETWORK.of(info.name).key,
        persist_state="session",
    )
    if summary := fitting[name].summary:
        st.caption(t(summary))
    return fitting[name]


def _start(info: DatasetInfo, network: NetworkSpec, chosen: Mapping[str, Any], with_own: bool) -> None:
    try:
        own = to_safetensors(to_tensors(load_drawings(visitor.current_learner())), info) if with_own else None
        config = replace(suggested(info.name, network.name), network=network.name, device=chosen_device(), **chosen)
        run = launch(config, network, own)
    except PlaygroundError as error:
        show(error)
        return
    _open(run.id)


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


def _named() -> str:
    """Return the run in the address; a message sent before another run was opened may still carry the previous address."""
    named = state.RUN.read()
    opened, before, at = state.OPENED_RUN.read()
    if opened and opened != named == before and time.monotonic() - at < _LATE_SECONDS:
        named = opened
        state.RUN.write(opened)
    return named


def _watched(runs: list[Summary]) -> Run | None:
    """Return the run in the address or the one selected last; else the newest one."""
    wanted = _named() or state.WATCHED_RUN.read()
    if wanted:
        try:
            run = find(wanted)
        except PlaygroundError:
            state.WATCHED_RUN.forget()
        else:
            if identity.may_see(run, visitor.current_learner()):
                state.WATCHED_RUN.write(run.id)
                return run
    return runs[0].run if runs else None


def _choose_run(runs: list[Summary]) -> None:
    chosen = choose_run(runs, key="train-runs")
    if chosen is not None and chosen.id != state.WATCHED_RUN.read():
        _go_to(chosen)


def _show_network(spec: NetworkSpec) -> None:
    """Show every layer with its output shape and parameters."""
    steps = trace(spec)
    settings, parameters = t("Settings"), t("Parameters")
    st.dataframe(
        pd.DataFrame(
            {
                t("Layer"): [step.layer.type for step in steps],
                settings: [", ".join(f"{name} {value}" for name, value in step.layer.params.items()) for step in steps],
                t("Output shape"): [str(step.out_shape) for step in steps],
                parameters: [step.parameters for step in steps],
            }
        ),
        hide_index=True,
        height="content",
        column_config={settings: st.column_config.TextColumn(width="medium"), parameters: st.column_config.NumberColumn(format="localized")},
    )
    total = sum(step.parameters for step in steps)
    st.caption(t(nmsg("{n:,} parameter", "{n:,} parameters", total)))


def _show_data(info: DatasetInfo) -> None:
    """Show a few images of each class."""
    if not is_usable(info):
        st.caption(t("{dataset} has not been downloaded yet.", dataset=info.title))
        return
    sizes = {"train": info.train_size, "test": info.test_size}
    st.markdown(t("**{dataset}**: {train:,} training images, {test:,} test images.", dataset=info.title, **sizes))
    for name, row in class_rows(load(info.name)):
        label, pictures = st.columns([1, 8], vertical_alignment="center")
        label.markdown(f"**{t(name)}**")
        pictures.image(row, width="stretch")


def _show_code(run: Run) -> None:
    st.caption(t("The same training as a PyTorch script. It runs without the playground."))
    if run.own_path.exists() and run.start_path.exists():
        st.caption(t("This run started from trained weights and also trained on your drawings; the script includes neither."))
    elif run.own_path.exists():
        st.caption(t("This run also trained on your drawings; the script does not include them."))
    elif run.start_path.exists():
        st.caption(t("This run started from trained weights; the script does not include them."))
    st.code(training_source(run.network, run.config), language="python")
    if run.config.dataset == "mnist-5k":
        st.caption(t("The script reads the 5,000 digits from the file mnist-5k.npz. Save it in the folder in which you run the script."))
        label, file = t("Download {file}", file="mnist-5k.npz"), "mnist-5k.npz"
        st.download_button(label, MNIST_5K_FILE.read_bytes, file, icon=":material/download:", on_click="ignore", key="download-mnist-5k")
