"""Tensors: type PyTorch, see shapes, values and memory."""

from playground.ui.pages import tensors

exercise = tensors.heading_and_exercise()
tensors.lab(exercise)
tensors.race()
tensors.reference()
