"""Pasted code: what somebody's network or training script does, observed while the interpreter runs it, with shapes and without values."""

READ_NETWORK = "playground.pasted.task:read_network"
READ_TRAINING = "playground.pasted.task:read_training_script"
PREPARE = "playground.pasted.task:prepare"
"""Tasks of the sandbox, as `module:function`: a route can name them without PyTorch."""
