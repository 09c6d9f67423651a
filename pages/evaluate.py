"""Evaluate: how a trained network classifies every test image."""

from playground.ui.pages import evaluate

if model := evaluate.heading_and_choice():
    evaluate.show(*model)
