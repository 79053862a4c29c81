"""By whose word an identity is believed: chains of words that people compared, from our own people on.

Membership is the same for everybody; whom one has reason to believe is not. A node's people compared some identities
themselves; for the rest there is the word of those who compared them, one after another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from keepclear.line.membership import Membership
from keepclear.record.keys import VerifierKey

__all__ = ["trusted"]


def trusted(found: Membership, compared: Iterable[VerifierKey]) -> Mapping[str, tuple[str, ...] | None]:
    """By whose word each member's identity is believed here, where people compared some identities themselves.

    Returns
    -------
    Mapping
        For each member: from a party whose words were compared here to the member itself, each of which compared the
        words of the next; of the party alone where that is the member; None if there is no such chain, or its
        identity is another than the one that was compared here for this party.
    """
    ours = {key.name.partition("/")[0]: key for key in compared}
    edges = _compared(found)
    chains: dict[str, tuple[str, ...]] = {}
    queue: deque[tuple[str, ...]] = deque(
        (party,) for party, member in found.members.items() if ours.get(party) == member.identity
    )
    while queue:
        chain = queue.popleft()
        if chain[-1] not in chains:
            chains[chain[-1]] = chain
            queue.extend((*chain, party) for party in edges.get(chain[-1], ()) if party not in ours)
    return {party: chains.get(party) for party in found.members}


def _compared(found: Membership) -> dict[str, list[str]]:
    edges: dict[str, list[str]] = {}
    for member in found.members.values():
        for one in member.invitations:
            if one.words_compared:
                edges.setdefault(one.by, []).append(member.party)
        if member.through:
            # It named the identity of who brought it in, whose words its people had compared.
            edges.setdefault(member.party, []).append(member.through[-1])
    return edges
