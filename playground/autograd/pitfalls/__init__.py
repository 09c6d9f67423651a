"""Pitfalls: mistakes made in a learner's own script, beside what PyTorch does without them."""
