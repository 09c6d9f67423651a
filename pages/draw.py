"""Draw: a digit by hand, read while it is drawn."""

from playground.ui import draw

draw.heading()
model = draw.choose_network()
draw.pad(model)
draw.explanation(model)
