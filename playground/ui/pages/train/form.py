"""The form of a run's settings: one control for each entry of the table of settings, and settings taken over from another run."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.data.augmentation import Augmentation
from playground.data.catalogue import DatasetInfo
from playground.messages import t
from playground.network.spec import NetworkSpec
from playground.settings import Setting
from playground.training.config import SETTINGS, TrainConfig
from playground.training.suggestions import suggested
from playground.ui import state

ELSEWHERE = ("dataset", "network", "device")
"""Settings that are chosen outside this form."""
SLIDER_STEPS = 200
"""A number whose range has at most so many steps is chosen with a slider."""


def choose_settings(dataset: DatasetInfo, network: NetworkSpec, main: DeltaGenerator, more: DeltaGenerator) -> dict[str, Any]:
    """The values of a configuration as the learner sets them, starting from what suits the data set and the network.

    Args:
        dataset: the data set.
        network: the network.
        main: where the settings stand that matter most.
        more: where the others stand.
    """
    offered = [each for each in SETTINGS if each.name not in ELSEWHERE and each.fits(dataset, network)]
    first = suggested(dataset.name, network.name)
    chosen = {each.name: each.value(first) for each in SETTINGS if each.name not in ELSEWHERE}
    schedule = state.SETTING.of(dataset.name, network.name, "schedule").read() or first.schedule
    for is_basic, place in ((True, main), (False, more)):
        with place:
            for each in (each for each in offered if each.is_basic == is_basic):
                if each.applies_to(SimpleNamespace(**chosen)):
                    chosen[each.name] = _control(each, _label(each, schedule), chosen[each.name], key(each, dataset.name, network.name))
    augment = {name.removeprefix("augment."): chosen.pop(name) for name in list(chosen) if name.startswith("augment.")}
    return {**chosen, "augment": Augmentation(**augment)}


def fill(config: TrainConfig, network: str) -> None:
    """Let the form for the configuration's data set and the named network show its settings; to be called before the form is drawn."""
    for each in SETTINGS:
        if each.name not in ELSEWHERE:
            value = each.value(config)
            if each.kind == "pair":
                for number, part in zip((1, 2), value, strict=True):
                    state.SETTING.of(config.dataset, network, f"{each.name}-{number}").write(part)
            else:
                state.SETTING.of(config.dataset, network, each.name).write(float(value) if each.kind == "number" else value)


def key(setting: Setting, dataset: str, network: str) -> str:
    """The session key of a control: each data set and network has settings of its own."""
    return state.SETTING.of(dataset, network, setting.name).key


def _label(setting: Setting, schedule: str) -> str:
    """The title of a setting with its unit; the learning rate says that it is the peak of its schedule."""
    if setting.name == "learning_rate" and schedule != "constant":
        return t("Learning rate, peak of the schedule")
    return t("{title}, {unit}", title=t(setting.title), unit=t(setting.unit)) if setting.unit else t(setting.title)


def _control(setting: Setting, label: str, value: Any, name: str) -> Any:
    """The control of a setting, and the value that it shows."""
    made = _CONTROLS[setting.kind](setting, label, value, name)
    if problem := setting.problem(made):
        st.caption(f":red[{t(problem)}]")
    return made


def _number(setting: Setting, label: str, value: float, name: str) -> float:
    bounds = (float(setting.low), float(setting.high), float(value), float(setting.step))
    if _is_slider(setting):
        return float(st.slider(label, *bounds, key=name, help=t(setting.help), persist_state="session"))
    return float(st.number_input(label, *bounds, format="%g", key=name, help=t(setting.help), persist_state="session"))


def _whole(setting: Setting, label: str, value: int, name: str) -> int:
    control = st.slider if _is_slider(setting) else st.number_input
    return int(control(label, int(setting.low), int(setting.high), value, int(setting.step), key=name, help=t(setting.help), persist_state="session"))


def _is_slider(setting: Setting) -> bool:
    steps = (setting.high - setting.low) / setting.step
    return steps <= SLIDER_STEPS and abs(steps - round(steps)) < 1e-9


def _switch(setting: Setting, label: str, value: bool, name: str) -> bool:
    return st.checkbox(label, value, key=name, help=t(setting.help), persist_state="session")


def _choice(setting: Setting, label: str, value: str, name: str) -> str:
    choices = list(setting.choices)
    chosen: str = st.selectbox(
        label, choices, choices.index(value), format_func=lambda choice: t(setting.choices[choice]), key=name, help=t(setting.help), persist_state="session"
    )
    return chosen


def _pair(setting: Setting, label: str, value: tuple[float, float], name: str) -> tuple[float, float]:
    bounds = float(setting.low), float(setting.high)
    names = f"{name}-1", f"{name}-2"
    first, second = (
        column.number_input(f"{label} {number}", *bounds, part, setting.step, "%g", key=each, help=t(setting.help), persist_state="session")
        for number, part, each, column in zip((1, 2), value, names, st.columns(2), strict=True)
    )
    return float(first), float(second)


_CONTROLS: dict[str, Callable[[Setting, str, Any, str], Any]] = {
    "number": _number, "whole": _whole, "switch": _switch, "choice": _choice, "pair": _pair,
}  # fmt: skip
