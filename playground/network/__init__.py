"""Networks as plain data: layer catalogue, specifications, shape traces, advice, building and initialisation, code in both directions."""
