"""Pasted code: what somebody's network does, observed while the interpreter runs it, with shapes and without values."""

READ_NETWORK = "playground.pasted.task:read_network"
PREPARE = "playground.pasted.task:prepare"
"""Tasks of the sandbox, as `module:function`: a route can name them without PyTorch."""
