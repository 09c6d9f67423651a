"""The Autograd page: the graph of a script, of a network, pitfalls, and optimizers descending a surface."""
