"""Tensors: type PyTorch, see shapes, values and memory."""

from playground.ui.pages import tensors

task = tensors.heading_and_task()
tensors.lab(task)
tensors.race()
tensors.reference()
