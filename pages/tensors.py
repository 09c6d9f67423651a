"""Tensors: type PyTorch, see shapes, values and memory."""

from playground.ui.pages import tensors

tensors.heading()
task = tensors.choose_task()
tensors.lab(task)
tensors.race()
tensors.reference()
