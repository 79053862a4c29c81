"""A private PostgreSQL with PostGIS for one measurement: its own folder, its own free port, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.outcome import NotRun

__all__ = ["private_postgis"]

# No durability is wanted of it, and memory enough for the whole join: the setting that flatters it most.
SETTINGS = {
    "listen_addresses": "127.0.0.1", "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
    "shared_buffers": "2GB", "work_mem": "512MB", "maintenance_work_mem": "1GB", "max_wal_size": "8GB",
    "max_parallel_workers_per_gather": "2", "random_page_cost": "1.1",
}  # fmt: skip


@contextmanager
def private_postgis() -> Iterator[str]:
    """Start a cluster, yield its connection string, stop it and remove it.

    Raises
    ------
    NotRun
        If PostgreSQL with PostGIS is not installed, or does not start.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="keepclear-postgis-"))
    before: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        before = ["runuser", "-u", "postgres", "--"]
    data, port = folder / "data", _free_port()
    options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    control = [*before, str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    try:
        _do([*before, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "bench", "-E", "UTF8"])
        _do([*control, "-o", f"{options} -c port={port} -c unix_socket_directories={folder}", "start"])
        try:
            yield f"host=127.0.0.1 port={port} user=bench dbname=postgres"
        finally:
            _do([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    if not installed:
        raise NotRun("PostgreSQL is not installed (Debian: postgresql-15-postgis-3)")
    return installed[0].parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _do(command: list[str]) -> None:
    # Output to a file: the server keeps a pipe open for as long as it runs.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False)
        if done.returncode != 0:
            output.seek(0)
            raise NotRun(f"{Path(command[-1]).name}: {output.read().decode(errors='replace').strip()[-300:]}")
