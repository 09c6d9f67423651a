"""Inference: preprocess drawings and images, load trained networks, predict, evaluate and explain."""
