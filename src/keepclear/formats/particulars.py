"""What a feature says besides its geometry: the property profile that GeoJSON, Moving Features and KML share.

`docs/howto/geojson.md` documents it for those who write such files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from keepclear.errors import Fault, InputError
from keepclear.formats.fields import Fields, is_number, shown
from keepclear.formats.heights_given import read_height, read_reference
from keepclear.model.extents import TrackBasis
from keepclear.model.footprints import Edges
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, ZoneRule, parse_domains, parse_kind
from keepclear.model.operations import JointPlan, Participant

__all__ = ["NUMBER_NAMES", "STRUCTURED_NAMES", "UNLIMITED", "Particulars", "read_particulars"]

UNLIMITED = "unlimited"
"""How a file writes a slip without bound, for which JSON has no number."""

NUMBER_NAMES = frozenset(
    {"half_width_m", "radius_m", "top_speed_m_s", "part", "parts", "uncertainty_m", "early_s", "late_s"}
)
STRUCTURED_NAMES = frozenset(
    {"participants", "joint", "floor", "ceiling", "uncertainty_m", "early_s", "late_s", "domain"}
)

_Known = TypeVar("_Known")
_EDGES = {"lonlat": Edges.LONLAT, "geodesic": Edges.GEODESIC}
_ONLY_FOR_OPERATIONS = ("domain", "participants", "joint", "top_speed_m_s")


@dataclass(frozen=True, slots=True)
class Particulars:
    """What the properties of one feature say.

    ``uncertainty``, ``early`` and ``late`` are as written: a number, or a list with one for each position, which only
    the geometry can check. ``part`` and ``parts`` number the features of one operation or zone.
    """

    party: str
    id: str
    kind: OperationKind | ZoneKind | None
    name: str
    domains: frozenset[Domain]
    participants: tuple[Participant, ...]
    joint: JointPlan | None
    rule: ZoneRule | None
    top_speed_m_s: float | None
    start_s: float | None
    end_s: float | None
    floor: Height | None
    ceiling: Height | None
    uncertainty: object
    early: object
    late: object
    half_width_m: float | None
    radius_m: float | None
    basis: TrackBasis
    height_reference: HeightReference | None
    edges: Edges
    part: int | None
    parts: int | None

    def whole(self) -> tuple[object, ...]:
        """What every part of one operation or zone must say alike."""
        return (self.kind, self.name, self.domains, self.participants, self.joint, self.rule, self.top_speed_m_s)


def read_particulars(
    fields: Fields,
    *,
    default_id: str,
    default_name: str = "",
    default_edges: Edges = Edges.LONLAT,
    tally: Callable[[str], None],
) -> Particulars:
    """The particulars in `fields`; faults are noted there, and what is wrong is read as missing.

    Parameters
    ----------
    default_id, default_name
        Used where the properties say none.
    default_edges
        What an edge is in this format.
    tally
        Called with a sentence that is to become one warning for all features of which it holds.
    """
    reading = fields.reading
    named_kind = fields.text("kind")
    kind = fields.attempt("kind", parse_kind, named_kind) if named_kind else reading.kind
    reference = read_reference(fields)
    facts = Particulars(
        party=fields.text("party", reading.party),
        id=_identifier(fields, default_id),
        kind=kind,
        name=fields.text("name", default_name),
        domains=_domains(fields),
        participants=_participants(fields),
        joint=_joint(fields),
        rule=_one_of(fields, "rule", {rule.value.casefold(): rule for rule in ZoneRule}),
        top_speed_m_s=fields.number("top_speed_m_s", "metres per second"),
        start_s=fields.time("start"),
        end_s=fields.time("end"),
        floor=read_height(fields, "floor", reference, tally),
        ceiling=read_height(fields, "ceiling", reference, tally),
        uncertainty=fields.take("uncertainty_m"),
        early=fields.take("early_s"),
        late=fields.take("late_s"),
        half_width_m=fields.number("half_width_m", "metres to either side of the line"),
        radius_m=fields.number("radius_m", "metres"),
        basis=_one_of(fields, "track", {basis.value: basis for basis in TrackBasis}) or TrackBasis.PLANNED,
        height_reference=reference,
        edges=_one_of(fields, "edges", _EDGES) or default_edges,
        part=_count(fields, "part"),
        parts=_count(fields, "parts"),
    )
    if isinstance(facts.kind, ZoneKind):
        for name in _ONLY_FOR_OPERATIONS:
            if fields.given(name):
                tally(f"{name!r} is for operations and was left aside on a zone")
    elif fields.given("rule"):
        tally("'rule' is for zones and was left aside on an operation")
    return facts


def _identifier(fields: Fields, default: str) -> str:
    value = fields.take("id")
    if value is None:
        return default
    if isinstance(value, str):
        return value
    if is_number(value):  # RFC 7946 section 3.2 allows a number
        return str(value)
    fields.fault("not an id", "a text or a number", field="id", value=value)
    return default


def _count(fields: Fields, name: str) -> int | None:
    value = fields.take(name)
    if value is None:
        return None
    if is_number(value) and value == int(value) and 1 <= value <= 1_000_000:  # type: ignore[call-overload, operator]
        return int(value)  # type: ignore[call-overload, no-any-return]
    fields.fault("not the number of a part", "a whole number from 1", field=name, value=value)
    return None


def _one_of(fields: Fields, name: str, known: Mapping[str, _Known]) -> _Known | None:
    value = fields.take(name)
    if value is None:
        return None
    found = known.get(value.strip().casefold()) if isinstance(value, str) else None
    if found is None:
        fields.fault(f"unknown {name}", f"one of: {', '.join(known)}", field=name, value=value)
    return found


def _domains(fields: Fields) -> frozenset[Domain]:
    value = fields.take("domain")
    if value is None:
        return frozenset()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        fields.fault("not a domain", "a text or a list of texts", field="domain", value=value)
        return frozenset()
    return fields.attempt("domain", parse_domains, ",".join(names)) or frozenset()


def _participants(fields: Fields) -> tuple[Participant, ...]:
    values = fields.take("participants")
    if values is None:
        return ()
    if not isinstance(values, list):
        fields.fault("not a list of participants", '[{"party": …}, …]', field="participants", value=values)
        return ()
    found = (fields.attempt("participants", _participant, value) for value in values)
    return tuple(participant for participant in found if participant)


def _participant(value: object) -> Participant:
    if not isinstance(value, dict):
        raise InputError(Fault("not a participant", "an object with a party", value=shown(value)))
    party, role, platform_class = (value.get(name, "") for name in ("party", "role", "class"))
    if not all(isinstance(text, str) for text in (party, role, platform_class)) or not party.strip():
        raise InputError(
            Fault("not a participant", "party, role and class are texts; party is needed", value=shown(value))
        )
    platforms = value.get("platforms")
    if platforms is not None and not (is_number(platforms) and platforms == int(platforms) and platforms >= 0):
        raise InputError(Fault("not a count of platforms", "a whole number of 0 or more", value=shown(platforms)))
    _only(value, ("party", "role", "platforms", "class"), "a participant")
    return Participant(party, role, None if platforms is None else int(platforms), platform_class)


def _joint(fields: Fields) -> JointPlan | None:
    value = fields.take("joint")
    return None if value is None else fields.attempt("joint", _joint_plan, value)


def _joint_plan(value: object) -> JointPlan:
    right = '{"plan": "name of the plan", "with": ["id of the other operation"]}'
    if not isinstance(value, dict):
        raise InputError(Fault("not a joint plan", right, value=shown(value)))
    plan, others = value.get("plan"), value.get("with")
    named = isinstance(plan, str) and bool(plan.strip())
    if not named or not isinstance(others, list) or not all(isinstance(other, str) and other for other in others):
        raise InputError(Fault("not a joint plan", right, value=shown(value)))
    _only(value, ("plan", "with"), "a joint plan")
    return JointPlan(str(plan), frozenset(others))


def _only(value: Iterable[str], known: Iterable[str], what: str) -> None:
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise InputError(Fault(f"unknown member of {what}", f"one of: {', '.join(known)}", value=shown(unknown[0])))
