"""Who comes too close: the minima, the search, the exact pair tests, and what would part a pair."""
