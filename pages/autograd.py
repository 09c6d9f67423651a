"""Autograd: follow values forward and gradients backward."""

from playground.ui.pages.autograd import descent, flow, graph, pitfalls

graph.heading()
view = graph.choose_view()
if view == graph.GRAPH:
    graph.examples()
    graph.lab()
elif view == graph.PITFALLS:
    pitfalls.pitfalls()
elif view == graph.NETWORK:
    flow.flow()
else:
    descent.descent()
