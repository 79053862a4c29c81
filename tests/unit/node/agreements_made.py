"""An agreement for tests of nodes, Sochi-like, and people who sign it. All of it is invented."""

from __future__ import annotations

import json
from typing import Any

from keepclear.agreements.documents import Document
from keepclear.agreements.reading import read_agreement
from keepclear.client.client import Client
from keepclear.node.actors import OPERATOR
from keepclear.node.roles import Role
from keepclear.values.agreements import AgreementProposalAsked, SignatureAsked
from tests.pair_served import Place, wait_for

__all__ = [
    "AGREEMENT",
    "APART",
    "ZONE",
    "document",
    "in_force",
    "members",
    "patrol_at",
    "people",
    "sign",
    "wait_until_proposed",
]

AGREEMENT = "sochi"
PASSWORDS = ("harbour lantern seven mule", "quiet copper window of march")
MAIN = """\
agreement: sochi
title: Patrols along the border
version: '{version}'
parties: [RU, TR]
texts:
  - {{language: en, authentic: true, file: text.md}}
terms:
  - id: depth
    type: DEPTH_BAND
    clause: c5
    line: border.geojson#border
    side: south
    max: {depth}
    kinds: [patrol]
{more}annexes:
  - border.geojson
"""
TEXT = """\
# Memorandum

## 1. Purpose
To stay out of each other's way.

## 5. Depth {{#c5}}
Patrols stay within {depth} of the border.

## 6. Distance {{#c6}}
Patrols of the parties stay {apart} from each other.

## 7. Notice {{#c7}}
Patrols are told a day before.
"""
BORDER = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature", "id": "border", "properties": {},
            "geometry": {"type": "LineString", "coordinates": [[40.0, 37.0], [40.5, 37.0], [41.0, 37.0], [41.5, 37.0]]},
        },
        {
            "type": "Feature", "id": "town", "properties": {"radius": "3 km"},
            "geometry": {"type": "Point", "coordinates": [41.2, 36.955]},
        },
    ],
}  # fmt: skip
ZONE = """\
  - id: town
    type: EXCLUSION_ZONE
    clause: c7
    area: border.geojson#town
    kinds: [patrol]
"""
APART = """\
  - id: apart
    type: MIN_SEPARATION
    clause: c6
    horizontal: 3 km
    kinds: [patrol]
"""


def document(version: str = "1", *, depth: str = "10 km", apart: str = "3 km", more: str = "") -> Document:
    """The document: patrols to some depth south of 37°N, between 40°E and 41.5°E."""
    main = MAIN.format(version=version, depth=depth, more=more)
    files = {"agreement.yaml": main, "text.md": TEXT.format(depth=depth, apart=apart)}
    return read_agreement({name: text.encode() for name, text in files.items()} | {"border.geojson": _border()})


def members(made: Document) -> dict[str, Any]:
    """What is proposed."""
    found: dict[str, Any] = json.loads(made.canonical())
    return found


def people(place: Place, *names: str, role: Role = Role.PARTY_AUTHORITY) -> list[Client]:
    """Users who have signed in."""
    found = []
    for name in names:
        users = place.node.access.users
        users.add(OPERATOR, name, roles=[role], password=PASSWORDS[0])
        client = Client(place.url)
        client.sign_in(name, PASSWORDS[0])
        client.change_password(*PASSWORDS)
        place.clients.append(client)
        found.append(client)
    return found


def sign(one: Client, other: Client, made: Document, **more: Any) -> None:
    """Two persons of a party sign."""
    told = one.sign_agreement(AGREEMENT, SignatureAsked(document=made.hash, **more))
    assert told.proposal is not None
    assert other.confirm(told.proposal.id).state == "done"


def in_force(one: Place, other: Place, made: Document) -> tuple[list[Client], list[Client]]:
    """Both parties sign what the first has proposed; when this returns both nodes have it in force."""
    ours, theirs = people(one, "anna", "boris"), people(other, "cem", "derya")
    ours[0].propose_agreement(AgreementProposalAsked(document=members(made)))
    wait_until_proposed(one, other)
    sign(*ours, made)
    sign(*theirs, made)
    for client in (ours[0], theirs[0]):
        wait_for(lambda client=client: client.agreement(AGREEMENT).state == "in force")
    return ours, theirs


def wait_until_proposed(*places: Place) -> None:
    """Until a proposal counts everywhere: with its author too, who may learn only later that the others have it."""
    for place in places:
        wait_for(lambda place=place: list(place.client.agreements()))


def patrol_at(party: str, number: str, depth_km: float, *, lon_deg: float = 40.5, **more: Any) -> dict[str, Any]:
    """A patrol so deep south of the border, as a plan; in three days unless `start_s` says otherwise."""
    from tests.pair_served import START_S

    start_s = more.pop("start_s", START_S)
    lat_deg = 37.0 - depth_km / 110.97
    circle = {"shape": "circle", "lon_deg": lon_deg, "lat_deg": lat_deg, "radius_m": 100.0}
    volume = {"footprint": circle, "start_s": start_s, "end_s": start_s + 3600.0}
    return {"party": party, "id": number, "kind": "patrol", "volumes": [volume], "domains": ["ground"], **more}


def _border() -> bytes:
    return json.dumps(BORDER).encode()
