"""The Export tab: download a run or its weights, and import runs and weights."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.data.catalogue import DatasetInfo
from playground.errors import PlaygroundError
from playground.messages import msg, t
from playground.network.spec import NetworkSpec
from playground.runs.run import Run
from playground.runs.sharing.archive import as_csv, as_zip, from_zip
from playground.runs.sharing.weights import as_safetensors, as_state_dict, read_weights
from playground.runs.sharing.weights_import import import_weights
from playground.training.suggestions import suggested
from playground.ui import state
from playground.ui.shared import visitor
from playground.ui.shared.errors import show

UPLOAD_MB = 200
WEIGHTS = ("pt", "pth", "safetensors")


def offer_downloads(run: Run) -> None:
    """Offer the run as files: weights of a checkpoint, curves, and the whole run."""
    st.markdown(t("**Download**"))
    steps = run.checkpoints.steps()
    if not steps:
        st.caption(t("You can download weights as soon as the run has its first checkpoint."))
        return
    step = st.selectbox(t("Checkpoint at step"), steps[::-1], format_func=lambda step: f"{step:,}", key=state.EXPORT_STEP.of(run.id).key, width=240)
    weights, safe, whole, curves = st.columns(4)
    name = f"{run.network.name}-{step}"
    with weights:
        _offer(
            "state_dict, .pt",
            lambda: as_state_dict(run, step),
            f"{name}.pt",
            t("Opens in plain PyTorch: `network.load_state_dict(torch.load(path, weights_only=True))`."),
        )
    with safe:
        _offer("safetensors", lambda: as_safetensors(run, step), f"{name}.safetensors", t("The same weights in a format that cannot hold code."))
    with whole:
        _offer(
            t("Run, .zip"),
            lambda: _packed(run),
            f"{run.id}.zip",
            t("Settings, network, curves and checkpoints. It can be imported and resumed here or elsewhere."),
        )
    with curves:
        _offer(t("Curves, .csv"), lambda: as_csv(run), f"{run.id}.csv", t("One row per step."))


def offer_import(info: DatasetInfo, network: NetworkSpec | None, opened: Callable[[Run], None]) -> None:
    """Let the learner import a run or weights.

    Args:
        info: the data set that weights are evaluated on.
        network: the network of the weights.
        opened: called with the imported run.
    """
    st.markdown(t("**Import**"))
    if network is not None:
        title = t(network.title or network.name)
        st.caption(
            t(
                "Import a run (.zip), or weights for the network that is selected in the settings: “{network}” on {dataset}.",
                network=title,
                dataset=info.title,
            )
        )
    kinds = ["zip", *WEIGHTS]
    with st.form("import", clear_on_submit=True, border=False):  # a form sends the file and the click together
        file = st.file_uploader(t("Run or weights"), type=kinds, max_upload_size=UPLOAD_MB, key="import-file", label_visibility="collapsed")
        clicked = st.form_submit_button(t("Import"), icon=":material/upload:", key="import-run")
    if not clicked:
        return
    try:
        if file is None:
            raise PlaygroundError(msg("Choose a file first: a run (.zip), or weights (.pt, .pth or .safetensors)."))
        opened(_opened(file.getvalue(), file.name, info, network))
    except PlaygroundError as error:
        show(error)


def _packed(run: Run) -> bytes:
    with as_zip(run) as file:
        return file.read()


def _offer(label: str, make: Callable[[], str | bytes], file_name: str, help: str) -> None:
    key = f"keep-{file_name}"
    st.download_button(label, make, file_name, icon=":material/download:", on_click="ignore", help=help, width="stretch", key=key)


def _opened(content: bytes, name: str, info: DatasetInfo, network: NetworkSpec | None) -> Run:
    who = visitor.current_learner()
    if name.lower().endswith(".zip"):
        return from_zip(content, who, name)
    if network is None:
        raise PlaygroundError(msg("Choose a network in the settings first: the weights are loaded into it."))
    config = suggested(info.name, network.name)
    run, notes = import_weights(config, network, read_weights(content, name), who)
    for note in notes:
        st.toast(t(note), icon=":material/info:", duration="long")
    return run
