"""The descent view: optimizers on a loss surface of two parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from playground.autograd.surfaces import OPTIMIZER_NAMES, SURFACES, Surface
from playground.autograd.task_names import DESCEND
from playground.errors import PlaygroundError
from playground.messages import msg, nmsg, t
from playground.server.services import services
from playground.tensors.sandbox import processor_seconds
from playground.ui import state
from playground.ui.pages.autograd.address import choose
from playground.ui.shared.errors import show
from playground.ui.shared.palette import COLOURS, SYMBOLS

OWN = "own"
CONTOUR, THREE = "Contour", "3-D"
VIEWS = {CONTOUR: msg("Contour"), THREE: msg("3-D")}
"""Titles of the two ways to draw a surface."""
_FIGURE = "descent-figure"
FRAMES = 60
"""Frames of the animation."""


def descent() -> None:
    """Show the settings on the left, the paths on the right."""
    left, right = st.columns([2, 5], gap="large")
    with left.container(border=True):
        asked = _choose()
    with right:
        if not asked["optimizers"]:
            st.caption(t("Choose an optimizer to see its path."))
            return
        try:
            answer = _answered(tuple(sorted((name, _frozen(value)) for name, value in asked.items())))
        except PlaygroundError as error:
            show(error)
            return
        _show(answer, state.DESCENT_VIEW.read())


def _choose() -> dict[str, Any]:
    titles = {name: surface.title for name, surface in SURFACES.items()} | {OWN: msg("Your own expression")}
    name = choose(st.selectbox, t("Surface"), state.SURFACE, titles)
    surface = SURFACES.get(name) or _own()
    st.caption(f"`loss = {surface.expression}`")
    rate = st.select_slider(
        t("Learning rate"),
        [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0],
        surface.learning_rate,
        key=state.DESCENT_RATE.of(name).key,
        bind="query-params",
    )
    momentum = st.slider(
        t("Momentum"), 0.0, 0.99, 0.9, 0.01, key=state.DESCENT_MOMENTUM.key, bind="query-params", help=t("Used by SGD with momentum and Nesterov.")
    )
    x, y = _start("x", name, surface.x, surface.start[0]), _start("y", name, surface.y, surface.start[1])
    steps = st.slider(t("Steps"), 10, 150, 100, 10, key=state.DESCENT_STEPS.key, bind="query-params")
    optimizers = st.pills(
        t("Optimizers"), OPTIMIZER_NAMES, selection_mode="multi", default=list(OPTIMIZER_NAMES), key=state.DESCENT_OPTIMIZERS.key, bind="query-params"
    )
    choose(st.segmented_control, t("View"), state.DESCENT_VIEW, VIEWS, required=True)
    return {
        "expression": surface.expression, "x": surface.x, "y": surface.y, "start": (x, y), "learning_rate": rate, "momentum": momentum,
        "steps": steps, "optimizers": tuple(optimizers),
    }  # fmt: skip


def _start(axis: str, name: str, between: tuple[float, float], first: float) -> float:
    place = state.DESCENT_START.of(axis, name)
    default = None if place.is_set else first  # Streamlit warns of a default beside what a click has set
    return st.slider(t("Start {axis}", axis=axis), *between, default, key=place.key, bind="query-params")


def _own() -> Surface:
    st.text_input(
        "loss(x, y) =",
        state.SURFACE_EXPRESSION.default,
        max_chars=300,
        key=state.SURFACE_EXPRESSION.key,
        bind="query-params",
        help=t("A PyTorch expression of x and y."),
    )
    return _own_surface()


def _own_surface() -> Surface:
    return Surface("", state.SURFACE_EXPRESSION.read(), (-3.0, 3.0), (-3.0, 3.0), (2.5, 2.0), 0.1)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else value


@st.cache_data(max_entries=100, show_spinner=False)
def _answered(asked: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Compute the paths for these settings; the same settings give the same paths."""
    request = dict(asked)
    seconds = processor_seconds(1 + len(request["optimizers"]))  # the surface, and each path, is a run of its own
    return services().sandbox.run(DESCEND, request, seconds)


