"""Evaluate: how a trained network classifies every test image."""

from playground.ui.pages import evaluate

evaluate.heading()
if model := evaluate.choose():
    evaluate.show(*model)
