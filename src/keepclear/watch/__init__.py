"""What was on the ground and in the air: tracks, whether they keep to the plans, and what an encounter was."""
