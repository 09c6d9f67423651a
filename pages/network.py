"""Network: build a network layer by layer, see its shapes, get its code."""

from playground.ui.pages import network

network.builder()
