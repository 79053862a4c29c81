"""Asking a node over HTTP: `keepclear.client.client.Client`."""
