"""Slow, plain references, and the worlds in which the product is compared with them."""
