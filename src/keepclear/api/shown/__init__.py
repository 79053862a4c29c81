"""How what a node knows is put into answers: plain translations, in which nothing is decided."""
