"""Help for learners: explanations of errors, fixes, hints, the function reference and the creation form."""
