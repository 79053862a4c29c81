"""Operations and zones: what parties plan to do, and areas with a rule."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepclear.errors import Fault, InputError
from keepclear.model.extents import Track, Volume
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule, domains_of, member_of

__all__ = ["JointPlan", "Operation", "Participant", "Plans", "Source", "Zone", "check_names"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where something was read from: the file's name and the feature in it, for messages."""

    file: str = ""
    feature: str = ""


@dataclass(frozen=True, slots=True)
class Participant:
    """A party taking part in an operation, its role, and how many platforms of what class it brings."""

    party: str
    role: str = ""
    platforms: int | None = None
    platform_class: str = ""


@dataclass(frozen=True, slots=True)
class JointPlan:
    """The plan an operation is part of, and the ids of the other operations in it.

    Two operations are one joint operation only if each names the same plan and the other.

    Raises
    ------
    InputError
        If the ids are one text.
    """

    plan: str
    operations: frozenset[str]

    def __post_init__(self) -> None:
        given: object = self.operations
        if isinstance(given, str):  # of which every part is "in" it, also ids that nobody named
            raise InputError(
                Fault("one text in place of ids", "a set of ids of operations", field="joint", value=given)
            )
        object.__setattr__(self, "operations", frozenset(self.operations))


@dataclass(frozen=True, eq=False, slots=True)
class Operation:
    """What a party plans to do, or did, in space and time.

    Attributes
    ----------
    party, id
        The pair is unique. `party` is who speaks for it.
    kind
        ``None`` where it is not known: then the strictest minima apply.
    domains
        Where its units move; those of its kind unless given.
    volumes, tracks
        The extent: at least one of them.
    top_speed_m_s
        How fast its units can go at most, where that is known better than by domain.

    Raises
    ------
    InputError
        If the party or the id is empty, there is no extent, or no such kind or domain.
    """

    party: str
    id: str
    kind: OperationKind | None = None
    volumes: tuple[Volume, ...] = ()
    tracks: tuple[Track, ...] = ()
    domains: frozenset[Domain] = frozenset()
    participants: tuple[Participant, ...] = ()
    joint: JointPlan | None = None
    name: str = ""
    top_speed_m_s: float | None = None
    source: Source = field(default=Source())

    def __post_init__(self) -> None:
        check_names(self.party, self.id)
        if not self.volumes and not self.tracks:
            raise InputError(Fault("an operation without an extent", "give it a volume or a track", feature=self.id))
        if self.top_speed_m_s is not None and not 0.0 < self.top_speed_m_s < 1e5:
            value = str(self.top_speed_m_s)
            raise InputError(Fault("not a top speed", "metres per second", field="top_speed_m_s", value=value))
        kind = None if self.kind is None else member_of(OperationKind, self.kind, "kind of operation")
        domains = frozenset(member_of(Domain, one, "domain") for one in self.domains) or domains_of(kind)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "domains", domains)


@dataclass(frozen=True, eq=False, slots=True)
class Zone:
    """An area with a rule, which binds everyone, its issuer too.

    Attributes
    ----------
    kind
        What sort of area it is.
    rule
        For a geo-zone: what it asks. PROHIBITED where nothing is said.
    volumes
        Where and when; a bound that is ``None`` is open.

    Raises
    ------
    InputError
        If the party or the id is empty, there is no volume, or no such kind or rule.
    """

    party: str
    id: str
    kind: ZoneKind
    volumes: tuple[Volume, ...]
    rule: ZoneRule = ZoneRule.PROHIBITED
    name: str = ""
    source: Source = field(default=Source())

    def __post_init__(self) -> None:
        check_names(self.party, self.id)
        if not self.volumes:
            raise InputError(Fault("a zone without a volume", "give it a geometry", feature=self.id))
        object.__setattr__(self, "kind", member_of(ZoneKind, self.kind, "kind of zone"))
        object.__setattr__(self, "rule", member_of(ZoneRule, self.rule, "rule of a zone"))


@dataclass(frozen=True, slots=True)
class Plans:
    """What was read from one or more files.

    Attributes
    ----------
    warnings
        One sentence each: what was assumed, or looks odd, but could be read.
    """

    operations: tuple[Operation, ...] = ()
    zones: tuple[Zone, ...] = ()
    warnings: tuple[str, ...] = ()

    def __add__(self, other: Plans) -> Plans:
        return Plans(self.operations + other.operations, self.zones + other.zones, self.warnings + other.warnings)


def check_names(party: str, identifier: str) -> None:
    """Refuse a party or an id that is empty."""
    for what, text in (("party", party), ("id", identifier)):
        if not text or not text.strip():
            raise InputError(Fault(f"no {what}", f"give the {what} a name", feature=identifier, field=what))
