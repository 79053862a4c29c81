"""What a node keeps: its own log and verified copies of others', durably, in one file."""
