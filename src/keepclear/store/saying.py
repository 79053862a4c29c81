"""A new entry of a body: the salts come from the operating system here, since nothing below may draw them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from keepclear.record.bodies.base import Body
from keepclear.record.entries import SALT_BYTES, Attachment, Entry

__all__ = ["entry_said"]


def entry_said(
    body: Body,
    *,
    line: str,
    party: str,
    time_s: float,
    recipients: Iterable[str] = (),
    exercise: bool = False,
    attachments: Iterable[bytes] = (),
) -> Entry:
    """A new entry of a body, with fresh salts.

    Parameters
    ----------
    attachments
        Files that go with it, in the order in which the body names them.

    Raises
    ------
    InputError
        As `Entry.said`.
    """
    files = tuple(Attachment(secrets.token_bytes(SALT_BYTES), data) for data in attachments)
    return Entry.said(
        str(body.TYPE), body.VERSION, line=line, party=party, time_s=time_s, recipients=recipients, exercise=exercise,
        body=body.to_bytes(), salt=secrets.token_bytes(SALT_BYTES), attachments=files,
    )  # fmt: skip
