"""Runs as pages show them: curves, layers, comparisons, lists. Plain data."""
