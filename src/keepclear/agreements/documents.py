"""The document of an agreement: its texts, its terms and its annexes in one sequence of bytes, which has one hash.

All that binds stands in it, so that who has signed the hash has signed everything. The bytes of texts and annexes are
taken as they are: line ends, byte order marks and spaces are part of what is signed. The form stands in
``docs/spec/agreements.md``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from keepclear.agreements.clauses import Clause, clauses_of
from keepclear.errors import Fault, InputError
from keepclear.record.canonical import canonical

__all__ = [
    "FORM",
    "MOST_DOCUMENT_BYTES",
    "Annex",
    "Document",
    "TermText",
    "Text",
    "joined_hash",
]

FORM = "agreement/1"
MOST_DOCUMENT_BYTES = 16 * 2**20
"""It travels as one attachment."""


@dataclass(frozen=True, eq=False)
class Text:
    """A text in one language.

    Attributes
    ----------
    language
        BCP 47.
    authentic
        Whether it is what was agreed, and no translation.
    markdown
        As it stands in its file, read as UTF-8 and not otherwise changed.
    """

    language: str
    authentic: bool
    markdown: str = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Of its bytes, in lower-case hexadecimal."""
        return hashlib.sha256(self.markdown.encode()).hexdigest()

    @cached_property
    def clauses(self) -> Mapping[str, Clause]:
        """Its clauses, by anchor."""
        return clauses_of(self.markdown)


@dataclass(frozen=True, eq=False)
class Annex:
    """A file that belongs to the document: a map, a list.

    Attributes
    ----------
    media_type
        For example ``application/geo+json``.
    data
        Its bytes.
    """

    media_type: str
    data: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Of its bytes, in lower-case hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, eq=False)
class TermText:
    """A term as it is written in the document. What it means, `keepclear.agreements.terms` says.

    Attributes
    ----------
    members
        All its members, JSON values; ``id``, ``type``, ``clause`` and ``clause_hash`` are among them.
    """

    members: Mapping[str, Any]

    @property
    def id(self) -> str:
        """What it is called in the agreement."""
        return str(self.members.get("id", ""))

    @property
    def type(self) -> str:
        """Of what type it is, known or not."""
        return str(self.members.get("type", ""))

    @property
    def clause(self) -> str:
        """The anchor of the clause that it makes checkable."""
        return str(self.members.get("clause", ""))

    @property
    def clause_hash(self) -> str:
        """Of what that clause says."""
        return str(self.members.get("clause_hash", ""))


@dataclass(frozen=True, eq=False)
class Document:
    """What parties sign.

    Attributes
    ----------
    id
        What the agreement is called; its versions share it.
    title, version
        For people.
    parties
        Who has to sign, in the order of the document.
    texts
        In any number of languages; one or several are authentic.
    terms
        What a program can check.
    annexes
        By name.

    Raises
    ------
    InputError
        If it is none, with all faults: a text or a party twice, no authentic text, a term whose clause is not there
        or says something else than the term has pinned, more than `MOST_DOCUMENT_BYTES`.
    """

    id: str
    title: str
    version: str
    parties: tuple[str, ...]
    texts: tuple[Text, ...]
    terms: tuple[TermText, ...] = ()
    annexes: Mapping[str, Annex] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from keepclear.agreements.document_checks import faults_of  # which needs this module

        faults = list(faults_of(self))
        if faults:
            raise InputError(faults)
        if len(self._canonical) > MOST_DOCUMENT_BYTES:
            problem = f"the document has {len(self._canonical)} bytes, more than the {MOST_DOCUMENT_BYTES} allowed"
            raise InputError(Fault(problem, "shorter texts, or smaller annexes"))

    @classmethod
    def of_bytes(cls, data: bytes) -> Document:
        """The document of canonical JSON, as another party sent it.

        Raises
        ------
        PeerError
            If it is none.
        """
        from keepclear.agreements.document_bytes import read_document  # which needs this module

        return read_document(data)

    def canonical(self) -> bytes:
        """What is hashed, signed and sent: canonical JSON (RFC 8785)."""
        return self._canonical

    @cached_property
    def _canonical(self) -> bytes:
        return canonical(
            {
                "keepclear": FORM,
                "agreement": self.id,
                "title": self.title,
                "version": self.version,
                "parties": list(self.parties),
                "texts": [
                    {"language": one.language, "authentic": one.authentic, "text": one.markdown} for one in self.texts
                ],
                "terms": [dict(one.members) for one in self.terms],
                "annexes": [
                    {"name": name, "media_type": one.media_type, "data": base64.b64encode(one.data).decode("ascii")}
                    for name, one in sorted(self.annexes.items())
                ],
            }
        )

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical bytes: which document it is."""
        return hashlib.sha256(self._canonical).hexdigest()

    @property
    def authentic(self) -> tuple[Text, ...]:
        """The texts that were agreed."""
        return tuple(one for one in self.texts if one.authentic)

    @cached_property
    def text_hash(self) -> str:
        """What a signer pins of the text: the hash of the authentic one, or one hash of all of them (`joined_hash`)."""
        return joined_hash([one.sha256 for one in sorted(self.authentic, key=lambda one: one.language.casefold())])

    @property
    def clauses(self) -> tuple[str, ...]:
        """The anchors that all authentic texts have, in the order of the first."""
        first, *others = self.authentic
        return tuple(one for one in first.clauses if all(one in other.clauses for other in others))

    def clause_hash(self, anchor: str) -> str | None:
        """What a term pins of its clause; None where an authentic text has no such clause."""
        return _clause_hash(self.texts, anchor)

    def clause_text(self, anchor: str, *, language: str | None = None) -> str:
        """What a clause says: in that language, else in the first authentic text; empty where there is none."""
        wanted = [one for one in self.texts if one.language == language]
        found = (one.clauses[anchor].text for one in (*wanted, *self.authentic) if anchor in one.clauses)
        return next(found, "")

    def term(self, term: str) -> TermText | None:
        """The term that is called so."""
        return next((one for one in self.terms if one.id == term), None)


def joined_hash(hashes: Sequence[str]) -> str:
    """One hash for several: the hash itself where it is one, else the SHA-256 of all, in hexadecimal, a line each."""
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("".join(f"{one}\n" for one in hashes).encode("ascii")).hexdigest()


def _clause_hash(texts: Sequence[Text], anchor: str) -> str | None:
    authentic = sorted((one for one in texts if one.authentic), key=lambda one: one.language.casefold())
    if not authentic or any(anchor not in one.clauses for one in authentic):
        return None
    return joined_hash([one.clauses[anchor].sha256 for one in authentic])
