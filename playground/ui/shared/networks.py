"""The networks that a learner can choose from: the one built on the Network page, and the presets."""

from __future__ import annotations

import streamlit as st

from playground.data.catalogue import DatasetInfo
from playground.network.presets import load_presets
from playground.network.spec import NetworkSpec, from_dict
from playground.network.trace import fits

OWN_NAME = "mine"
"""The name of the learner's own network, which no preset has."""
_OWN = "own-network"


def own_network() -> NetworkSpec | None:
    """Return the network that the learner built on the Network page, or None."""
    document = st.session_state.get(_OWN)
    return None if document is None else from_dict(document)


def use_own_network(network: NetworkSpec) -> None:
    """Let other pages offer this network as the learner's own."""
    st.session_state[_OWN] = network.to_dict()


def fitting_networks(info: DatasetInfo) -> dict[str, NetworkSpec]:
    """Return the networks that fit the data set, by name, the learner's own first."""
    mine = own_network()
    offered = {**({mine.name: mine} if mine else {}), **load_presets().networks}
    return {name: spec for name, spec in offered.items() if fits(spec, info.input_shape, len(info.classes))}
