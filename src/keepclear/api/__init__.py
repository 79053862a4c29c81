"""HTTP: requests parsed, the node called, its answers rendered."""
