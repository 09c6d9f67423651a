"""Autograd: follow values forward and gradients backward."""

from playground.ui.pages.autograd import descent, flow, graph, pitfalls

view = graph.heading_and_view()
if view == graph.GRAPH:
    graph.lab()
elif view == graph.PITFALLS:
    pitfalls.pitfalls()
elif view == graph.NETWORK:
    flow.flow()
else:
    descent.descent()
