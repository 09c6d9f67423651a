"""A visual playground for learning PyTorch: tensors, autograd, networks, training, prediction."""

__version__ = "0.1.0"
