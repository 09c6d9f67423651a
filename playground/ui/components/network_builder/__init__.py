"""The Network component: builds a network layer by layer in the browser; the server analyses it after each change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import streamlit as st

from playground.data.catalogue import DATASETS
from playground.network.initialisations import INITIALISATIONS
from playground.network.spec import SavedNetwork
from playground.ui.components import register
from playground.ui.shared.device import chosen_device

_component = register(Path(__file__).parent, styles=("stage", "written"))


class BuilderDataset(TypedDict):
    """A data set that a network can be built for."""

    name: str
    title: str
    input_shape: list[int]
    classes: int


class BuilderData(TypedDict):
    """The `data` of the component."""

    starts: list[tuple[str, str]]
    """The name and the title of each weight initialisation."""
    network: SavedNetwork
    presets: list[SavedNetwork]
    datasets: list[BuilderDataset]
    dataset: str
    """Empty for none."""
    device: str


def network_builder(
    network: SavedNetwork,
    presets: list[SavedNetwork],
    dataset: str,
    key: str,
    on_change: Callable[[dict[str, Any]], None],
    on_dataset: Callable[[str], None],
    on_go: Callable[[str, dict[str, Any], str], None],
) -> None:
    """Show the builder.

    Args:
        network: the network when the component appears; layers may be `off`.
        presets: the networks that can be opened.
        dataset: the data set that the network shall classify; empty for none.
        key: identifies the component on its page.
        on_change: called with the network after each change.
        on_dataset: called with the data set that was chosen.
        on_go: called with the destination, `train` or `gradients`, the network and the data set.
    """

    def changed() -> None:
        stack = st.session_state[key].stack
        if isinstance(stack, dict):
            on_change(stack)

    def chose_dataset() -> None:
        on_dataset(str(st.session_state[key].dataset))

    def went() -> None:
        event = st.session_state[key].go
        if isinstance(event, dict) and isinstance(event.get("network"), dict):
            on_go(str(event.get("where")), event["network"], str(event.get("dataset")))

    data: BuilderData = {
        "starts": [(name, start.title) for name, start in INITIALISATIONS.items()],
        "network": network,
        "presets": presets,
        "datasets": [{"name": info.name, "title": info.title, "input_shape": list(info.input_shape), "classes": len(info.classes)} for info in DATASETS],
        "dataset": dataset,
        "device": chosen_device(),
    }
    _component(key=key, data=data, on_stack_change=changed, on_dataset_change=chose_dataset, on_go_change=went)
