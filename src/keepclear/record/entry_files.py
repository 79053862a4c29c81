"""Entry files: an entry, or several, as JSON that a person can read and keep.

One entry is one JSON object ``{"keepclear": "entry/1", "leaf": …, "salt": …, "body": …, "attachments": …}``. It is
written on one line, so that a file of many is JSON lines; it may be read with any spacing, since what is proved is the
canonical text of leaf and body, which is made anew from their values.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from keepclear.errors import InputError, PeerError
from keepclear.record.canonical import JsonValue, canonical, parse, parse_canonical
from keepclear.record.entries import MOST_BODY_BYTES, Attachment, Entry
from keepclear.record.leaves import MOST_LEAF_BYTES, Leaf
from keepclear.record.salted import HASH_RIGHT, is_hash_text

__all__ = ["MOST_FILE_BYTES", "read_entry", "read_lines", "write_entry"]

MOST_FILE_BYTES = 64 * 2**20
"""The longest entry read, in bytes: body and attachments as base64, and room for spaces."""

_KIND = "entry/1"
_MEMBERS = frozenset({"keepclear", "leaf", "salt", "body", "body_base64", "attachments"})


def write_entry(entry: Entry) -> bytes:
    """The entry as one line of canonical JSON, without line feed.

    A body that is not canonical JSON, as one of an unknown type may be, is written as ``body_base64``: so its bytes
    come back as they are.

    Raises
    ------
    InputError
        If the entry has so many attachments that the file would have more than `MOST_FILE_BYTES`.
    """
    members: dict[str, JsonValue] = {"keepclear": _KIND, "leaf": parse_canonical(entry.leaf.raw)}
    if entry.salt is not None and entry.body is not None:
        members["salt"] = _text(entry.salt)
        try:
            members["body"] = parse_canonical(entry.body, limit=MOST_BODY_BYTES)
            # As deep as may be, it would be too deep inside the file.
            canonical(members)
        except (PeerError, InputError):
            members.pop("body", None)
            members["body_base64"] = _text(entry.body)
    if any(attachment is not None for attachment in entry.attachments):
        members["attachments"] = [_attachment_members(attachment) for attachment in entry.attachments]
    data = canonical(members)
    if len(data) > MOST_FILE_BYTES:
        raise InputError(f"the entry has {len(data)} bytes as a file, more than the {MOST_FILE_BYTES} that are read")
    return data


def read_entry(data: bytes) -> Entry:
    """The entry of a file. That salt, body and attachments fit its leaf is for `Entry.check` to say.

    Raises
    ------
    PeerError
        If it is no such file: not JSON, a member missing, unknown or wrong, a leaf that is none.
    """
    members = parse(data, limit=MOST_FILE_BYTES)
    if not isinstance(members, dict) or members.get("keepclear") != _KIND:
        raise PeerError(f'not an entry file: no JSON object with "keepclear": "{_KIND}"')
    unknown = sorted(members.keys() - _MEMBERS)
    if unknown:
        raise PeerError(f"not an entry file: no member is called {unknown[0][:40]!a}")
    leaf = _leaf(members)
    salt, body = _salt(members), _body(members)
    try:
        return Entry(leaf, salt, body, _attachments(members))
    except InputError as error:
        raise PeerError(f"not an entry file: {error}") from None


def read_lines(lines: Iterable[bytes]) -> Iterator[Entry]:
    """The entries of JSON lines, one by one; empty lines are passed over.

    Raises
    ------
    PeerError
        As `read_entry`, naming the line, counted from 1.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                entry = read_entry(line)
            except PeerError as error:
                raise PeerError(f"line {number}: {error}") from None
            yield entry


def _leaf(members: dict[str, JsonValue]) -> Leaf:
    value = members.get("leaf")
    if not isinstance(value, dict):
        raise PeerError("not an entry file: no leaf")
    try:
        raw = canonical(value)
    except InputError as error:
        raise PeerError(f"not an entry file: leaf: {error}") from None
    if len(raw) > MOST_LEAF_BYTES:
        raise PeerError(f"not an entry file: the leaf has more than {MOST_LEAF_BYTES} bytes")
    return Leaf.of_bytes(raw)


def _salt(members: dict[str, JsonValue]) -> bytes | None:
    if "salt" not in members:
        return None
    if not is_hash_text(members["salt"]):
        raise PeerError(f"not an entry file: salt: {HASH_RIGHT}")
    return base64.b64decode(str(members["salt"]))


def _body(members: dict[str, JsonValue]) -> bytes | None:
    if "body" in members and "body_base64" in members:
        raise PeerError("not an entry file: the body twice, as body and as body_base64")
    if "body_base64" in members:
        return _bytes(members["body_base64"], "body_base64")
    if "body" not in members:
        return None
    try:
        return canonical(members["body"])
    except InputError as error:
        raise PeerError(f"not an entry file: body: {error}") from None


def _attachments(members: dict[str, JsonValue]) -> tuple[Attachment | None, ...]:
    values = members.get("attachments", [])
    if not isinstance(values, list):
        raise PeerError("not an entry file: attachments: a list, null for each that is not held")
    return tuple(_attachment(value) for value in values)


def _attachment(value: JsonValue) -> Attachment | None:
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"salt", "data"} or not is_hash_text(value["salt"]):
        raise PeerError(f"not an entry file: an attachment has salt ({HASH_RIGHT}) and data (base64), or is null")
    try:
        return Attachment(base64.b64decode(str(value["salt"])), _bytes(value["data"], "data"))
    except InputError as error:
        raise PeerError(f"not an entry file: {error}") from None


def _bytes(value: JsonValue, name: str) -> bytes:
    if isinstance(value, str):
        try:
            data = base64.b64decode(value, validate=True)
        except ValueError:
            data = None
        if data is not None and _text(data) == value:
            return data
    raise PeerError(f"not an entry file: {name}: not base64 (RFC 4648, with padding, without line ends)")


def _attachment_members(attachment: Attachment | None) -> JsonValue:
    if attachment is None:
        return None
    return {"salt": _text(attachment.salt), "data": _text(attachment.data)}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
