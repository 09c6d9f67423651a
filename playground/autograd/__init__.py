"""Autograd graphs of scripts and networks, with every value and every gradient."""
