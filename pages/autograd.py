"""Autograd: watch the gradient travel."""

from playground.ui import autograd

autograd.heading()
autograd.examples()
autograd.lab()
