"""One file for each number of the schema."""