def _show(answer: dict[str, Any], view: str) -> None:
    for path in answer["paths"]:
        if path["diverged"]:
            text = nmsg(
                "{optimizer} diverged after {n} step: the loss grew without bound. Try a smaller learning rate.",
                "{optimizer} diverged after {n} steps: the loss grew without bound. Try a smaller learning rate.",
                len(path["points"]),
                optimizer=path["optimizer"],
            )
            st.warning(t(text))
    chosen: Any = _place_start if view == CONTOUR else "ignore"
    st.plotly_chart(
        _figure(answer, three=view == THREE), width="stretch", key=_FIGURE, config={"displayModeBar": False}, on_select=chosen, selection_mode="points"
    )
    finals = {path["optimizer"]: path["points"][-1][2] for path in answer["paths"] if path["points"]}
    with st.container(horizontal=True, gap="small"):
        for name, loss in sorted(finals.items(), key=lambda item: item[1]):
            st.markdown(f"**{name}** {loss:.4g}")
    st.caption(t("The final loss of each optimizer, the lowest first. Click on the surface to start from there."))
    with st.expander(t("The PyTorch code")):
        st.code(_code(), language="python")


def _place_start() -> None:
    """Move the start to where the learner clicked on the surface."""
    points = st.session_state[_FIGURE].selection.points
    if points:
        name = state.SURFACE.read()
        surface = SURFACES.get(name) or _own_surface()
        for axis, (low, high) in (("x", surface.x), ("y", surface.y)):
            state.DESCENT_START.of(axis, name).write(round(min(high, max(low, float(points[-1][axis]))), 2))


def _code() -> str:
    """Return the same descent as PyTorch code."""
    name = state.SURFACE.read()
    surface = SURFACES.get(name) or _own_surface()
    rate, momentum = state.DESCENT_RATE.of(name).read(), state.DESCENT_MOMENTUM.read()
    makers = {
        "SGD": f"torch.optim.SGD([x, y], lr={rate})",
        "SGD with momentum": f"torch.optim.SGD([x, y], lr={rate}, momentum={momentum})",  # no text: code
        "Nesterov": f"torch.optim.SGD([x, y], lr={rate}, momentum={momentum}, nesterov={momentum > 0})",  # no text: code
        "RMSprop": f"torch.optim.RMSprop([x, y], lr={rate})",
        "Adam": f"torch.optim.Adam([x, y], lr={rate})",
        "AdamW": f"torch.optim.AdamW([x, y], lr={rate})",
    }
    chosen = "".join(f"    {optimizer!r}: lambda x, y: {makers[optimizer]},\n" for optimizer in state.DESCENT_OPTIMIZERS.read())  # no text: code
    return (
        "import torch\n\n\n"
        f"def loss(x, y):\n    return {surface.expression.strip()}\n\n\n"
        f"optimizers = {{\n{chosen}}}\n"
        "for name, make in optimizers.items():\n"
        f"    x = torch.tensor({state.DESCENT_START.of('x', name).read()}, dtype=torch.float64, requires_grad=True)\n"
        f"    y = torch.tensor({state.DESCENT_START.of('y', name).read()}, dtype=torch.float64, requires_grad=True)\n"
        "    optimizer = make(x, y)\n"
        f"    for step in range({state.DESCENT_STEPS.read()}):\n"
        "        optimizer.zero_grad()\n"
        "        loss(x, y).backward()\n"
        "        optimizer.step()\n"
        '    print(f"{name}: x = {x.item():.4f}, y = {y.item():.4f}, loss = {loss(x, y).item():.4g}")\n'  # no text: code
    )


