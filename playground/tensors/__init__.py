"""Type PyTorch, see memory: expressions, values, storage, and which inputs made which output."""
