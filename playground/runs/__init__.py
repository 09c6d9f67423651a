"""Runs: a folder on disk each, the process that trains it, and the queue of those that wait."""
