"""The parts of the Network page."""

from __future__ import annotations

import json
from typing import Any, cast

from playground.data.catalogue import DATASETS, dataset_info
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.network.presets import load_presets
from playground.network.spec import SavedNetwork, from_dict
from playground.network.trace import fits
from playground.ui import state
from playground.ui.components.network_builder import network_builder
from playground.ui.shared.errors import shown_kindly
from playground.ui.shared.networks import OWN_NAME, use_own_network
from playground.ui.shared.scripts import Script

STACK = Script("network", "network")
FIRST = "tutorial-cnn"


def builder() -> None:
    """Show the network builder."""
    STACK.load()
    presets = [spec.to_dict() for spec in load_presets().networks.values()]
    network_builder(
        _stack(), presets, state.NETWORK_DATASET.read(), key="network-builder", on_change=_keep, on_dataset=_keep_dataset, on_go=_go,
    )  # fmt: skip
    STACK.show_limit()
    state.follow_plan()


def _stack() -> SavedNetwork:
    """Return the network built last, or that in the address, or the first preset."""
    text = STACK.source("")
    if text:
        with shown_kindly():
            return _read(text)
    presets = load_presets().networks
    return (presets.get(FIRST) or next(iter(presets.values()))).to_dict()


def _read(text: str) -> SavedNetwork:
    """Parse and check the network in an address; layers that are off may be invalid.

    Raises:
        PlaygroundError: it is not a network.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise PlaygroundError(msg("The network in this link cannot be read."), msg("The link is incomplete or was changed. Ask for it again.")) from None
    if isinstance(document, dict) and isinstance(document.get("layers"), list):
        from_dict({**document, "layers": [_without_off(layer) for layer in document["layers"]]})
        return cast("SavedNetwork", document)
    raise PlaygroundError(msg("The network in this link cannot be read."))


def _without_off(layer: Any) -> Any:
    return {name: value for name, value in layer.items() if name != "off"} if isinstance(layer, dict) else layer


def _keep(stack: dict[str, Any]) -> None:
    """Keep a changed network, and put it into the address."""
    layers = [
        {"type": layer.get("type"), **layer.get("params", {}), **({"off": True} if layer.get("off") else {})}
        for layer in stack.get("layers", [])
        if isinstance(layer, dict)
    ]
    document = {"name": stack.get("name"), "title": stack.get("title"), "input_shape": stack.get("input_shape"), "layers": layers}
    if layers:
        STACK.keep(json.dumps(document, separators=(",", ":"), ensure_ascii=False))


def _keep_dataset(name: str) -> None:
    """Keep the data set that the network is built for; empty for none."""
    if name in ("", *(info.name for info in DATASETS)):
        state.NETWORK_DATASET.write(name)


def _go(where: str, network: dict[str, Any], dataset: str) -> None:
    """Open the network on the Train page or on the Autograd page; the builder offers neither for a network that does not fit."""
    try:
        spec = from_dict({**network, "name": OWN_NAME, "title": msg("My network")})
        info = dataset_info(dataset) if where == "train" else None
    except PlaygroundError:
        return
    if info is None:
        use_own_network(spec)
        state.plan_visit("autograd", {state.VIEW: "Network", state.FLOW_NETWORK: spec.name})
    elif fits(spec, info.input_shape, len(info.classes)):
        use_own_network(spec)
        state.plan_visit("train", {state.DATASET: info.name, state.NETWORK.of(info.name): spec.name, state.SETTING_UP: True})
