"""Autograd: follow values forward and gradients backward."""

from playground.ui.pages.autograd import flow, graph, pitfalls, race

view = graph.heading_and_view()
if view == graph.GRAPH:
    graph.lab()
elif view == graph.PITFALLS:
    pitfalls.pitfalls()
elif view == graph.NETWORK:
    flow.flow()
else:
    race.race()
