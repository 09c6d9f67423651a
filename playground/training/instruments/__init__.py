"""Instruments of training: recorded iterations, layer statistics and snapshots, close-ups of a step, and the origin of non-finite values."""
