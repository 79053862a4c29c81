"""``keepclear backup``, ``restore``, ``rebuild``, ``export`` and ``alarm``, as a person types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)


def keepclear(*arguments, cwd: Path, status: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEEPCLEAR_")}
    done = subprocess.run(
        [sys.executable, "-c", "from keepclear.cli.__main__ import main; main()", *map(str, arguments)],
        cwd=cwd, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if status == 0 else done.stdout + done.stderr


@pytest.fixture
def here(tmp_path):
    (tmp_path / "pw").write_text("a good long password 123\n")
    (tmp_path / "words").write_text("words for the backup\n")
    keepclear("init", "RU", "--party", "RU", "--password-file", "pw", cwd=tmp_path)
    keepclear("line", "new", "RU", "--name", "north", cwd=tmp_path)
    return tmp_path


def test_a_node_is_kept_put_back_and_begins_anew_where_nobody_can_be_asked(here):
    assert "with the private keys, sealed" in keepclear("backup", "RU", "kept", "--sealed-with", "words", cwd=here)
    assert "not sealed" in keepclear("backup", "RU", "open", cwd=here, status=2)
    assert "passphrase is wrong" in keepclear("restore", "kept", "RU2", "--sealed-with", "pw", cwd=here, status=2)
    assert not (here / "RU2").exists()
    assert "as it was at" in keepclear("restore", "kept", "RU2", "--sealed-with", "words", cwd=here)
    assert "RU/north/log/2 is your log" in keepclear("restore", "--begin-anew", "RU2", "--yes", cwd=here)
    assert "no log waits" in keepclear("restore", "--begin-anew", "RU2", "--yes", cwd=here, status=2)
    assert "made anew from the logs" in keepclear("rebuild", "RU2", cwd=here)
    out = keepclear("export", "RU2", "out", cwd=here)
    assert "RU/north/log/2" in out
    entries = (here / "out" / "RU.north.log.2" / "entries.jsonl").read_text().splitlines()
    assert entries
    assert all(json.loads(line) for line in entries)


def test_who_is_on_duty_and_how_they_are_alarmed_is_set_up_at_the_machine(here):
    siren = ("alarm", "channel", "RU", "siren", "--kind", "command", "--set")
    told = keepclear(*siren, f"argv={sys.executable}", "--set", "argv=-c", "--set", "argv=pass", cwd=here)
    assert "siren works" in told
    assert "ivanov" in keepclear("alarm", "roster", "RU", "--post", "duty officer:0:ivanov:siren", cwd=here)
    assert "no such alarm channel" in keepclear(
        "alarm", "roster", "RU", "--post", "duty officer:0::x", cwd=here, status=2
    )
    assert "does not work" in keepclear(*siren, "argv=/no/such/program", cwd=here, status=1)
    assert "alarm-channel" in keepclear("alarm", "list", "RU", cwd=here)
    assert "seen by operator" in keepclear("alarm", "seen", "RU", "1", cwd=here)
    wrong = keepclear("alarm", "channel", "RU", "x", "--kind", "smoke", "--set", "y", cwd=here, status=2)
    assert "--kind" in wrong
    assert "--set" in wrong
