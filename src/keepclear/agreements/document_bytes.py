"""The document of an agreement, read from the canonical JSON that its parties sign."""

from __future__ import annotations

import base64
import binascii

from keepclear.agreements.documents import FORM, MOST_DOCUMENT_BYTES, Annex, Document, TermText, Text
from keepclear.errors import Fault, InputError, PeerError
from keepclear.record.canonical import JsonValue, parse_canonical
from keepclear.record.telling import told

__all__ = ["document_of", "read_document"]

_MEMBERS = frozenset({"keepclear", "agreement", "title", "version", "parties", "texts", "terms", "annexes"})


def read_document(data: bytes) -> Document:
    """The document that these bytes are.

    Raises
    ------
    PeerError
        If they are none.
    """
    members = parse_canonical(data, limit=MOST_DOCUMENT_BYTES)
    try:
        return document_of(members)
    except InputError as error:
        raise PeerError(f"not the document of an agreement: {told(error.faults)}") from None


def document_of(members: JsonValue) -> Document:
    """The document that these members are.

    Raises
    ------
    InputError
        If they are none; each fault with the path of the member.
    """
    if not isinstance(members, dict) or members.get("keepclear") != FORM:
        raise InputError(Fault(f'not a JSON object with "keepclear": "{FORM}"', field="document"))
    faults = [Fault("there is no such member", "leave it out", field=ascii(one)) for one in members.keys() - _MEMBERS]
    faults += [Fault("missing", field=one) for one in sorted(_MEMBERS - members.keys())]
    if faults:
        raise InputError(faults)
    parties = [_text(one, "parties") for one in _list(members, "parties")]
    texts = [_read_text(one, f"texts[{number}]") for number, one in enumerate(_list(members, "texts"))]
    terms = [_object(one, f"terms[{number}]") for number, one in enumerate(_list(members, "terms"))]
    annexes = [_read_annex(one, f"annexes[{number}]") for number, one in enumerate(_list(members, "annexes"))]
    names = [name for name, _ in annexes]
    if names != sorted(set(names)):
        raise InputError(Fault("annexes out of order, or one twice", "by name, each once", field="annexes"))
    agreement, title, version = (_text(members[name], name) for name in ("agreement", "title", "version"))
    return Document(
        agreement, title, version, tuple(parties), tuple(texts), tuple(map(TermText, terms)), dict(annexes)
    )  # fmt: skip


def _read_text(value: JsonValue, path: str) -> Text:
    members = _object(value, path, {"language", "authentic", "text"})
    authentic = members["authentic"]
    if not isinstance(authentic, bool):
        raise InputError(Fault("not what belongs here", "true or false", field=f"{path}.authentic"))
    return Text(_text(members["language"], f"{path}.language"), authentic, _text(members["text"], f"{path}.text"))


def _read_annex(value: JsonValue, path: str) -> tuple[str, Annex]:
    members = _object(value, path, {"name", "media_type", "data"})
    text = _text(members["data"], f"{path}.data")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode("ascii") != text:
        raise InputError(Fault("not base64", "RFC 4648, with padding, without line ends", field=f"{path}.data"))
    return _text(members["name"], f"{path}.name"), Annex(_text(members["media_type"], f"{path}.media_type"), data)


def _list(members: dict[str, JsonValue], name: str) -> list[JsonValue]:
    value = members[name]
    if not isinstance(value, list):
        raise InputError(Fault("not what belongs here", "a list", field=name))
    return value


def _object(value: JsonValue, path: str, names: set[str] | None = None) -> dict[str, JsonValue]:
    if not isinstance(value, dict) or (names is not None and value.keys() != names):
        right = "an object" if names is None else f"an object with {', '.join(sorted(names))}, and nothing else"
        raise InputError(Fault("not what belongs here", right, field=path))
    return value


def _text(value: JsonValue, path: str) -> str:
    if not isinstance(value, str):
        raise InputError(Fault("not what belongs here", "text", field=path))
    return value
