"""The paper on which digits are drawn, as the page and the server both take it."""

CANVAS = 140
"""Side of the paper for one digit, in the pixels that the page sends."""
WIDE = 3
"""How many times wider the paper for several digits is."""
