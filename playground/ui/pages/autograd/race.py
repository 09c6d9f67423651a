"""The race view: optimizers on a loss surface of two parameters."""

from __future__ import annotations

import math
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.autograd.surfaces import OPTIMIZER_NAMES, OWN, OWN_SURFACE, SURFACES, Surface
from playground.ui import state
from playground.ui.components.descent_race import RaceSettings, SurfaceData, descent_race

ALL = {**SURFACES, OWN: OWN_SURFACE}
MAX_EXPRESSION = 300
"""Characters of the learner's own expression."""


def race() -> None:
    """Show the race, and keep its settings in the address."""
    context = get_script_run_ctx()
    if not state.RACE.is_set or (context is not None and context.is_history_navigation):
        state.RACE.write({"settings": _in_address(), "version": state.RACE.read().get("version", 0) + 1})
    settings: RaceSettings = state.RACE.read()["settings"]
    _write_address(settings)
    surfaces = [_data(name, surface) for name, surface in ALL.items()]
    version = state.RACE.read()["version"]
    descent_race({"surfaces": surfaces, "optimizers": list(OPTIMIZER_NAMES), "settings": settings, "version": version}, key="descent-race", on_choose=_keep)


def _data(name: str, surface: Surface) -> SurfaceData:
    return {
        "name": name, "title": surface.title, "expression": surface.expression, "x": surface.x, "y": surface.y, "start": surface.start,
        "learning_rate": surface.learning_rate, "steps": surface.steps, "usual_steps": surface.usual_steps,
    }  # fmt: skip


def _keep(settings: dict[str, Any]) -> None:
    state.RACE.write({**state.RACE.read(), "settings": _valid(settings)})


def _in_address() -> RaceSettings:
    names = state.RACE_NAMES
    return _valid(
        {
            "surface": state.RACE_SURFACE.read(), "expression": state.RACE_EXPRESSION.read(), "rate": state.RACE_RATE.read(),
            "momentum": state.RACE_MOMENTUM.read(), "start": state.RACE_START.read().split(","),
            "steps": state.RACE_STEPS.read(), "optimizers": names.read().split(",") if names.is_set else OPTIMIZER_NAMES, "view": state.RACE_VIEW.read(),
        }
    )  # fmt: skip


def _valid(settings: dict[str, Any]) -> RaceSettings:
    """Return the settings, with the surface's own instead of what is missing or no number within its limits."""
    name = settings.get("surface")
    name = name if name in ALL else next(iter(ALL))
    surface = ALL[name]
    expression = settings.get("expression")
    start = settings.get("start")
    x, y = start if isinstance(start, (list, tuple)) and len(start) == 2 else surface.start
    chosen = settings.get("optimizers")
    return {
        "surface": name,
        "expression": expression[:MAX_EXPRESSION] if isinstance(expression, str) and expression.strip() else OWN_SURFACE.expression,
        "rate": _number(settings.get("rate"), 0.0001, 1.0, surface.learning_rate),
        "momentum": _number(settings.get("momentum"), 0.0, 0.99, 0.9),
        "start": (_number(x, *surface.x, surface.start[0]), _number(y, *surface.y, surface.start[1])),
        "steps": next((steps for steps in surface.steps if str(steps) == str(settings.get("steps"))), surface.usual_steps),
        "optimizers": [each for each in OPTIMIZER_NAMES if isinstance(chosen, (list, tuple)) and each in chosen],
        "view": "surface" if settings.get("view") == "surface" else "map",
    }


def _number(value: Any, low: float, high: float, otherwise: float) -> float:
    """Return a number or the text of one, held within limits; the last argument if it is neither."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return min(high, max(low, number)) if math.isfinite(number) else otherwise


def _write_address(settings: RaceSettings) -> None:
    """Let the address have what is not as the surface has it."""
    own = _valid({"surface": settings["surface"], "optimizers": OPTIMIZER_NAMES})
    texts = {
        state.RACE_SURFACE: settings["surface"] if settings["surface"] != next(iter(ALL)) else None,
        state.RACE_EXPRESSION: settings["expression"] if settings["expression"] != own["expression"] else None,
        state.RACE_RATE: f"{settings['rate']:g}" if settings["rate"] != own["rate"] else None,
        state.RACE_MOMENTUM: f"{settings['momentum']:g}" if settings["momentum"] != own["momentum"] else None,
        state.RACE_START: ",".join(f"{value:g}" for value in settings["start"]) if settings["start"] != own["start"] else None,
        state.RACE_STEPS: str(settings["steps"]) if settings["steps"] != own["steps"] else None,
        state.RACE_VIEW: settings["view"] if settings["view"] != own["view"] else None,
        state.RACE_NAMES: ",".join(settings["optimizers"]) if settings["optimizers"] != own["optimizers"] else None,
    }
    for place, text in texts.items():
        if text is None:
            place.forget()
        elif place.read() != text:
            place.write(text)
