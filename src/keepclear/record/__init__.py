"""What was said, provably: entries, notes, the Merkle tree, checkpoints, tiles and proofs; pure functions of bytes."""
