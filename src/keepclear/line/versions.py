"""Which version of the protocol two nodes speak: the highest that both do.

A version is a whole number. A newer node adds members and types, which an older one keeps, passes on and says it does
not understand; only what an older one must not misread begins a version that it does not speak. So where there is a
common version they talk, and where there is none they still hold each other's logs: a leaf has no protocol version.
"""

from __future__ import annotations

from dataclasses import dataclass

from keepclear.errors import Fault, InputError

__all__ = ["MOST_VERSION", "OURS", "Agreed", "Versions", "agreed"]

MOST_VERSION = 65_535


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions that a node speaks: all from `least` to `most`.

    Raises
    ------
    InputError
        If they are not from 1 to 65,535 and in order.
    """

    least: int
    most: int

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most <= MOST_VERSION:
            value = f"{self.least} to {self.most}"
            raise InputError(Fault("not versions of a protocol", f"1 to {MOST_VERSION}, the least first", value=value))


OURS = Versions(1, 1)
"""What this version of keepclear speaks."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What two nodes make of each other's versions.

    Attributes
    ----------
    version
        What they speak; None if there is none in common.
    newer
        Whether the peer speaks versions that we do not: some of what it sends may not be understood here.
    sentence
        What an officer is told; empty if both speak the same.
    """

    version: int | None
    newer: bool
    sentence: str


def agreed(theirs: Versions, *, party: str, ours: Versions = OURS) -> Agreed:
    """What we speak with a peer.

    Parameters
    ----------
    party
        The peer, for the sentence.
    """
    newer = theirs.most > ours.most
    version = min(theirs.most, ours.most)
    if version < max(theirs.least, ours.least):
        who = "this node" if newer else f"the node of {party}"
        spoken = f"{party} speaks versions {theirs.least} to {theirs.most} of the line, we {ours.least} to {ours.most}"
        return Agreed(None, newer, f"{spoken}: {who} must be updated; nothing but logs passes until then")
    if newer:
        sentence = f"the node of {party} is newer than ours: what it sends that is new is kept, and shown as it is"
    elif theirs.most < ours.most:
        sentence = f"the node of {party} is older than ours: version {version} is spoken with it"
    else:
        sentence = ""
    return Agreed(version, newer, sentence)
