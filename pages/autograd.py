"""Autograd: watch the gradient travel."""

from playground.ui import autograd, descent

autograd.heading()
if autograd.choose_view() == autograd.GRAPH:
    autograd.examples()
    autograd.lab()
else:
    descent.descent()
