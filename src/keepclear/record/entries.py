"""Entries: a leaf that everyone on the line holds for ever, and a body that its recipients hold.

The leaf holds a salted hash of the body. Who is given leaf, salt and body can check that this is what was said; who
has only the leaf cannot find the body by guessing. A body that was erased still has its leaf.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from keepclear.errors import Fault, InputError
from keepclear.record.leaves import CLOCK_TOLERANCE_S, MOST_LEAF_BYTES, Leaf
from keepclear.record.names import ORIGIN_RIGHT, is_origin
from keepclear.record.salted import SALT_BYTES, attachment_hash, body_hash, check_salt

__all__ = [
    "CLOCK_TOLERANCE_S",
    "MOST_ATTACHMENT_BYTES",
    "MOST_BODY_BYTES",
    "MOST_LEAF_BYTES",
    "SALT_BYTES",
    "Attachment",
    "Entry",
    "EntryRef",
    "Leaf",
    "attachment_hash",
    "body_hash",
]

MOST_BODY_BYTES = 16 * 2**20
MOST_ATTACHMENT_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class EntryRef:
    """Names one entry for ever: a log, the place in it, and the hash of what stands there.

    Attributes
    ----------
    origin
        The log, for example ``north/border/log``.
    index
        From 0.
    leaf_hash
        RFC 6962 hash of the leaf, 32 bytes: a reference made to one history does not fit another.

    Raises
    ------
    InputError
        If one of them is no such thing.
    """

    origin: str
    index: int
    leaf_hash: bytes

    def __post_init__(self) -> None:
        faults = []
        if not is_origin(self.origin):
            faults.append(Fault("not the origin of a log", ORIGIN_RIGHT, field="origin", value=str(self.origin)))
        if not 0 <= self.index < 2**53:
            faults.append(Fault("not an index", "0 or more", field="index", value=str(self.index)))
        if len(self.leaf_hash) != 32:
            faults.append(Fault("not a hash", "32 bytes", field="leaf", value=f"{len(self.leaf_hash)} bytes"))
        if faults:
            raise InputError(faults)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside a body, and the salt of its hash; at most `MOST_ATTACHMENT_BYTES`."""

    salt: bytes = field(repr=False)
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_size(self.data, MOST_ATTACHMENT_BYTES, "attachment")
        check_salt(self.salt)

    @property
    def hash(self) -> bytes:
        """What the leaf has of it."""
        return attachment_hash(self.salt, self.data)


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf, and what we hold besides it.

    Attributes
    ----------
    leaf
        What everyone has.
    salt, body
        ``None``, both, where we were not given the body or it was erased. A body is JSON for every type that is known.
    attachments
        As many as in the leaf, ``None`` where not held; or empty.

    Raises
    ------
    InputError
        If there is one of salt and body without the other, a salt of another length than 32, a body that is too long,
        or another number of attachments than in the leaf. Whether they are what was said, `check` says.
    """

    leaf: Leaf
    salt: bytes | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)
    attachments: tuple[Attachment | None, ...] = ()

    def __post_init__(self) -> None:
        if (self.salt is None) != (self.body is None):
            raise InputError(Fault("salt and body belong together", "give both or neither", field="salt"))
        if self.salt is not None:
            check_salt(self.salt)
        if self.body is not None:
            _check_size(self.body, MOST_BODY_BYTES, "body")
        if self.attachments and len(self.attachments) != len(self.leaf.attachments):
            problem = f"{len(self.attachments)} attachments, and {len(self.leaf.attachments)} in the leaf"
            raise InputError(Fault(problem, "one for each in the leaf, or none", field="attachments"))

    @classmethod
    def said(
        cls,
        type: str,  # noqa: A002  # the name that it has in the leaf
        version: int,
        *,
        line: str,
        party: str,
        time_s: float,
        recipients: Iterable[str],
        exercise: bool,
        body: bytes,
        salt: bytes,
        attachments: Sequence[Attachment] = (),
    ) -> Entry:
        """A new entry: the leaf is made of the rest.

        Parameters
        ----------
        recipients
            In any order.
        body
            What `keepclear.record.bodies` makes of a body; its bytes are hashed and kept as they are.
        salt
            32 random bytes, new for each entry; those of the attachments too.

        Raises
        ------
        InputError
            As `Leaf` and `Entry`.
        """
        hashes = tuple(attachment.hash for attachment in attachments)
        wanted = tuple(sorted(recipients))
        leaf = Leaf(type, version, line, party, time_s, wanted, exercise, body_hash(salt, body), hashes)
        return cls(leaf, salt, body, tuple(attachments))

    def check(self) -> None:
        """Prove that all that we hold is what was said.

        Raises
        ------
        IntegrityError
            If body or an attachment does not have its hash in the leaf.
        """
        if self.salt is not None and self.body is not None:
            self.leaf.check_body(self.salt, self.body)
        for number, attachment in enumerate(self.attachments):
            if attachment is not None:
                self.leaf.check_attachment(number, attachment.salt, attachment.data)

    def to_json(self) -> bytes:
        """The entry as a file (`keepclear.record.entry_files.write_entry`)."""
        from keepclear.record.entry_files import write_entry  # which needs this module

        return write_entry(self)

    @classmethod
    def of_json(cls, data: bytes) -> Entry:
        """The entry of a file (`keepclear.record.entry_files.read_entry`).

        Raises
        ------
        PeerError
            If it is no such file.
        """
        from keepclear.record.entry_files import read_entry  # which needs this module

        return read_entry(data)

    def without_body(self) -> Entry:
        """The entry with nothing but its leaf: what is left when the body is erased."""
        return Entry(self.leaf)


def _check_size(data: bytes, most: int, what: str) -> None:
    if len(data) > most:
        problem = f"the {what} has {len(data)} bytes, more than the {most} allowed"
        raise InputError(Fault(problem, "a smaller one, or several entries", field=what))
