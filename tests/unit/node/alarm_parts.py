"""The alarm parts of a node on a real database, and real servers for them to tell."""

from __future__ import annotations

import http.server
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from keepclear.clock import now_s
from keepclear.node.acts import Acts
from keepclear.node.alarm_channels import AlarmChannels
from keepclear.node.alarms import Alarms
from keepclear.node.bell import Bell
from keepclear.node.courier import Courier
from keepclear.node.rosters import Rosters
from keepclear.store.node.database import NodeDatabase


class Parts:
    """What a node has for alarms."""

    def __init__(self, path: Path, *, clock=now_s, retry_s=(0.05, 0.05), party="RU") -> None:
        self.database = NodeDatabase.open(path / "node.db")
        self.bell, self.clock = Bell(), clock
        self.acts = Acts(self.database, clock)
        self.alarms = Alarms(self.database, self.acts, self.bell, clock, party=party)
        self.channels = AlarmChannels(self.database, self.acts, self.alarms, self.bell, clock)
        self.rosters = Rosters(self.database, self.acts, self.bell, clock)
        self.courier = Courier(self.database, self.channels, self.alarms, self.bell, clock, retry_s=retry_s)


def until(true, *, within_s=60.0):
    """Wait until something is true, and return it."""
    end_s = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < end_s, "it never came"
        time.sleep(0.005)
    return found


@contextmanager
def http_server(answer):
    """A real server on loopback; `answer(handler)` is called for each POST, and has its `body`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
