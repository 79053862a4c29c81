"""How much may be in a plan: whoever files pays for what it costs all others to compare."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import pytest

from keepclear.errors import InputError, PeerError
from keepclear.model.extents import Track, Volume
from keepclear.model.footprints import Circle, Corridor, Polygon
from keepclear.model.heights import HeightReference
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Zone
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.committed import CommitmentBody, Content, OpeningBody
from keepclear.record.bodies.plan_sizes import MOST_EXTENTS, MOST_LENGTH_KM, MOST_RINGS
from keepclear.record.bodies.plans import OperationBody, ZoneBody
from keepclear.record.bodies.registry import forget_bodies, read_body
from keepclear.record.bodies.talk import MessageBody
from keepclear.record.canonical import canonical
from tests.fuzz.record_entries import SALT


def patrol(*volumes, tracks=()):
    return Operation("A", "1", OperationKind.PATROL, tuple(volumes), tuple(tracks))


def there(footprint):
    return Volume(footprint, None, None, 0.0, 60.0)


def ring(lon, lat, width_deg):
    east, north = lon + width_deg, lat + width_deg
    return np.array([[lon, lat], [east, lat], [east, north], [lon, north], [lon, lat]])


def round_the_equator(times):
    lon = np.arange(0.0, 360.0 * times + 1.0, 90.0)
    return np.stack([(lon + 180.0) % 360.0 - 180.0, np.zeros_like(lon)], axis=1)


def track(line):
    count = len(line)
    nothing = np.full(count, np.nan)
    return Track(np.arange(count) * 3600.0, line[:, 0], line[:, 1], nothing, HeightReference.UNKNOWN)


def test_as_many_volumes_as_may_be_and_one_more():
    volumes = [there(Circle(41.0, 37.0, 1000.0))] * MOST_EXTENTS
    assert len(OperationBody.of_model(patrol(*volumes)).operation.volumes) == MOST_EXTENTS
    with pytest.raises(InputError, match=f"at most {MOST_EXTENTS}"):
        OperationBody.of_model(patrol(*volumes, volumes[0]))


def test_tracks_go_five_times_round_the_earth_and_no_further():
    tracks = [track(round_the_equator(4.0)), track(round_the_equator(0.5))]
    body = OperationBody.of_model(patrol(tracks=tracks))
    with pytest.raises(InputError, match=r"240,\d{3} km long; at most 200,000 km: file it in parts"):
        OperationBody.of_model(patrol(tracks=[*tracks, track(round_the_equator(1.5))]))
    members = body.members()
    members["operation"]["tracks"] *= 2
    with pytest.raises(PeerError, match="km long"):
        OperationBody.of_bytes(canonical(members))


def test_lines_and_rings_count_straight_in_degrees():
    # From 179 west to 179 east is 2 degrees for a track, and 358 for a line of degrees.
    there_and_back = np.array([[-179.0, 0.0], [179.0, 0.0]] * 3)
    OperationBody.of_model(patrol(tracks=[track(there_and_back)]))
    corridor = there(Corridor(there_and_back, 1000.0))
    with pytest.raises(InputError, match="km long"):
        OperationBody.of_model(patrol(corridor, corridor))
    wide = there(Polygon((ring(-170.0, 0.0, 60.0),)))
    assert 2 * np.pi * 6371.0 * 210.0 / 360.0 * 9 > MOST_LENGTH_KM  # its northern side is half as long
    ZoneBody.of_model(Zone("A", "1", ZoneKind.BUFFER, (wide,) * 8))
    with pytest.raises(InputError, match="zone: its tracks, lines and rings are together"):
        ZoneBody.of_model(Zone("A", "1", ZoneKind.BUFFER, (wide,) * 9))


def test_rings_are_counted_before_they_are_looked_at():
    holes = [ring(40.0 + n * 0.001, 30.001, 0.0005) for n in range(MOST_RINGS - 1)]
    polygon = Polygon((ring(40.0, 30.0, 2.0), *holes))
    ZoneBody.of_model(Zone("A", "1", ZoneKind.BUFFER, (there(polygon),)))
    crossing = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    with pytest.raises(InputError, match="1,001 rings") as refused:
        ZoneBody.of_model(Zone("A", "1", ZoneKind.BUFFER, (there(polygon), there(Polygon((crossing,))))))
    assert len(refused.value.faults) == 1


@pytest.mark.parametrize("kind", [MessageBody, OperationBody])
def test_a_long_body_is_refused_before_it_is_read(kind):
    with pytest.raises(PeerError, match=f"more than the {Body.MOST_BYTES} allowed"):
        kind.of_bytes(b"{" + b" " * Body.MOST_BYTES)
    notes = [{"name": "n" * 200, "media_type": "text/plain", "size_bytes": 1}] * 5000
    with pytest.raises(InputError, match=f"more than the {Body.MOST_BYTES} allowed"):
        MessageBody(text="x", attachments=notes).to_bytes()


def test_whatever_can_be_said_can_be_committed_to_and_shown():
    body = OperationBody.of_model(patrol(there(_longest_line())))
    assert Body.MOST_BYTES * 0.9 < len(body.to_bytes()) <= Body.MOST_BYTES
    content = Content(type="operation", v=1, body=body.members())
    committed = CommitmentBody(**content.model_dump())
    assert CommitmentBody.of_bytes(committed.to_bytes()) == committed
    opening = {"entry": {"origin": "a/b/log", "index": 0, "leaf": _HASH}, "salt": _HASH, "content": content}
    shown = OpeningBody.of_members(opening | {"content": content.model_dump()})
    assert OpeningBody.of_bytes(shown.to_bytes()) == shown


def test_a_long_body_is_read_once_for_all_who_ask_within_a_moment():
    data = OperationBody.of_model(patrol(there(_longest_line()))).to_bytes()
    first = read_body("operation", 1, data)
    assert read_body("operation", 1, bytes(bytearray(data))) is first
    forget_bodies()
    assert read_body("operation", 1, data) is not first


_HASH = b64encode(SALT).decode()


def _longest_line():
    east = np.linspace(40.0, 41.0, 26_000)
    return Corridor(np.stack([east, 37.0 + np.abs(east - 40.5)], axis=1), 1000.0)
