"""What may be attached: nothing that a machine would run, and no file that passes what a text may not.

Files that hold text (KML, GPX, GeoJSON, tables, shapefiles' attributes) are read as text up to a cap, and so are those
packed in a zip (KMZ, office documents). Pictures, sound and whatever else is not text cannot be judged by words; the
verdict says so, and a person has to.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from keepclear.line.guards import NO_SHARING, Outcome, Span, Verdict, guard_text

__all__ = ["ATTACHMENT_TYPE", "MOST_SCANNED", "guard_attachment"]

ATTACHMENT_TYPE = "ATTACHMENT_TYPE"
"""The guard against attachments of types that are not carried."""
MOST_SCANNED = 200_000
"""Characters of one attachment that are read; where there is more, the rest is unread and the verdict says so."""
_MOST_PACKED = 200

_RUN_BY_MACHINES = re.compile(
    r"exe|dll|com|scr|msi|bat|cmd|ps1|vb[se]|jse?|ws[fh]|hta|lnk|jar|apk|app|deb|rpm|dmg|pkg|iso|img|(?:ba)?sh|pyw?|pl|rb"
    r"|docm|xls[mb]|pptm|xlam|xll|chm|cpl|reg|elf|so|dylib|bin|run|appimage|scf|url|inf|gadget|x?html?|svg"
)
_MAGIC = (
    *(
        b"MZ",
        b"\x7fELF",
        b"\xfe\xed\xfa",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"#!",
        b"dex\n",
    ),
    *(
        b"L\x00\x00\x00\x01\x14\x02\x00",
        b"\xd0\xcf\x11\xe0",
        b"Rar!",
        b"7z\xbc\xaf",
        b"\x1f\x8b",
        b"BZh",
        b"\xfd7zXZ",
        b"MSCF",
    ),
)
_SHAPES = frozenset({"shp", "shx", "dbf", "kml", "kmz", "gpx", "geojson", "json", "gml"})
_TAGS = re.compile(r"<[^<>]{0,2000}>")

_REFUSED_TYPE = (
    "Not sent: attachments that a machine could run, and packings that cannot be looked into, are not carried. Send a"
    " picture, a PDF, a text, a table or a map file."
)
_UNREAD = "Sent, and flagged for the duty officers: not all of an attachment could be read by the guard."


def guard_attachment(name: str, data: bytes, *, text: str = "") -> Verdict:
    """Judge one attachment.

    Parameters
    ----------
    name
        What it is called.
    data
        What it is.
    text
        What the message says that it is attached to: a map with "strike all of these" beside it is refused too.

    Returns
    -------
    Verdict
        REFUSE for what is run or cannot be looked into, and for what `guard_text` refuses; FLAG where something was
        left unread; spans name the attachment, or the file in it.
    """
    refused = Verdict(Outcome.REFUSE, ATTACHMENT_TYPE, (Span(name, 0, 0),), _REFUSED_TYPE)
    if _is_run(name, data):
        return refused
    worst = guard_text(f"{name}\n{text}", member=name, place_is_given=_suffix(name) in _SHAPES)
    try:
        for member, content, is_whole in _texts(name, data):
            if _is_run(member, b""):
                return refused
            verdict = guard_text(f"{text}\n{content}", member=member, place_is_given=_suffix(member) in _SHAPES)
            if not is_whole and verdict.outcome is Outcome.PASS:
                verdict = Verdict(Outcome.FLAG, NO_SHARING, (Span(member, 0, 0),), _UNREAD)
            worst = max(worst, verdict, key=lambda one: one.outcome)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        return refused  # broken, or packed with a password
    return worst


def _is_run(name: str, data: bytes) -> bool:
    return _RUN_BY_MACHINES.fullmatch(_suffix(name)) is not None or data.startswith(_MAGIC)


def _suffix(name: str) -> str:
    return name.rstrip(". ").rpartition(".")[2].lower()


def _texts(name: str, data: bytes) -> Iterator[tuple[str, str, bool]]:
    """Names, texts, and whether they are whole, of a file or of all that is packed in it."""
    if not data.startswith(b"PK"):
        yield name, *_text(data)
        return
    left = MOST_SCANNED * 4
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        members = packed.infolist()
        for member in members[:_MOST_PACKED]:
            with packed.open(member) as file:
                content = file.read(min(left, MOST_SCANNED * 4) + 1)  # no more, however much it claims to hold
            left = max(left - len(content), 0)
            if content.startswith((b"PK", *_MAGIC)):
                raise ValueError("packed again")
            text, is_whole = _text(content)
            yield member.filename, text, is_whole and left > 0
        if len(members) > _MOST_PACKED:
            yield name, "", False


def _text(data: bytes) -> tuple[str, bool]:
    """The text of bytes, without tags, and whether that is all of it; nothing of what is no text."""
    part = data[: MOST_SCANNED * 4]
    encoding = "utf-16" if part.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = part.decode(encoding, errors="replace")
    if text.count("�") + text.count("\x00") > len(text) // 10:
        # Not text, but attributes of shapefiles and the like have words between other bytes.
        text = " ".join(found.decode("latin-1") for found in re.findall(rb"[\x20-\x7e\xc0-\xff]{4,}", part))
    text = _TAGS.sub(" \n ", text)
    return text[:MOST_SCANNED], len(data) <= len(part) and len(text) <= MOST_SCANNED
