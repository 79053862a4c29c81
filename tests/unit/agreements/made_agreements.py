"""An agreement made for tests, and what parties say of it. All of it is invented."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from keepclear.agreements.documents import Document
from keepclear.agreements.facts import Heard
from keepclear.agreements.life import standing_of
from keepclear.agreements.reading import read_agreement
from keepclear.agreements.standing import AgreementStanding
from keepclear.record.bodies.agreements import AgreementChangedBody, AgreementProposedBody, AgreementSignedBody
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.entries import EntryRef

MAIN = """\
agreement: border-patrols
title: Patrols along the border
version: 1
parties: [ru, tr]
texts:
  - {language: en, authentic: true, file: text.en.md}
  - {language: ar, file: text.ar.md}
terms:
  - id: depth
    type: DEPTH_BAND
    clause: c2
    line: border.geojson#border
    side: south
    max: 10 km
    from: 2019-10-23T09:00:00Z
annexes:
  - border.geojson
"""
ENGLISH = """\
# Memorandum

## 1. Purpose
To stay out of each other's way.

## 2. Depth {#c2}
Patrols stay within 10 km of the border.
"""
ARABIC = """\
# مذكرة

## ١. الغرض
ألا يعترض أحدهما طريق الآخر.

## ٢. العمق {#c2}
تبقى الدوريات ضمن 10 كم من الحدود.
"""
BORDER = b"""{"type":"FeatureCollection","features":[{"type":"Feature","id":"border","properties":{},
"geometry":{"type":"LineString","coordinates":[[40.05,36.84],[42.35,37.11]]}}]}
"""


def files(**others: str | bytes) -> dict[str, bytes]:
    """The files of the agreement; a name with ``_`` for ``.`` changes one."""
    found: dict[str, bytes] = {
        "agreement.yaml": MAIN.encode(),
        "text.en.md": ENGLISH.encode(),
        "text.ar.md": ARABIC.encode(),
        "border.geojson": BORDER,
    }
    for name, value in others.items():
        found[name.replace("_", ".")] = value.encode() if isinstance(value, str) else value
    return found


def document(version: str = "1", *, parties: str = "[ru, tr]", main: str = MAIN, more: str = "") -> Document:
    """The document; other versions have another text."""
    text = ENGLISH + ("" if version == "1" else f"\n## 9. Version {version}\nIt is another.\n") + more
    main = main.replace("version: 1\n", f"version: '{version}'\n").replace("[ru, tr]", parties)
    return read_agreement(files(agreement_yaml=main, text_en_md=text))


def ref(party: str, index: int) -> EntryRef:
    return EntryRef(f"{party}/border/log", index, hashlib.sha256(f"{party} {index}".encode()).digest())


class Telling:
    """What parties say of agreements, in the order of each one's log."""

    def __init__(self) -> None:
        self.said: list[Heard] = []
        self.documents: dict[str, Document] = {}
        self._next: dict[str, int] = {}

    def say(self, party: str, body: Body, at_s: float | None, *, exercise: bool = False) -> EntryRef:
        index = self._next.get(party, 0)
        self._next[party] = index + 1
        where = ref(party, index)
        self.said.append(Heard(where, party, body, at_s or 0.0, at_s, exercise=exercise))
        return where

    def propose(
        self, party: str, what: Document, at_s: float | None, *, counters: EntryRef | None = None, **others
    ) -> EntryRef:
        self.documents[what.hash] = what
        return self.say(party, proposed(what, counters=counters), at_s, **others)

    def sign(self, party: str, what: Document, proposal: EntryRef, at_s: float | None, *, exercise=False, **others):
        members = {"text": what.text_hash, "document": what.hash, "agreement": what.id} | others
        body = AgreementSignedBody(
            proposal=EntryRefValue.of(proposal), persons=["minister", "chief of staff"], **members
        )
        return self.say(party, body, at_s, exercise=exercise)

    def change(self, party: str, what: Document, change: str, at_s: float | None, **others) -> EntryRef:
        persons = ["minister", "chief of staff"]
        body = AgreementChangedBody(agreement=what.id, document=what.hash, change=change, persons=persons, **others)
        return self.say(party, body, at_s)

    def standing(self, at_s: float, **others) -> AgreementStanding | None:
        return standing_of("border-patrols", self.said, self.documents, at_s, **others)


def proposed(what: Document, *, counters: EntryRef | None = None, **others) -> AgreementProposedBody:
    note = {"name": "document.json", "media_type": "application/json", "size_bytes": len(what.canonical())}
    members = {
        "agreement": what.id,
        "title": what.title,
        "parties": list(what.parties),
        "document": what.hash,
        "texts": [{"language": one.language, "authentic": one.authentic, "sha256": one.sha256} for one in what.texts],
        "attachments": [note],
    }
    return AgreementProposedBody(
        **(members | others), counters=None if counters is None else EntryRefValue.of(counters)
    )


def refused_with(faults: Iterable, **wanted: str) -> bool:
    """Whether there is a fault that has all of these."""
    return any(all(text in getattr(one, name) for name, text in wanted.items()) for one in faults)


__all__ = ["MAIN", "Mapping", "Telling", "document", "files", "proposed", "ref", "refused_with"]
