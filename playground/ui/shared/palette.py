"""The colours and symbols of lines that share a plot."""

COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours, which the colour-blind can distinguish: https://jfly.uni-koeln.de/color/"""
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "x")
