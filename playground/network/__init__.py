"""Networks as plain data: the layer catalogue, specifications, shape traces, building, source code."""
