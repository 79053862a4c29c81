"""The language of attack, one language a module: what asks for it, what only names it, what is harmless."""
