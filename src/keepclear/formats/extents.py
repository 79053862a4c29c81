"""The volumes and tracks of one feature or one part of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepclear.model.extents import Track, Volume

__all__ = ["Extents"]


@dataclass(slots=True)
class Extents:
    """The volumes and tracks of one feature."""

    volumes: list[Volume] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)

    def extend(self, other: Extents) -> None:
        """Take over what `other` holds."""
        self.volumes += other.volumes
        self.tracks += other.tracks
