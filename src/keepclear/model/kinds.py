"""The closed lists of kinds: of operations, of zones, and the domains in which units move.

Top speeds bound where a unit can be while nothing is known of it; they are deliberately generous.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from keepclear.errors import Fault, InputError

__all__ = [
    "CLIMB_LIMIT_M_S",
    "GAP_LIMIT_S",
    "OPERATION_DOMAINS",
    "SPEED_LIMIT_M_S",
    "SURFACE",
    "Domain",
    "OperationKind",
    "ZoneKind",
    "ZoneRule",
    "domains_of",
    "gap_limits",
    "member_of",
    "parse_domains",
    "parse_kind",
    "parse_operation_kind",
    "parse_zone_kind",
]


class Domain(StrEnum):
    """Where a unit moves."""

    GROUND = "ground"
    AIR = "air"
    UAS = "uas"
    SEA = "sea"


SURFACE = frozenset({Domain.GROUND, Domain.SEA})
"""Where no unit has a height of its own."""


class OperationKind(StrEnum):
    """What a party plans to do."""

    PATROL = "patrol"
    CONVOY = "convoy"
    GROUND_MOVE = "ground move"
    FLIGHT = "flight"
    UAS = "uas"
    EXERCISE = "exercise"
    SURVEY = "survey"
    MEDEVAC = "medevac"
    SAR = "sar"


class ZoneKind(StrEnum):
    """An area with a rule."""

    HAZARD_AREA = "hazard area"
    PROTECTED_SITE = "protected site"
    NO_GO_AREA = "no-go area"
    BUFFER = "buffer"
    GEO_ZONE = "geo-zone"


class ZoneRule(StrEnum):
    """What a geo-zone asks of those who would enter (EUROCAE ED-318 / ED-269, ``restriction``)."""

    PROHIBITED = "PROHIBITED"
    REQ_AUTHORIZATION = "REQ_AUTHORIZATION"
    CONDITIONAL = "CONDITIONAL"
    NO_RESTRICTION = "NO_RESTRICTION"


_KindT = TypeVar("_KindT", bound=StrEnum)
_BOTH = frozenset({Domain.GROUND, Domain.AIR})

# A survey counts as air unless its domain says otherwise: the wider minima, so it is never wrongly clear.
OPERATION_DOMAINS: dict[OperationKind, frozenset[Domain]] = {
    OperationKind.PATROL: _BOTH,
    OperationKind.CONVOY: frozenset({Domain.GROUND}),
    OperationKind.GROUND_MOVE: frozenset({Domain.GROUND}),
    OperationKind.FLIGHT: frozenset({Domain.AIR}),
    OperationKind.UAS: frozenset({Domain.UAS}),
    OperationKind.EXERCISE: _BOTH,
    OperationKind.SURVEY: frozenset({Domain.AIR}),
    OperationKind.MEDEVAC: _BOTH,
    OperationKind.SAR: _BOTH,
}

# Ground: faster than any column is driven. Air: above the fastest ground speeds airliners reach in a jet stream
# (about 370 m/s, 1,330 km/h). UAS: medium-altitude long-endurance types. Sea: fast attack craft.
SPEED_LIMIT_M_S: dict[Domain, float] = {Domain.GROUND: 45.0, Domain.AIR: 370.0, Domain.UAS: 140.0, Domain.SEA: 30.0}
CLIMB_LIMIT_M_S: dict[Domain, float] = {Domain.GROUND: 15.0, Domain.AIR: 150.0, Domain.UAS: 50.0, Domain.SEA: 15.0}

# Longer than this between two flown positions is a gap, in which nothing is known of the unit but its ends.
GAP_LIMIT_S: dict[Domain, float] = {Domain.GROUND: 300.0, Domain.AIR: 60.0, Domain.UAS: 60.0, Domain.SEA: 300.0}


_ALL_DOMAINS = frozenset(Domain)


def domains_of(kind: OperationKind | None) -> frozenset[Domain]:
    """Domains of an operation kind; all four where the kind is not known."""
    return _ALL_DOMAINS if kind is None else OPERATION_DOMAINS[kind]


def gap_limits(given: Mapping[Domain, float] | None) -> dict[Domain, float]:
    """`GAP_LIMIT_S`, with what is given for some domains in place of what is usual there.

    Raises
    ------
    InputError
        If there is no such domain, or it is not a number of seconds.
    """
    limits = dict(GAP_LIMIT_S)
    for name, seconds in (given or {}).items():
        domain = member_of(Domain, name, "domain")
        if not 0.0 < seconds < math.inf:
            what = f"not the longest silence that is no gap, for {domain}"
            raise InputError(Fault(what, "a number of seconds greater than 0", field="gap", value=str(seconds)))
        limits[domain] = seconds
    return limits


def parse_operation_kind(text: str) -> OperationKind:
    """Operation kind named by `text`; case, underscores and hyphens do not matter.

    Raises
    ------
    InputError
        If no operation kind has that name; the error lists those that exist.
    """
    return _look_up(text, OperationKind, "kind of operation")


def parse_zone_kind(text: str) -> ZoneKind:
    """Zone kind named by `text`; case, underscores and hyphens do not matter.

    Raises
    ------
    InputError
        If no zone kind has that name; the error lists those that exist.
    """
    return _look_up(text, ZoneKind, "kind of zone")


def parse_kind(text: str) -> OperationKind | ZoneKind:
    """Operation or zone kind named by `text`.

    Raises
    ------
    InputError
        If nothing has that name; the error lists the known kinds.
    """
    folded = _folded(text)
    kinds: tuple[OperationKind | ZoneKind, ...] = (*OperationKind, *ZoneKind)
    for known in kinds:
        if _folded(known.value) == folded:
            return known
    names = ", ".join(known.value for known in kinds)
    raise InputError(Fault("unknown kind", f"one of: {names}", field="kind", value=text))


def member_of(kinds: type[_KindT], given: object, what: str) -> _KindT:
    """A member of a closed list, given as itself or by its name.

    Whoever has only the name must not go on with it: a text equals the member, but it is not it, and hashes otherwise,
    so a track that is "flown" would be taken for a plan.

    Raises
    ------
    InputError
        If nothing in the list has that name; the error lists what has one.
    """
    return given if isinstance(given, kinds) else _look_up(str(given), kinds, what)


def parse_domains(text: str) -> frozenset[Domain]:
    """Domains named in `text`, separated by commas, for example ``"ground"`` or ``"ground, air"``.

    Raises
    ------
    InputError
        If a name is not a domain or there is none.
    """
    names = [name for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(Fault("no domain given", f"one of: {', '.join(Domain)}", field="domain", value=text))
    return frozenset(_look_up(name, Domain, "domain") for name in names)


def _look_up(text: str, kinds: type[_KindT], what: str) -> _KindT:
    folded = _folded(text)
    for known in kinds:
        if _folded(known.value) == folded:
            return known
    names = ", ".join(known.value for known in kinds)
    raise InputError(Fault(f"unknown {what}", f"one of: {names}", field=what.split(maxsplit=1)[0], value=text))


def _folded(text: str) -> str:
    return "".join(character for character in text.casefold() if character not in " _-\t")
