"""Draw: a digit by hand, read while it is drawn, with all that the network computes."""

from playground.ui.pages import draw

draw.heading()
models = draw.choose_networks()
draw.pad(models)
draw.code(next(iter(models)))
