"""Learners' scripts: what may be written and called, and the interpreter that runs it."""
