"""The embedded AWS: MiniStack, in a venv of its own, with its two gaps closed."""
