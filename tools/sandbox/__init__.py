"""A local stand-in for the payment provider: a process of its own that knows nothing of the rest of the project."""
