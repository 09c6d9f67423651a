"""Looking inside while a network trains: one iteration, layer statistics, a closer look at a step, where values became non-finite."""
