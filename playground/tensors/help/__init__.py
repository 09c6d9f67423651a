"""Help for learners: explanations of errors, fixes, the function reference and the creation form."""
