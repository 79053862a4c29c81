"""The Go program of this folder, built once for all tests and workers, and run as a process of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.interop.peer import Peer

SOURCES = Path(__file__).parent
GO = os.environ.get("GO", "go")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The program, built from the pinned modules by whichever worker comes first. No Go, no module: no test passes."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared if worker_id == "master" else shared.parent
    built = shared / "interop-peer"
    with FileLock(shared / "interop-peer.lock"):
        if not built.exists():
            build = [GO, "build", "-mod=readonly", "-buildvcs=false", "-o", str(built), "."]
            environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0"}
            subprocess.run(build, cwd=SOURCES, env=environment, check=True, timeout=280)
    return built


@pytest.fixture(scope="session")
def go(program: Path) -> Iterator[Peer]:
    peer = Peer(program)
    yield peer
    peer.close()
