"""Sizes of the canvas, shared by the page and the server."""

CANVAS = 140
"""Width and height of the canvas for one digit, in pixels as the page sends them."""
WIDE = 3
"""Width of the canvas for several digits, divided by that for one digit."""
