"""Data sets: what there is, how to get it, and its images as tensors."""
