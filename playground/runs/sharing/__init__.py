"""Runs and weights in and out: archives, weights, and checks of files from elsewhere."""
