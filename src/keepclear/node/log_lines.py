"""What the node writes to its log: one line for each event, for people or for programs, and never a secret.

Nobody is meant to log what proves who somebody is; what looks like it is blanked all the same, since an error's text
may hold what was sent.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import TextIO

from keepclear.times import to_text

__all__ = ["JsonLines", "TextLines", "set_up_logs"]

_SECRETS = re.compile(
    r"kc_[a-z0-9]{16}_[A-Za-z0-9]+|kcl_[A-Za-z0-9_-]{16,}"  # tokens
    r"|[a-z0-9]{16}\.[A-Za-z0-9]{64}"  # sessions' cookies
    r"|\$argon2[a-z]*\$[^\s'\"]+"  # hashes of passwords
    r"|(?<=://)[^/@\s:]*:[^/@\s]+(?=@)"  # in addresses of databases
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object for each event: ``at``, ``level``, ``logger``, ``message``, and what else was given with it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told: dict[str, object] = {
            "at": to_text(record.created), "level": record.levelname.lower(), "logger": record.name,
            "message": record.getMessage(),
        }  # fmt: skip
        told |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return _blanked(json.dumps(told, ensure_ascii=False, default=str))


class TextLines(logging.Formatter):
    """One line for each event, to be read; a trace goes on below it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, or more with a trace."""
        request = getattr(record, "request_id", "")
        message = " ".join(record.getMessage().split())
        line = f"{to_text(record.created)} {record.levelname.lower():7} {message}"
        line += f" [{request}]" if request else ""
        return _blanked(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


def set_up_logs(*, level: str = "info", form: str = "text", stream: TextIO | None = None) -> None:
    """Make the process write its log so; in place of what was set up before.

    Parameters
    ----------
    level
        From which level on: ``debug``, ``info``, ``warning`` or ``error``.
    form
        ``text`` or ``json``.
    stream
        Where to; standard error.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # libraries; each request is told once, by us
    logging.getLogger("keepclear").setLevel(level.upper())


def _blanked(line: str) -> str:
    return _SECRETS.sub("•••", line)
