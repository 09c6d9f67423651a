"""Reports what a script did as plain data: tensors in memory, operations, and the source cells of each cell."""
