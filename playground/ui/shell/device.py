"""The computing device, in the sidebar of every page."""

from __future__ import annotations

import streamlit as st

from playground import device
from playground.device import Device
from playground.messages import t
from playground.server.services import services
from playground.ui import state
from playground.ui.shared import visitor


def chosen_device() -> str:
    """Return the name of the device that the learner chose; `best` by default."""
    return state.DEVICE.read()


def device_in_sidebar() -> None:
    """Show the device, and offer a choice if there are several."""
    with st.sidebar:
        if services().warm.is_set():
            _show_devices()
        else:
            _wait_for_devices()


@st.fragment(run_every=0.5)
def _wait_for_devices() -> None:
    """Show a placeholder until torch is imported, because the devices are unknown before."""
    visitor.use_language()
    if services().warm.is_set():
        st.rerun()
    st.caption(t("Device"))
    st.skeleton(height=64)


def _show_devices() -> None:
    devices = device.available()
    by_name = {item.name: item for item in devices}
    if state.DEVICE.read() not in by_name:
        state.DEVICE.write(devices[0].name)
    if len(devices) > 1:
        st.selectbox(t("Device"), list(by_name), key=state.DEVICE.key, format_func=lambda name: t(by_name[name].title), persist_state="session")
        st.caption(t(by_name[state.DEVICE.read()].details))
    else:
        _show_one(devices[0])


def _show_one(only: Device) -> None:
    st.caption(t("Device"))
    st.markdown(f"**{t(only.title)}**")
    st.caption(t(only.details))
