"""The descent: optimizers racing down a surface of two parameters."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground.autograd.surfaces import OPTIMIZER_NAMES, SURFACES, Surface
from playground.autograd.task import DESCEND
from playground.errors import PlaygroundError
from playground.tensors.sandbox import SECONDS
from playground.ui.errors import show
from playground.ui.services import services

OWN = "own"
FRAMES = 60
"""Pictures of the animation."""
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours, told apart by the colour-blind: https://jfly.uni-koeln.de/color/"""
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "x")


def descent() -> None:
    """Controls on the left, the race on the right."""
    left, right = st.columns([2, 5], gap="large")
    with left.container(border=True):
        asked = _choose()
    with right:
        if not asked["optimizers"]:
            st.caption("Choose an optimizer to see where it goes.")
            return
        try:
            answer = _answered(tuple(sorted((name, _frozen(value)) for name, value in asked.items())))
        except PlaygroundError as error:
            show(error)
            return
        _show(answer, str(st.session_state.get("descent-view", "Contour")))


def _choose() -> dict[str, Any]:
    titles = {name: surface.title for name, surface in SURFACES.items()} | {OWN: "My own expression"}
    name = st.selectbox("Surface", list(titles), format_func=titles.__getitem__, key="descent-surface")
    surface = SURFACES.get(name) or _own()
    st.caption(f"loss = `{surface.expression}`")
    rate = st.select_slider(
        "Learning rate", [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0], surface.learning_rate, key=f"descent-rate-{name}"
    )
    momentum = st.slider("Momentum", 0.0, 0.99, 0.9, 0.01, key="descent-momentum", help="For SGD with momentum and Nesterov.")
    x = st.slider("Start x", *surface.x, surface.start[0], key=f"descent-x-{name}")
    y = st.slider("Start y", *surface.y, surface.start[1], key=f"descent-y-{name}")
    steps = st.slider("Steps", 10, 150, 100, 10, key="descent-steps")
    optimizers = st.pills("Optimizers", OPTIMIZER_NAMES, selection_mode="multi", default=list(OPTIMIZER_NAMES), key="descent-optimizers")
    st.segmented_control("View", ["Contour", "3-D"], default="Contour", required=True, key="descent-view")
    return {
        "expression": surface.expression, "x": surface.x, "y": surface.y, "start": (x, y), "learning_rate": rate, "momentum": momentum,
        "steps": steps, "optimizers": tuple(optimizers),
    }  # fmt: skip


def _own() -> Surface:
    expression = st.text_input("loss(x, y) =", "torch.sin(2 * x) + x**2 / 4 + y**2", max_chars=300, key="descent-own", help="In PyTorch, with x and y.")
    return Surface("", expression, (-3.0, 3.0), (-3.0, 3.0), (2.5, 2.0), 0.1)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else value


@st.cache_data(max_entries=100, show_spinner=False)
def _answered(asked: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """The race for these settings; the same settings give the same race."""
    return services().sandbox.ask(DESCEND, dict(asked), SECONDS)


def _show(answer: dict[str, Any], view: str) -> None:
    for path in answer["paths"]:
        if path["diverged"]:
            st.warning(
                f"{path['optimizer']} diverged after {len(path['points'])} steps: each step went further than the one before. Try a smaller learning rate."
            )
    st.plotly_chart(_figure(answer, three=view == "3-D"), width="stretch", key="descent-figure", config={"displayModeBar": False})
    finals = {path["optimizer"]: path["points"][-1][2] for path in answer["paths"] if path["points"]}
    with st.container(horizontal=True, gap="small"):
        for name, loss in sorted(finals.items(), key=lambda item: item[1]):
            st.markdown(f"**{name}** {loss:.4g}")
    st.caption("The loss at the end of each way, the lowest first.")


def _figure(answer: dict[str, Any], *, three: bool) -> Any:
    """The surface with the ways on it, and a button that lets them run."""
    import plotly.graph_objects as go

    longest = max(len(path["points"]) for path in answer["paths"])
    counts = sorted({max(1, round(longest * step / FRAMES)) for step in range(1, FRAMES + 1)})
    figure = go.Figure([_ground(answer, three), *_ways(answer, longest, three)])
    ways = list(range(1, 1 + len(answer["paths"])))
    figure.frames = [go.Frame(data=_ways(answer, count, three), traces=ways, name=str(count)) for count in counts]
    play = {"label": "▶ Play", "method": "animate", "args": [None, {"frame": {"duration": 60, "redraw": three}, "transition": {"duration": 0}}]}
    pause = {"label": "❙❙", "method": "animate", "args": [[None], {"mode": "immediate", "frame": {"duration": 0, "redraw": False}}]}
    at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": three}}
    stepped = [{"label": str(count), "method": "animate", "args": [[str(count)], at_once]} for count in counts]
    figure.update_layout(
        height=670, margin={"l": 10, "r": 10, "t": 60, "b": 10}, legend={"orientation": "h", "y": 1.01, "yanchor": "bottom"}, xaxis_title="x", yaxis_title="y",
        updatemenus=[
            {"type": "buttons", "direction": "left", "x": 0, "y": -0.34, "xanchor": "left", "yanchor": "top", "showactive": False,
             "bgcolor": "rgba(128, 128, 128, 0.15)", "buttons": [play, pause]}
        ],
        sliders=[{"active": len(stepped) - 1, "x": 0, "y": -0.04, "len": 1, "currentvalue": {"prefix": "step "}, "steps": stepped}],
        scene={"zaxis": {"title": "loss"}},
    )  # fmt: skip
    return figure


def _ground(answer: dict[str, Any], three: bool) -> Any:
    import numpy as np
    import plotly.graph_objects as go

    heights = np.array(answer["z"])
    levels = np.log1p(heights - heights.min())  # so that a valley's floor has lines, too
    if three:
        return go.Surface(x=answer["x"], y=answer["y"], z=levels, colorscale="Viridis", showscale=False, opacity=0.85, name="log(1 + loss − lowest)")
    look = {"colorscale": "Viridis", "showscale": False, "ncontours": 25, "contours": {"coloring": "heatmap"}, "opacity": 0.75, "hoverinfo": "skip"}
    return go.Contour(x=answer["x"], y=answer["y"], z=levels, **look)


def _ways(answer: dict[str, Any], count: int, three: bool) -> list[Any]:
    """Each optimizer's way up to so many steps."""
    import numpy as np
    import plotly.graph_objects as go

    lowest = float(np.array(answer["z"]).min())
    drawn = []
    for index, path in enumerate(answer["paths"]):
        points = path["points"][:count]
        x, y, loss = (list(part) for part in zip(*points, strict=True)) if points else ([], [], [])
        text = [f"{path['optimizer']}<br>step {step}<br>loss {value:.4g}" for step, value in enumerate(loss)]
        look = {"name": path["optimizer"], "mode": "lines+markers", "text": text, "hoverinfo": "text", "line": {"color": COLOURS[index], "width": 3}}
        if three:
            up = [float(np.log1p(max(0.0, value - lowest))) for value in loss]
            drawn.append(go.Scatter3d(x=x, y=y, z=up, marker={"size": 2.5, "color": COLOURS[index]}, **look))
        else:
            drawn.append(
                go.Scatter(x=x, y=y, marker={"size": 6, "color": COLOURS[index], "symbol": SYMBOLS[index], "line": {"width": 1, "color": "white"}}, **look)
            )
    return drawn
