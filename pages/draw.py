"""Draw: a digit drawn by hand, classified while it is drawn."""

from playground.ui.pages import draw

models = draw.heading_and_networks()
draw.pad(models)
draw.code(next(iter(models)))
