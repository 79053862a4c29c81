"""From the features of a file to operations and zones.

One feature is one operation or zone. Where one geometry cannot say all of it (two windows, an area besides a track),
several features share party and id, and each has a ``part`` number of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from keepclear.formats.extents import Extents
from keepclear.formats.fields import Fields, unread_warning
from keepclear.formats.particulars import Particulars
from keepclear.formats.reading import Reading
from keepclear.model.extents import Track, Volume
from keepclear.model.kinds import ZoneKind, ZoneRule
from keepclear.model.operations import Operation, Plans, Source, Zone

__all__ = ["Filings"]


@dataclass(slots=True)
class _Part:
    facts: Particulars
    fields: Fields
    extents: Extents


class Filings:
    """Collects the features of one file, and what is to be said once about all of them."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._wholes: list[list[_Part]] = []
        self._in_parts: dict[tuple[str, str], list[_Part]] = {}
        self._unsound: set[tuple[str, str]] = set()
        self._tallies: Counter[str] = Counter()
        self._unread: Counter[str] = Counter()

    def tally(self, sentence: str) -> None:
        """Count one more place where `sentence` holds; all of them become one warning."""
        self._tallies[sentence] += 1

    def add(self, facts: Particulars, fields: Fields, extents: Extents) -> None:
        """File one feature; one that is not sound is dropped, as its faults stop the file anyway."""
        self._unread.update(fields.untaken())
        if not fields.sound:
            self._unsound.add((facts.party, facts.id))
            return
        part, name = _Part(facts, fields, extents), (facts.party, facts.id)
        if facts.part is not None and name in self._in_parts:
            self._in_parts[name].append(part)
            return
        whole = [part]
        self._wholes.append(whole)
        if facts.part is not None:
            self._in_parts[name] = whole

    def plans(self) -> Plans:
        """All that was filed.

        Raises
        ------
        InputError
            With every fault found.
        """
        for parts in self._wholes:
            if parts[0].facts.part is None or self._fit(parts):
                self._build(sorted(parts, key=lambda part: part.facts.part or 0))
        for sentence, count in self._tallies.items():
            self.reading.warn(f"{sentence} ({count} times)" if count > 1 else sentence)
        if self._unread:
            self.reading.warn(unread_warning(self._unread))
        return self.reading.plans()

    def _fit(self, parts: list[_Part]) -> bool:
        """Whether the parts are all there, each once, and say the same of the whole."""
        first = parts[0]
        if (first.facts.party, first.facts.id) in self._unsound:  # a part is missing because it has faults of its own
            return False
        numbers = sorted(part.facts.part or 0 for part in parts)
        wanted = max([numbers[-1], *(part.facts.parts or 0 for part in parts)])
        if numbers != list(range(1, wanted + 1)):
            first.fields.fault(
                f"the parts of {first.facts.id} are not 1 to {wanted}, each once",
                "give every part, numbered from 1",
                field="part",
                value=numbers,
            )
        for part in parts[1:]:
            if part.facts.whole() != first.facts.whole():
                part.fields.fault(
                    f"says something else of {first.facts.id} than its first part",
                    "the same kind, name, domain, participants, joint, rule and top speed in every part",
                    field="part",
                    value=part.facts.part,
                )
        return all(part.fields.sound for part in parts)

    def _build(self, parts: list[_Part]) -> None:
        facts, fields = parts[0].facts, parts[0].fields
        volumes = tuple(volume for part in parts for volume in part.extents.volumes)
        tracks = tuple(track for part in parts for track in part.extents.tracks)
        if isinstance(facts.kind, ZoneKind):
            self._build_zone(facts, fields, volumes, tracks)
            return
        operation = fields.attempt(
            "",
            Operation,
            facts.party,
            facts.id,
            facts.kind,
            volumes,
            tracks,
            facts.domains,
            facts.participants,
            facts.joint,
            facts.name,
            facts.top_speed_m_s,
            Source(self.reading.file, fields.feature),
        )
        if operation:
            self.reading.operations.append(operation)

    def _build_zone(
        self, facts: Particulars, fields: Fields, volumes: tuple[Volume, ...], tracks: tuple[Track, ...]
    ) -> None:
        assert isinstance(facts.kind, ZoneKind)
        if tracks:
            fields.fault(
                f"a zone ({facts.kind.value}) does not move",
                "give it an area with start and end, or file it as an operation",
                field="coordTimes",
            )
            return
        rule = facts.rule or ZoneRule.PROHIBITED
        source = Source(self.reading.file, fields.feature)
        zone = fields.attempt("", Zone, facts.party, facts.id, facts.kind, volumes, rule, facts.name, source)
        if zone:
            self.reading.zones.append(zone)
