"""The values that parties exchange: frozen, and checked when they are made."""
