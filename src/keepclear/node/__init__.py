"""Where the parts of a node meet: its use cases, settings and background work."""