def _figure(answer: dict[str, Any], *, three: bool) -> Any:
    """Draw the surface with the paths, and a button that plays them."""
    longest = max(len(path["points"]) for path in answer["paths"])
    counts = sorted({max(1, round(longest * step / FRAMES)) for step in range(1, FRAMES + 1)})
    under = [_ground(answer, three)] if three else [_ground(answer, three), _places(answer)]
    figure = go.Figure([*under, *_paths(answer, longest, three)])
    paths = list(range(len(under), len(under) + len(answer["paths"])))
    figure.frames = [go.Frame(data=_paths(answer, count, three), traces=paths, name=str(count)) for count in counts]
    play = {"label": t("▶ Play"), "method": "animate", "args": [None, {"frame": {"duration": 60, "redraw": three}, "transition": {"duration": 0}}]}
    pause = {"label": "❙❙", "method": "animate", "args": [[None], {"mode": "immediate", "frame": {"duration": 0, "redraw": False}}]}
    before, after = t("step {step}", step="|").split("|")
    at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": three}}
    stepped = [{"label": str(count), "method": "animate", "args": [[str(count)], at_once]} for count in counts]
    figure.update_layout(
        height=670, margin={"l": 10, "r": 10, "t": 60, "b": 10}, legend={"orientation": "h", "y": 1.01, "yanchor": "bottom"},
        xaxis={"title": "x", "range": [answer["x"][0], answer["x"][-1]]}, yaxis={"title": "y", "range": [answer["y"][0], answer["y"][-1]]},
        updatemenus=[
            {"type": "buttons", "direction": "left", "x": 0, "y": -0.34, "xanchor": "left", "yanchor": "top", "showactive": False,
             "bgcolor": "rgba(128, 128, 128, 0.15)", "buttons": [play, pause]}
        ],
        sliders=[{"active": len(stepped) - 1, "x": 0, "y": -0.04, "len": 1, "currentvalue": {"prefix": before, "suffix": after}, "steps": stepped}],
        scene={"zaxis": {"title": t("loss")}},
    )  # fmt: skip
    return figure


def _ground(answer: dict[str, Any], three: bool) -> Any:
    heights = np.array(answer["z"])
    levels = np.log1p(heights - heights.min())  # so that the floor of a valley has contour lines as well
    if three:
        return go.Surface(x=answer["x"], y=answer["y"], z=levels, colorscale="Viridis", showscale=False, opacity=0.85, name=t("log(1 + loss − lowest)"))
    look = {"colorscale": "Viridis", "showscale": False, "ncontours": 25, "contours": {"coloring": "heatmap"}, "opacity": 0.75, "hoverinfo": "skip"}
    return go.Contour(x=answer["x"], y=answer["y"], z=levels, **look)


def _places(answer: dict[str, Any]) -> Any:
    """Draw invisible points, so that a click anywhere hits one: Plotly reports clicks on points only."""
    places = [(x, y) for y in answer["y"][::2] for x in answer["x"][::2]]
    unseen = {"marker": {"opacity": 0}}
    return go.Scatter(
        x=[x for x, _y in places], y=[y for _x, y in places], mode="markers", marker={"size": 16, "opacity": 0}, selected=unseen, unselected=unseen,
        hoverinfo="none", showlegend=False,
    )  # fmt: skip


def _paths(answer: dict[str, Any], count: int, three: bool) -> list[Any]:
    """Draw each optimizer's path for so many steps."""
    lowest = float(np.array(answer["z"]).min())
    template = t("{optimizer}<br>step {step}<br>loss {loss:.4g}")
    drawn = []
    for index, path in enumerate(answer["paths"]):
        points = path["points"][:count]
        x, y, loss = (list(part) for part in zip(*points, strict=True)) if points else ([], [], [])
        text = [template.format(optimizer=path["optimizer"], step=step, loss=value) for step, value in enumerate(loss)]
        look = {"name": path["optimizer"], "mode": "lines+markers", "text": text, "hoverinfo": "text", "line": {"color": COLOURS[index], "width": 3}}
        if three:
            up = [float(np.log1p(max(0.0, value - lowest))) for value in loss]
            drawn.append(go.Scatter3d(x=x, y=y, z=up, marker={"size": 2.5, "color": COLOURS[index]}, **look))
        else:
            whole = {"marker": {"opacity": 1}}  # a click on the surface must not fade the paths
            drawn.append(
                go.Scatter(
                    x=x,
                    y=y,
                    selected=whole,
                    unselected=whole,
                    marker={"size": 6, "color": COLOURS[index], "symbol": SYMBOLS[index], "line": {"width": 1, "color": "white"}},
                    **look,
                )
            )
    return drawn
