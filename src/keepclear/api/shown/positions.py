"""Positions, as answers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from keepclear.agreements.facts import Flown
from keepclear.api.shown.entries import id_or_none
from keepclear.node.position_sharing import Shared
from keepclear.node.positions import Bound, Posted, UnitSeen
from keepclear.node.track_watch import UnitState
from keepclear.store.node.position_shares import KeptShare
from keepclear.store.node.position_sources import KeptRule, KeptSource
from keepclear.store.node.positions import KeptBatch
from keepclear.values.base import moment, moment_or_none
from keepclear.values.positions import (
    BatchTold,
    BindingTold,
    BoundTold,
    PostedTold,
    SharedTold,
    SharingTold,
    SourceTold,
    TrackTold,
    UnitTold,
)

__all__ = [
    "batch_told", "binding_told", "posted_told", "shared_told", "sharing_told", "source_told", "track_told",
    "unit_told",
]  # fmt: skip


def source_told(one: KeptSource) -> SourceTold:
    """A source."""
    return SourceTold(
        name=one.name, owner=one.owner, accuracy_m=one.accuracy_m, max_age_s=one.max_age_s,
        clock_tolerance_s=one.clock_tolerance_s, note=one.note, person=one.person, at=moment(one.at_s),
    )  # fmt: skip


def binding_told(one: KeptRule) -> BindingTold:
    """A binding."""
    return BindingTold(
        number=one.id, by=one.kind, value=one.value, unit=one.unit, party=one.party, operation=one.operation,
        kind=one.operation_kind, domain=one.domain, platform_class=one.platform_class,
        start=moment_or_none(one.from_s), end=moment_or_none(one.to_s), person=one.person, at=moment(one.at_s),
    )  # fmt: skip


def batch_told(one: KeptBatch) -> BatchTold:
    """A batch."""
    return BatchTold(
        batch=one.hash, source=one.source, person=one.person, kept_at=moment(one.kept_s), count=one.count,
        start=moment(one.from_s), end=moment(one.to_s),
    )  # fmt: skip


def posted_told(one: Posted) -> PostedTold:
    """A batch that was sent."""
    told = batch_told(one.batch)
    return PostedTold(
        **dict(told), again=one.again, units=[_bound_told(bound) for bound in one.units], warnings=list(one.warnings)
    )


def unit_told(one: UnitSeen, states: Mapping[str, UnitState]) -> UnitTold:
    """A unit, and how it stands to its operation."""
    state = states.get(one.bound.unit) if one.bound.operation is not None else None
    plain = UnitTold(
        bound=_bound_told(one.bound), said=one.identity.members(), source=one.source, start=moment(one.from_s),
        end=moment(one.to_s), count=one.count,
    )  # fmt: skip
    if state is None or state.operation != one.bound.operation:
        return plain
    return plain.model_copy(
        update={
            "state": str(state.keeping), "since": moment(state.since_s), "outside_m": state.outside_m,
            "share": state.share, "sentence": state.sentence,
        }
    )  # fmt: skip


def track_told(one: Flown) -> TrackTold:
    """A track."""
    track = one.track
    unsure = np.broadcast_to(np.asarray(track.uncertainty_m, dtype=np.float64), track.time_s.shape)
    return TrackTold(
        party=one.party, unit=one.unit, source=one.source, source_owner=one.source_owner,
        operation=id_or_none(one.operation), gap_s=one.gap_s, height_reference=str(track.height_reference),
        times=[moment(time_s) for time_s in track.time_s.tolist()], lon_deg=track.lon_deg.tolist(),
        lat_deg=track.lat_deg.tolist(),
        height_m=[None if math.isnan(height) else height for height in track.height_m.tolist()],
        uncertainty_m=unsure.tolist(), batches=list(one.batches),
    )  # fmt: skip


def shared_told(one: Shared) -> SharedTold:
    """Positions that were told."""
    number = id_or_none(one.ref)
    assert number is not None
    return SharedTold(id=number, batch=one.batch, count=one.count, warnings=list(one.warnings))


def sharing_told(one: KeptShare) -> SharingTold:
    """Something that is shared as time goes by."""
    return SharingTold(
        number=one.id, line=one.line, unit=one.unit, recipients=one.recipients, grid_km=one.grid_km,
        delay_s=one.delay_s, every_s=one.every_s, until=moment_or_none(one.until_s),
        shared_to=moment(one.shared_to_s), person=one.person, at=moment(one.at_s), ended_by=one.ended_by,
        ended_at=moment_or_none(one.ended_s),
    )  # fmt: skip


def _bound_told(one: Bound) -> BoundTold:
    return BoundTold(
        party=one.party, unit=one.unit, operation=id_or_none(one.operation), kind=one.kind,
        platform_class=one.platform_class, domains=sorted(map(str, one.domains)), binding=one.rule,
    )  # fmt: skip
