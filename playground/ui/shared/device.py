"""The device that computes what a learner starts."""

from __future__ import annotations

import streamlit as st

from playground import device
from playground.device import Device
from playground.messages import t
from playground.server.services import services
from playground.ui import state
from playground.ui.shared import visitor
from playground.ui.shared.glossary import glossary


def chosen_device() -> str:
    """Return the name of the device that the learner chose; `best` by default."""
    return state.DEVICE.read()


def choose_device() -> None:
    """Show the device, and offer a choice if there are several; to be called where something is set up that computes."""
    by_name = {item.name: item for item in device.available()}
    if state.DEVICE.read() not in by_name:
        state.DEVICE.write(next(iter(by_name)))
    if len(by_name) > 1:
        st.selectbox(
            t("Device"), list(by_name), key=state.DEVICE.key, format_func=lambda name: t(by_name[name].title), help=glossary("device"), persist_state="session"
        )
    _show(by_name[state.DEVICE.read()])


def show_device() -> None:
    """Show the best device of this machine, as soon as PyTorch is there, which knows it."""
    if services().warm.is_set():
        _show(device.available()[0])
    else:
        _wait()


@st.fragment(run_every=0.5)
def _wait() -> None:
    visitor.use_language()
    if services().warm.is_set():
        st.rerun()
    st.caption(t("PyTorch is being loaded…"))


def _show(shown: Device) -> None:
    st.caption(t("Runs on {device}: {details}", device=shown.title, details=shown.details))
