"""Shared by several pages: errors, lists of runs, scripts, the current learner."""
