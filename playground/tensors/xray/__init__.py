"""What a script did, as plain data: memory, operations, and which cells made which."""
