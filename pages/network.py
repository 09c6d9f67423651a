"""Network: stack layers, see shapes, get the code."""

from playground.ui.pages import network

network.heading()
network.builder(network.choose_data())
