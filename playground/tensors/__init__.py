"""Runs learners' PyTorch scripts and shows their tensors: values, memory, and the source cells of each cell."""
