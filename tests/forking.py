"""``keepclear`` as processes forked from one that has loaded everything, instead of each loading it anew.

A command is run by the program's own `main`, in a process of its own, with the arguments, the folder, the
environment and the open files that the shell gave; only the second or two of loading that comes before is not repeated
for every command. Run as a script it is the process to be forked.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["forked_program", "keepclear_forked"]

_running: list[Path] = []

_LOADED = (
    "keepclear.cli.node_link", "keepclear.cli.node_requests", "keepclear.cli.node_server", "keepclear.node.running",
    "keepclear.replay.player", "keepclear.separation.checking",
)  # fmt: skip

# What the shell starts as `keepclear`: it hands all it was given to a fork, and ends as that does.
_STARTED = """#!{python} -ISE
import json, os, signal, socket, sys
with socket.socket(socket.AF_UNIX) as conn:
    conn.connect({address!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(conn, [len(asked).to_bytes(8, "big")], [0, 1, 2])
    conn.sendall(asked)
    told = conn.makefile("rb")
    pid = int(told.readline())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(pid, number))
    os._exit(int(told.readline() or b"70"))
"""


@contextmanager
def keepclear_forked(folder: Path) -> Iterator[Path]:
    """A folder for the front of ``PATH``, whose ``keepclear`` is a fork of a process that has loaded everything."""
    address, programs = folder / "forks", folder / "bin"
    programs.mkdir()
    program = programs / "keepclear"
    program.write_text(_STARTED.format(python=sys.executable, address=str(address)))
    program.chmod(0o755)
    command = [sys.executable, __file__, str(address)]
    # Of a session of its own, and so without a terminal, whoever starts the tests.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as forked:
        assert forked.stdout is not None
        assert forked.stdout.readline() == b"ready\n"
        _running.append(program)
        yield programs
        _running.remove(program)
        assert forked.stdin is not None
        forked.stdin.close()  # which ends it


def forked_program() -> str:
    """The ``keepclear`` of the fixture `forked`, which whoever calls this must use."""
    return str(_running[-1])


def _serve(address: str) -> None:
    """Wait for commands; returns in each process that is to run one, or never."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.write(1, b"ready\n")
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            conn, _ = listening.accept()
            with conn:
                if os.fork() == 0:
                    listening.close()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    _become(conn)
                    return
    os._exit(0)


def _become(conn: socket.socket) -> None:
    """Fork once more: the child becomes the command, and this process tells how it ends."""
    size, files, _, _ = socket.recv_fds(conn, 8, 3)
    with conn.makefile("rb") as asked:
        arguments, folder, environment = json.loads(asked.read(int.from_bytes(size, "big")))
    pid = os.fork()
    if pid:
        for file in files:
            os.close(file)
        conn.sendall(b"%d\n" % pid)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        conn.sendall(b"%d\n" % (status if status >= 0 else 128 - status))
        os._exit(0)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["keepclear", *arguments]


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))
    from importlib import import_module

    from keepclear.api.app import ROUTES
    from keepclear.cli.__main__ import main
    from keepclear.cli.app import app

    app()  # loads the module of every command
    for name in (*_LOADED, *(f"keepclear.api.routes.{route}" for route in ROUTES)):
        import_module(name)
    gc.freeze()  # what is loaded is not garbage, and looking at it would copy it
    _serve(sys.argv[1])
    main()
