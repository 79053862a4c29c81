"""Measurements of keepclear beside other tools, on replicas of a real day of air traffic."""
