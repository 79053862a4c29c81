"""The line between nodes, as plain functions: no socket, no clock, no database, no randomness."""
