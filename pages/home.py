"""Home: a network that learns to read, what one draws for it, and where to go on."""

from playground.ui.pages import home

home.heading()
home.stage()
home.footer()
