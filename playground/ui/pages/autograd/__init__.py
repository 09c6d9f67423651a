"""The Autograd page: the graph of a script or a network, pitfalls, and optimizers on a loss surface."""
