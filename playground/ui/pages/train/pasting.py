"""A training script that is pasted: what it says becomes the settings of a run, and its mistakes are named."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError
from playground.messages import t
from playground.network.spec import NetworkSpec, from_dict
from playground.network.trace import fits
from playground.pasted import READ_TRAINING
from playground.pasted.task_types import ReadTraining
from playground.server.services import services
from playground.training.config import SETTINGS, TrainConfig
from playground.ui import state
from playground.ui.pages.train.form import fill
from playground.ui.shared.errors import show
from playground.ui.shared.networks import OWN_NAME, use_own_network

SECONDS = 8
"""Processor time for reading a script, in seconds."""
HEIGHT = 280
"""Pixels of the field for the script."""


def paste_script() -> None:
    """Offer to read a training script, and show what was read."""
    with st.expander(t("Paste a training script"), icon=":material/content_paste:"):
        st.caption(t("Network, data, optimizer and loop, as a tutorial has them. The script runs over two batches, with shapes and without values."))
        st.text_area(t("Training script"), key=state.TRAINING_SCRIPT.key, height=HEIGHT, label_visibility="collapsed", persist_state="session")
        if st.button(t("Read the script"), key="read-the-script"):
            _read()
        answer = state.READ_SCRIPT.read()
        if answer is not None:
            _show(answer)  # type: ignore[arg-type]  # as the task wrote it


def _read() -> None:
    state.READ_SCRIPT.forget()
    try:
        with st.spinner(t("Reading the script…")):
            answer = services().sandbox.run(READ_TRAINING, {"text": state.TRAINING_SCRIPT.read()}, SECONDS)
    except PlaygroundError as error:
        show(error)
        return
    state.READ_SCRIPT.write(answer)


def _show(answer: ReadTraining) -> None:
    for mistake in answer["mistakes"]:
        text = f"{mistake['message']} {mistake['hint']}"
        st.warning(t("Line {line}: {message}", line=mistake["line"], message=text) if mistake["line"] else text, icon=":material/bug_report:")
    if not answer["mistakes"] and answer["network"] is not None:
        st.success(t("No mistake was seen in this script."), icon=":material/check:")
    titles = {setting.name: t(setting.title) for setting in SETTINGS}
    head = f"| {t('Setting')} | {t('Value')} | {t('Line')} |\n| --- | --- | --- |\n"
    rows = (f"| {titles.get(each['name'], each['name'])} | `{each['value']}` | {each['line'] or ''} |" for each in answer["taken"])
    st.markdown(head + "\n".join(rows))
    for note in answer["notes"]:
        st.caption(note)
    config = TrainConfig.from_dict(answer["config"])
    info = dataset_info(config.dataset)
    if answer["network"] is None:
        st.error(answer["problem"], icon=":material/info:")
        return
    network = from_dict(answer["network"])
    if fits(network, info.input_shape, len(info.classes)):
        st.button(t("Use these settings"), type="primary", icon=":material/settings_backup_restore:", key="use-script", on_click=_use, args=(config, network))
    else:
        st.warning(t("The network does not end in {count} values, one for each class of {dataset}.", count=len(info.classes), dataset=info.title))


def _use(config: TrainConfig, network: NetworkSpec) -> None:
    """Fill in the form."""
    use_own_network(replace(network, name=OWN_NAME, title=t("From the script: {name}", name=network.name)))
    state.DATASET.write(config.dataset)
    state.NETWORK.of(config.dataset).write(OWN_NAME)
    fill(config, OWN_NAME)
    state.READ_SCRIPT.forget()
