"""What parties agree: a text that they sign, and terms that a program can check."""
