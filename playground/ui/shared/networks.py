"""The networks that a learner can choose from: the one built on the Network page, and the presets."""

from __future__ import annotations

from playground.data.catalogue import DatasetInfo
from playground.network.presets import load_presets
from playground.network.spec import NetworkSpec, from_dict
from playground.network.trace import fits
from playground.ui import state

OWN_NAME = "mine"
"""The name of the learner's own network, which no preset has."""


def own_network() -> NetworkSpec | None:
    """Return the network that the learner built on the Network page, or None."""
    document = state.OWN_NETWORK.read()
    return None if document is None else from_dict(document)


def use_own_network(network: NetworkSpec) -> None:
    """Let other pages offer this network as the learner's own."""
    state.OWN_NETWORK.write(network.to_dict())


def fitting_networks(info: DatasetInfo) -> dict[str, NetworkSpec]:
    """Return the networks that fit the data set, by name, the learner's own first."""
    mine = own_network()
    offered = {**({mine.name: mine} if mine else {}), **load_presets().networks}
    return {name: spec for name, spec in offered.items() if fits(spec, info.input_shape, len(info.classes))}
