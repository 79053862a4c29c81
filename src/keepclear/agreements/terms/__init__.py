"""Terms: clauses that a program can check, one module for each type."""
