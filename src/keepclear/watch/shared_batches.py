"""Batches that a party has committed to on a line: the positions in them, where the bytes are what was said.

A batch is used only as it was committed to: its hash, how many positions it has and their times stand in the entry, and
bytes that say otherwise are told and not used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from keepclear.agreements.facts import Flown
from keepclear.errors import KeepclearError
from keepclear.record.bodies.watched import PositionsBody
from keepclear.watch.batches import Identity, Piece, batch_hash, joined, read_batch, two_places

__all__ = ["checked_batch", "flown_in", "joined_batches"]

_SLACK_S = 1.0


def checked_batch(body: PositionsBody, data: bytes, *, latest_s: float = math.inf) -> tuple[tuple[Piece, ...], str]:
    """The positions of a batch as a party sent it, a piece for each unit; none, and why, where it is not what was said.

    Parameters
    ----------
    latest_s
        When it was told at the latest: a position cannot be later.
    """
    if batch_hash(data) != body.batch:
        return (), "the batch does not have the hash that was said"
    try:
        pieces = read_batch(data, accept=lambda time_s: "" if time_s <= latest_s else "after it was told")
    except KeepclearError as error:
        return (), f"the batch cannot be used: {str(error).splitlines()[0]}"
    count = sum(map(len, pieces))
    if count != body.count:
        return (), f"the batch has {count} positions, and {body.count} were said"
    first_s, last_s = min(float(one.time_s[0]) for one in pieces), max(float(one.time_s[-1]) for one in pieces)
    if first_s < body.from_s - _SLACK_S or last_s > body.to_s + _SLACK_S:
        return (), "the batch has positions of other times than were said"
    return pieces, ""


def flown_in(party: str, body: PositionsBody, pieces: tuple[Piece, ...]) -> tuple[Flown, ...]:
    """The tracks in a batch, as the party that shared it tells them."""
    source = body.source
    return tuple(
        Flown(
            party, piece.identity.name, piece.track(accuracy_m=source.accuracy_m),
            kind="" if body.kind is None else body.kind.value, platform_class=body.platform_class or "",
            source=source.name, source_owner=source.owner, gap_s=source.max_age_s, batches=(body.batch,),
            domains=frozenset(() if body.domain is None else (body.domain,)),
        )
        for piece in pieces
    )  # fmt: skip


def joined_batches(some: Sequence[Flown]) -> Iterator[Flown]:
    """The batches of one unit as one track; where they put it at two places at once, each by itself."""
    if len(some) == 1:
        yield some[0]
        return
    pieces = [
        Piece(
            Identity(unit=one.unit), one.track.height_reference, one.track.time_s, one.track.lon_deg,
            one.track.lat_deg, one.track.height_m, np.broadcast_to(one.track.uncertainty_m, one.track.time_s.shape),
        )
        for one in some
    ]  # fmt: skip
    whole = joined(pieces, Identity(unit=some[0].unit))
    if two_places(whole):
        yield some[0]
        yield from (replace(one, unit=f"{one.unit} by batch {one.batches[0][:12]}") for one in some[1:])
        return
    batches = tuple(dict.fromkeys(name for one in some for name in one.batches))
    yield replace(some[0], track=whole.track(), batches=batches, gap_s=max(one.gap_s for one in some))
