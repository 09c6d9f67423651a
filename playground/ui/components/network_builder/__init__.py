"""The stack of layers of a network: built, seen, mended and turned into code in the browser, which asks the server after each change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from playground.network.initialisations import INITIALISATIONS
from playground.ui.components import register
from playground.ui.shell.device import chosen_device

_component = register(Path(__file__).parent, styles=("lab",))


def network_builder(
    network: dict[str, Any],
    presets: list[dict[str, Any]],
    shapes: list[list[int]],
    dataset: str,
    key: str,
    on_change: Callable[[dict[str, Any]], None],
    on_go: Callable[[str, dict[str, Any]], None],
) -> None:
    """Show the builder.

    Args:
        network: the stack that stands there when the component appears, as `NetworkSpec.to_dict` writes it; layers may be `off`.
        presets: networks that can be opened, in the same form.
        shapes: sizes of one sample that can be chosen.
        dataset: the data set that the network is meant for; empty for none.
        key: names the component on its page.
        on_change: told of the stack after each change.
        on_go: told where the learner wants to take the network, `train` or `gradients`, and of the network.
    """

    def changed() -> None:
        stack = st.session_state[key].stack
        if isinstance(stack, dict):
            on_change(stack)

    def went() -> None:
        told = st.session_state[key].go
        if isinstance(told, dict) and isinstance(told.get("network"), dict):
            on_go(str(told.get("where")), told["network"])

    starts = [(name, start.title) for name, start in INITIALISATIONS.items()]
    data = {"starts": starts, "network": network, "presets": presets, "shapes": shapes, "dataset": dataset, "device": chosen_device()}
    _component(key=key, data=data, on_stack_change=changed, on_go_change=went)
