"""What a node keeps besides the logs, in tables of its own: facts, and projections that can be made again."""
