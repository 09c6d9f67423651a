"""Autograd: watch the gradient travel."""

from playground.ui import autograd, descent, flow, pitfalls

autograd.heading()
view = autograd.choose_view()
if view == autograd.GRAPH:
    autograd.examples()
    autograd.lab()
elif view == autograd.PITFALLS:
    pitfalls.pitfalls()
elif view == autograd.NETWORK:
    flow.flow()
else:
    descent.descent()
