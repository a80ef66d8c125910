"""Encryption at rest: where the key comes from, what is sealed by it, and the columns that seal by themselves."""
