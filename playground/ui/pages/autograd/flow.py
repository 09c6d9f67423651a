"""The network view: the gradients of one batch, layer by layer and in the graph folded by module."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from playground.autograd.task_names import GRADIENT_FLOW
from playground.errors import PlaygroundError
from playground.messages import language, msg, nmsg, t, translated
from playground.network.catalogue import ACTIVATIONS
from playground.network.initialisations import INITIALISATIONS
from playground.network.presets import load_presets
from playground.server.services import services
from playground.ui import state
from playground.ui.components.module_graph import module_graph
from playground.ui.pages.autograd.address import choose
from playground.ui.shared.device import chosen_device
from playground.ui.shared.errors import show
from playground.ui.shared.glossary import glossary
from playground.ui.shared.networks import own_network
from playground.ui.shared.palette import token

STACK = "stack"


def flow() -> None:
    """Show the settings on the left, the verdict with the curves in the middle, and the graph on the right."""
    left, middle, right = st.columns([3, 5, 4], gap="medium")
    with left.container(border=True, key="flow-choice"):
        asked = _choose()
    with middle:
        try:
            answer = _answered(tuple(sorted(asked.items())), language.get())
        except PlaygroundError as error:
            show(error)
            return
        _show_flow(answer)
    with right:
        module_graph(answer["graph"], key="flow-graph")


def _choose() -> dict[str, Any]:
    mine = own_network()
    titles = {
        STACK: msg("A stack of linear layers"),
        **({mine.name: mine.title} if mine else {}),
        **{name: spec.title or name for name, spec in load_presets().networks.items()},
    }
    network = choose(st.selectbox, t("Network"), state.FLOW_NETWORK, titles)
    asked: dict[str, Any] = {"network": mine.to_json() if mine and network == mine.name else network, "device": chosen_device()}
    activations = {"": msg("Unchanged"), **ACTIVATIONS}
    if network == STACK:
        asked["depth"] = st.slider(t("Depth"), 1, 30, 12, key=state.FLOW_DEPTH.key, bind="query-params", help=t("Number of linear layers."))
        asked["width"] = st.select_slider(t("Width"), [8, 16, 32, 64, 128, 256], 64, key=state.FLOW_WIDTH.key, bind="query-params")
        asked["normalised"] = st.toggle(t("Batch norm after each layer"), key=state.FLOW_NORM.key, bind="query-params", help=glossary("batch normalisation"))
        activations = {**ACTIVATIONS, "none": msg("None")}
    asked["activation"] = st.selectbox(
        t("Activation"),
        list(activations),
        format_func=translated(activations).__getitem__,
        key=state.FLOW_ACTIVATION.of(network == STACK).key,
        help=glossary("activation"),
    )
    initialisations = {name: initialisation.title for name, initialisation in INITIALISATIONS.items()}
    asked["initialisation"] = name = choose(
        st.selectbox, t("Weight initialisation"), state.FLOW_INITIALISATION, initialisations, help=glossary("weight initialisation")
    )
    st.caption(t(INITIALISATIONS[name].summary))
    asked["batch"] = st.select_slider(t("Batch size"), [2, 8, 16, 32, 64, 128], 32, key=state.FLOW_BATCH.key, bind="query-params", help=glossary("batch size"))
    asked["seed"] = int(st.number_input(t("Seed"), 0, 9999, 0, key=state.FLOW_SEED.key, bind="query-params", help=glossary("seed")))
    return asked


@st.cache_data(max_entries=100, show_spinner=False)
def _answered(asked: tuple[tuple[str, Any], ...], wanted: str) -> dict[str, Any]:  # noqa: ARG001 (a part of the key: the answer is in the reader's language)
    return services().sandbox.run(GRADIENT_FLOW, dict(asked))


def _show_flow(answer: dict[str, Any]) -> None:
    st.header(answer["title"], anchor=False)
    verdict = answer["verdict"]
    (st.success if verdict["kind"] == "fine" else st.warning)(verdict["text"])
    st.plotly_chart(_figure(answer["layers"]), width="stretch", key="flow-figure", config={"displayModeBar": False})
    st.caption(
        t(
            "How far the activations spread (standard deviation) and how large the gradients are (norm), layer by layer, on a logarithmic scale. "
            "Zeros are not drawn."
        ),
        help=glossary("norm", "gradient"),
    )
    loss = f"{answer['loss']:.4g}" if isinstance(answer["loss"], float) else answer["loss"]
    st.caption(t(nmsg("{n:,} node, loss {loss}.", "{n:,} nodes, loss {loss}.", answer["count"], loss=loss)))
    st.caption(answer["data"])
    with st.expander(t("The PyTorch code")):
        st.code(answer["code"], language="python")


def _figure(layers: list[dict[str, Any]]) -> Any:
    """Draw three curves over the layers, in the order of the forward pass."""
    places = list(range(len(layers)))
    weighted = [place for place in places if _largest(layers[place]) is not None]
    lines = [
        ("training", "solid", t("Activations, standard deviation"), places, [_drawn(layer["activation"]["std"]) for layer in layers]),
        ("gradient", "solid", t("Gradient at the output, L2 norm"), places, [_drawn(layer["gradient"]) for layer in layers]),
        ("gradient", "dot", t("Gradient of the weights, L2 norm"), weighted, [_largest(layers[place]) for place in weighted]),
    ]
    figure = go.Figure()
    for colour, dash, title, x, y in lines:
        look = {"color": token(colour), "dash": dash, "width": 2.5}
        names = [_name(layers[place]) for place in x]
        figure.add_scatter(x=x, y=y, name=title, mode="lines+markers", line=look, marker={"size": 7}, text=names, hovertemplate="%{text}<br>%{y:.3g}")
    named = (weighted or places)[:: max(1, len(weighted or places) // 12)]
    ticks = {"tickvals": named, "ticktext": [_name(layers[place]) for place in named], "tickangle": -40}
    figure.update_layout(
        height=340, margin={"l": 10, "r": 10, "t": 10, "b": 10}, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis=ticks, yaxis={"type": "log", "exponentformat": "e", "dtick": None},
    )  # fmt: skip
    return figure


def _name(layer: dict[str, Any]) -> str:
    return f"{layer['name']} {layer['title']}"


def _largest(layer: dict[str, Any]) -> float | None:
    """Return the L2 norm of the gradient of all weights of a layer."""
    norms = [weight["gradient"] for weight in layer["weights"].values()]
    numbers = [norm for norm in norms if isinstance(norm, float)]
    return _drawn(sum(norm**2 for norm in numbers) ** 0.5) if numbers else None


def _drawn(value: Any) -> float | None:
    """Return a value that a logarithmic axis can show, or None."""
    return value if isinstance(value, (int, float)) and value > 0 else None
