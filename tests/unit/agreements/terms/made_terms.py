"""Terms, filings, tracks and a record made for tests. All of it is invented, but for the border of the syn scenario."""

from __future__ import annotations

import hashlib
import json
from itertools import count

import numpy as np

from keepclear.agreements.facts import Filed, Flown, Given, Heard, RecordView
from keepclear.agreements.terms.registry import read_term
from keepclear.model.extents import Track, TrackBasis, Volume
from keepclear.model.footprints import Circle
from keepclear.model.heights import Height, HeightReference
from keepclear.model.kinds import Domain, OperationKind, ZoneKind
from keepclear.model.operations import Operation, Participant, Zone
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.registry import BODIES
from keepclear.record.bodies.talk import AnswerGiven
from keepclear.record.entries import EntryRef
from keepclear.times import parse_time

PARTIES = ("ru", "tr")
BORDER = [
    [40.055, 36.845], [40.652, 37.082], [40.93, 37.117], [41.215, 37.065], [41.84, 37.13], [42.20, 37.30],
    [42.355, 37.110],
]  # fmt: skip
T0 = parse_time("2019-11-01T09:00:00Z")
HOUR, DAY = 3600.0, 86_400.0
HASH = "ab" * 32
_numbers = count()


def feature(name, kind, coordinates, **properties):
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": name, "properties": properties, "geometry": geometry}


def ring(west, south, east, north):
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


FEATURES = [
    feature("border", "LineString", BORDER),
    feature("road", "LineString", [[36.0, 35.8], [36.8, 35.8]]),
    feature("qamishli", "Point", [41.22, 37.05], radius="5 km"),
    feature("west", "Polygon", ring(39.5, 36.5, 40.10, 37.2)),
    feature("east", "Polygon", ring(41.5, 36.5, 42.5, 37.0)),
    feature("bow tie", "Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]),
    feature("crossed", "LineString", [[0, 0], [1, 1], [1, 0], [0, 1]]),
]
ANNEXES = {"map.geojson": json.dumps({"type": "FeatureCollection", "features": FEATURES}).encode()}


def term(kind, *, of=PARTIES, **members):
    """A term of an agreement of these parties; a member that is a keyword of Python has ``_`` at its end."""
    given = {"id": "T1", "type": kind, "clause": "c5"} | {name.rstrip("_"): value for name, value in members.items()}
    return read_term(given, ANNEXES, parties=of, agreement="sochi")


def ref(party="ru"):
    number = next(_numbers)
    return EntryRef(f"{party}/border/log", number, hashlib.sha256(str(number).encode()).digest())


def value(entry):
    return EntryRefValue.of(entry)


def route(positions, start_s=T0, hours=4.0, **more):
    lonlat = np.array(positions, dtype=float)
    times = start_s + np.linspace(0.0, hours * HOUR, len(lonlat))
    return Track(times, lonlat[:, 0], lonlat[:, 1], np.full(len(lonlat), np.nan), **more)


PATROL = [
    (40.652, 37.065), (40.55, 37.010), (40.40, 36.955), (40.25, 36.890), (40.25, 36.870), (40.40, 36.930),
    (40.55, 36.990), (40.40, 36.930), (40.55, 36.990), (40.652, 37.065),
]  # fmt: skip


def patrol(party="ru", ident="P1", positions=PATROL, start_s=T0, kind=OperationKind.PATROL, **more):
    people = tuple(Participant(party, "", number, name) for number, name in more.pop("platforms", ()))
    domains = more.pop("domains", frozenset({Domain.GROUND}))
    return Operation(party, ident, kind, (), (route(positions, start_s, **more),), domains, people)


def area(party="ru", ident="P1", lon=41.0, lat=37.05, radius_m=1000.0, kind=OperationKind.PATROL, start_s=T0, **more):
    people = tuple(Participant(party, "", number, name) for number, name in more.pop("platforms", ()))
    low, high = more.pop("heights", (None, None))
    band = [None if one is None else Height.of_flight_level(one) for one in (low, high)]
    volume = Volume(Circle(lon, lat, radius_m), *band, start_s, start_s + 2 * HOUR, **more)
    if isinstance(kind, ZoneKind):
        return Zone(party, ident, kind, (volume,))
    return Operation(party, ident, kind, (volume,), (), frozenset(), people)


def filed(plan, *, lead_s=48 * HOUR, party=None, said=True, **more):
    party = party or plan.party
    starts = [one.start_s for one in plan.volumes] + [float(one.time_s[0]) for one in getattr(plan, "tracks", ())]
    ends = [one.end_s for one in plan.volumes] + [float(one.time_s[-1]) for one in getattr(plan, "tracks", ())]
    start = more.pop("start_s", None if None in starts else min(starts))
    end = more.pop("end_s", None if None in ends else max(ends))
    counts = more.pop("counts_from_s", None if start is None or not said else start - lead_s)
    recipients = more.pop("recipients", frozenset(PARTIES) - {party})
    entry = more.pop("ref", ref(party) if said else None)
    return Filed(
        entry, party, plan, recipients=recipients, said_s=counts, counts_from_s=counts, start_s=start, end_s=end, **more
    )


def flown(party="ru", unit="U1", positions=PATROL, start_s=T0, every_s=30.0, **more):
    """A track with positions every so often along the way."""
    lonlat = np.array(positions, dtype=float)
    hours = more.pop("hours", 4.0)
    number = int(hours * HOUR / every_s) + 1
    share = np.linspace(0, len(lonlat) - 1, number)
    lon, lat = (np.interp(share, np.arange(len(lonlat)), lonlat[:, axis]) for axis in (0, 1))
    doubt = more.pop("uncertainty_m", 0.0)
    times = start_s + every_s * np.arange(number)
    track = Track(times, lon, lat, np.full(number, np.nan), basis=TrackBasis.FLOWN, uncertainty_m=doubt)
    given = {"kind": "patrol", "domains": frozenset({Domain.GROUND})} | more
    return Flown(party, unit, track, **given)


def given(party, answer=AnswerGiven.SEEN, at_s=T0):
    return Given(ref(party), party, AnswerGiven(answer), at_s)


def heard(entry_type, party, counts_from_s, answers=(), **members):
    body = next(model for (name, _), model in BODIES.items() if name == entry_type)(**members)
    return Heard(ref(party), party, body, counts_from_s, counts_from_s, tuple(answers))


def record(*entries, channel=None):
    by_type = {}
    for one in entries:
        by_type.setdefault(str(one.body.TYPE), []).append(one)
    return RecordView(frozenset(PARTIES), by_type, channel or {})


def results(term_, filings=(), tracks=(), view=None, at_s=T0 + 30 * DAY):
    return [str(one.result) for one in term_.evaluate(filings, tracks, view or record(), at_s)]


def only(term_, filings=(), tracks=(), view=None, at_s=T0 + 30 * DAY):
    """The one finding that there is."""
    (finding,) = term_.evaluate(filings, tracks, view or record(), at_s)
    return finding


AMSL = HeightReference.AMSL
