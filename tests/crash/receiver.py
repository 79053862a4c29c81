"""What a mirror that is killed does. Imported by it, so it holds nothing but what it runs."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from tests.property.two_ends import MirrorEnd


def serve_for_ever(folder: Path, requests: Connection) -> None:
    """Answer requests as they come through a pipe."""
    end = MirrorEnd(folder)
    requests.send("ready")
    while True:
        endpoint, body, step = requests.recv()
        chunks = (body[at : at + step] for at in range(0, len(body), step))
        requests.send(end.serve(endpoint, chunks))
