"""Processes that train runs: the queue, the launcher, the worker and its commands."""
