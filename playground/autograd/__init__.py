"""The graph that PyTorch recorded, with every value and every gradient, observed while a script runs."""
