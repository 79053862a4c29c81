"""The types of entries that this version knows; each is described in ``docs/spec/entries/``."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["KNOWN_TYPES", "EntryType"]


class EntryType(StrEnum):
    """What an entry says."""

    MESSAGE = "message"
    """Something said in words."""
    OPERATION = "operation"
    """What the party plans to do. A notification, never a permission asked for or given."""
    ZONE = "zone"
    """An area with a rule."""
    CANCEL = "cancel"
    """An earlier entry of the same log no longer stands."""
    ANSWER = "answer"
    """A person's answer to another's entry."""
    COMMITMENT = "commitment"
    """A body shown to nobody now, which can be opened later."""
    OPENING = "opening"
    """What an earlier commitment held."""
    REFUSED = "refused"
    """A body addressed to the party was not kept."""
    LINE_TEST = "line-test"
    """A test of the line, or one given back."""
    ADVISORY = "advisory"
    """Filings come too close to each other, or may."""
    ACCEPTED_RISK = "accepted-risk"
    """The party goes on although an advisory stands."""
    KEY_CERTIFICATE = "key-certificate"
    """Which key is the party's, and for what."""
    KEY_REVOCATION = "key-revocation"
    """A key is no longer the party's."""
    IDENTITY_VOUCH = "identity-vouch"
    """Another party, whose identity key is lost, has a new one."""
    LINE_FOUNDED = "line-founded"
    """A line begins, with one party on it."""
    MEMBER_INVITED = "member-invited"
    """Another party is on the line, or may be."""
    MEMBER_JOINED = "member-joined"
    """The party joins the line, or has a new card."""
    MEMBER_LEFT = "member-left"
    """The party leaves the line."""
    MEMBER_REMOVED = "member-removed"
    """Another party is to be on the line no longer."""


KNOWN_TYPES = frozenset((str(known), 1) for known in EntryType)
"""Type and version of every body that this version can read."""
