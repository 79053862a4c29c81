"""What a node says by itself about who is on a line: that a new member is there, and that its own card is a new one.

When a member has brought in a party, the others say so too: each so signs who is on the line, and from which entry on
it gives its log. Nobody of ours has compared the new one's words then, and the entry says that (`words_compared` is
false), unless they have. Where the one who brought it in gives its log from a later point on, so do we: from here on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

from keepclear.errors import KeepclearError
from keepclear.line.membership import Membership
from keepclear.node.bell import Bell
from keepclear.node.lines import Lines
from keepclear.record.bodies.members import MemberInvitedBody, MemberJoinedBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.store.node.compared import compared_identities

__all__ = ["Welcoming"]

_LOG = logging.getLogger(__name__)
_LOOK_S = 60.0


class Welcoming:
    """The thread that says so.

    Parameters
    ----------
    lines
        The lines of the party.
    bell
        Rings when a log has grown.
    """

    def __init__(self, lines: Lines, bell: Bell) -> None:
        self._lines, self._bell = lines, bell
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="keepclear-welcoming", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what has begun is finished."""
        self._stopping.set()
        self._bell.ring("stop")
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self) -> None:
        """See to all lines, once."""
        for known in self._lines.all():
            try:
                self.look_at(known.line)
            except KeepclearError as error:
                _LOG.warning("%s: who is on the line was not seen to: %s", known.line, error)

    def look_at(self, line: str) -> None:
        """See to a line: bodies that can be kept now, members to be welcomed, our own card."""
        lines = self._lines
        if line not in lines.records.lines():
            return
        lines.cards.settle(line)
        found = lines.reader.of(line)
        if found is None or lines.party not in found.members or lines.records.silence(line):
            return
        bodies = [*self._welcomes(found), *self._new_card(line, found)]
        if bodies:
            lines.said(line, *bodies)
        for body in bodies:
            if isinstance(body, MemberInvitedBody):
                lines.tell(line, "welcomed", party=body.party)

    def _welcomes(self, found: Membership) -> Iterator[MemberInvitedBody]:
        with self._lines.database.reading() as conn:
            compared = {one.identity for one in compared_identities(conn)}
        for party, member in found.members.items():
            said = any(one.by == self._lines.party for one in member.invitations)
            if party != self._lines.party and not said:
                yield MemberInvitedBody(
                    party=party, identity=member.identity.text, joined=EntryRefValue.of(member.since),
                    words_compared=member.identity in compared,
                )  # fmt: skip

    def _new_card(self, line: str, found: Membership) -> Iterator[MemberJoinedBody]:
        card = self._lines.card(line)
        if card != found.members[self._lines.party].card:
            yield MemberJoinedBody(root=EntryRefValue.of(found.root), card=card)

    def _run(self) -> None:
        with self._bell.waiter("line", "came", "body") as waiter:
            while not self._stopping.is_set():
                try:
                    self.look()
                except Exception:  # noqa: BLE001  # the thread must go on, whatever it was
                    _LOG.exception("who is on the lines could not be seen to")
                if not self._stopping.is_set():
                    waiter.wait(_LOOK_S)
