"""The KML inside a KMZ archive, unpacked within bounds."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import BinaryIO, NoReturn, cast

from keepclear.errors import Fault, InputError
from keepclear.formats.bounded import read_bounded
from keepclear.formats.reading import Reading

__all__ = ["MOST_MEMBERS", "MOST_RATIO", "kml_of_kmz"]

MOST_MEMBERS = 10_000
MOST_RATIO = 200
"""KML text packs to a twentieth or so; two hundred times is a bomb or no plan."""

_SMALL_BYTES = 1 << 20  # below this a high ratio does no harm: a short file of blanks
_DIRECTORY_ENTRY = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack with memory that the file itself sets
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


def kml_of_kmz(data: bytes, cap_bytes: int, reading: Reading) -> bytes:
    """The first KML file of the archive, which is the one that counts (OGC 07-147r2, annex C).

    Nothing else in the archive is unpacked.

    Raises
    ------
    InputError
        If the archive is broken or encrypted, has no KML or too many members, or unpacks to more than `cap_bytes`
        or to more than `MOST_RATIO` times its size.
    """
    # Counted before the directory is read, whose entries take far more memory than their bytes.
    if data.count(_DIRECTORY_ENTRY) > MOST_MEMBERS:
        _refuse(reading, f"an archive of more than {MOST_MEMBERS} files", "a KMZ with one KML in it")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [member for member in archive.infolist() if member.filename.casefold().endswith(".kml")]
            if not found:
                _refuse(reading, "no KML in the archive", "a KMZ with a doc.kml in it")
            if len(found) > 1:
                reading.warn(f"only the first KML of the archive was read; {len(found) - 1} more were left aside")
            return _unpacked(archive, found[0], cap_bytes, reading)
    except _BROKEN as error:
        _refuse(reading, f"not a KMZ archive that can be read: {error}", "a ZIP archive, not encrypted")


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, cap_bytes: int, reading: Reading) -> bytes:
    if member.compress_type not in _METHODS:
        _refuse(reading, "packed in an unusual way", "a KMZ packed with deflate", member.filename)
    # What the directory says is the packer's word: it is asked first, and then not relied on.
    most = max(_SMALL_BYTES, MOST_RATIO * member.compress_size)
    if member.file_size > most:
        _refuse(reading, f"unpacks to more than {MOST_RATIO} times its size", "an honest KMZ", member.filename)
    with archive.open(member) as stream:
        return read_bounded(cast("BinaryIO", stream), min(cap_bytes, most), reading)


def _refuse(reading: Reading, problem: str, right: str, member: str = "") -> NoReturn:
    raise InputError([*reading.faults, Fault(problem, right, reading.file, member[:200])])
