"""Squares on the faces of a cube round the Earth, and a table from their numbers to places in an array.

A point lies on the face of its greatest coordinate, at the other two. Vectors have no pole and no seam, and leaving out
one coordinate makes no distance greater: what is within reach in space is within reach on the face. Squares of level k
are made of four squares of level k - 1.
"""

from __future__ import annotations

from keepclear.geo.kernel import inlined_kernel, kernel

__all__ = ["face_of", "number_of", "others", "slot_of", "square_of", "u_of", "v_of", "wider"]

_HALF_RANGE = 1 << 15


@kernel
def face_of(x: float, y: float, z: float) -> int:
    """Face of the cube round the Earth above which a point lies: that of its greatest coordinate."""
    ax, ay, az = abs(x), abs(y), abs(z)
    x_is, y_is = int((ax >= ay) & (ax >= az)), int(ay >= az)
    along_x, along_y = x_is, (1 - x_is) * y_is
    along_z = (1 - x_is) * (1 - y_is)
    below = (along_x & int(x < 0.0)) | (along_y & int(y < 0.0)) | (along_z & int(z < 0.0))
    return 2 * along_y + 4 * along_z + below


@kernel
def u_of(face: int) -> int:
    """The first coordinate along a face. Reckoned: looked up in a tuple, it would be a jump that is mispredicted."""
    return int(face < 2)


@kernel
def v_of(face: int) -> int:
    """The second coordinate along a face."""
    return 2 - int(face >= 4)


@kernel
def others(x: float, y: float, z: float, axis: int) -> float:
    """Greatest size of the two coordinates that are not along an axis."""
    ax, ay, az = abs(x), abs(y), abs(z)
    return max(ay, az) if axis == 0 else max(ax, az) if axis == 1 else max(ax, ay)


@kernel
def square_of(v: float) -> int:
    """Which square a coordinate lies in, in squares."""
    return int(v + _HALF_RANGE)  # positive, so cutting off is rounding down


@kernel
def number_of(iu: int, iv: int, face: int) -> int:
    """One number for a square of a face."""
    return ((iu << 16) | iv) << 3 | face


@kernel
def wider(number: int, level: int) -> int:
    """Number of the square of a level in which a square of level 0 lies."""
    return number_of(number >> 19 >> level, ((number >> 3) & 0xFFFF) >> level, number & 7)


@inlined_kernel
def slot_of(number, table, numbers):  # type: ignore[no-untyped-def]
    """Slot of a number in a table of places in `numbers`: of its place if it is there, else of -1."""
    mask = table.shape[0] - 1
    mixed = number * 0x9E3779B  # 35 bits by 28: it does not overflow
    slot = (mixed ^ (mixed >> 29)) & mask
    while table[slot] >= 0 and numbers[table[slot]] != number:
        slot = (slot + 1) & mask
    return slot
