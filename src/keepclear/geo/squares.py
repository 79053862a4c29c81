"""Squares on the six faces of a cube round the Earth: those within reach, worked out with each filing of a node."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keepclear.geo.kernel import kernel

__all__ = ["squares_within"]

Array = npt.NDArray[np.float64]


@kernel
def _reached(sphere: Array, face: int, far: float, width: float, out: Array) -> bool:
    """Whether something within `far` of a sphere's middle lies on a face; from where to where, in squares."""
    axis = face // 2
    along = -sphere[axis] if face % 2 else sphere[axis]
    u, v = sphere[(axis + 1) % 3], sphere[(axis + 2) % 3]
    # On a face every point has its greatest coordinate along its axis; within `far` each differs by no more than that.
    if not along + 2.0 * far >= max(abs(u), abs(v)):
        return False
    out[0], out[1] = np.floor((u - far) / width), np.floor((u + far) / width)
    out[2], out[3] = np.floor((v - far) / width), np.floor((v + far) / width)
    return True


@kernel
def squares_within(
    spheres: Array, more: float, width: float, half: int, most: int
) -> tuple[bool, npt.NDArray[np.int64]]:
    """The squares (face and place) within a sphere's radius and `more` of its middle, sorted, each once.

    Returns
    -------
    tuple
        Whether there are more than `most`; and the squares, where there are not.
    """
    place, total = np.empty(4), 0.0
    for i in range(spheres.shape[0]):
        for face in range(6):
            if _reached(spheres[i], face, spheres[i, 3] + more, width, place):
                total += (place[1] - place[0] + 1.0) * (place[3] - place[2] + 1.0)
    if total > most:
        return True, np.empty(0, dtype=np.int64)
    found, n = np.empty(int(total), dtype=np.int64), 0
    for i in range(spheres.shape[0]):
        for face in range(6):
            if _reached(spheres[i], face, spheres[i, 3] + more, width, place):
                for u in range(int(place[0]), int(place[1]) + 1):
                    for v in range(int(place[2]), int(place[3]) + 1):
                        column = min(max(u, -half), half - 1) + half
                        row = min(max(v, -half), half - 1) + half
                        found[n] = (face << 24) | (column << 12) | row
                        n += 1
    found.sort()
    kept = 0
    for i in range(n):
        if i == 0 or found[i] != found[i - 1]:
            found[kept] = found[i]
            kept += 1
    return False, found[:kept].copy()
