"""Pitfalls: common mistakes with autograd, made in the learner's own script and compared with the script without them."""
