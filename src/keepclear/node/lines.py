"""The lines of a party: beginning one, bringing others onto it, joining, leaving, and removing a member.

Who is on a line is what its logs say (`keepclear.line.membership`); nothing here keeps another account of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from keepclear.errors import Fault, InputError
from keepclear.node.actors import Actor
from keepclear.node.inviting import Inviting
from keepclear.node.joining import Joining
from keepclear.node.refusals import ClashError
from keepclear.node.roles import Scope
from keepclear.record.bodies.members import LineFoundedBody, MemberLeftBody, MemberRemovedBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.entries import EntryRef
from keepclear.record.entry_types import EntryType
from keepclear.record.names import check_name
from keepclear.store.node.lines import KnownLine, add_line

__all__ = ["Lines", "line_name"]


class Lines(Inviting, Joining):
    """What a party does about its lines. Any thread may use it; made as `keepclear.node.line_desk.LineDesk` is."""

    def new(self, name: str, *, line: str | None = None, by: Actor) -> KnownLine:
        """Begin a line, on which we are the first. Cut off and done again, it goes on.

        Parameters
        ----------
        name
            What it is called.
        line
            Its name in the record, for ever; None makes one of `name`.

        Raises
        ------
        InputError
            If a name is none.
        ClashError
            If we have a line of that name.
        """
        by.must(Scope.LINES)
        if not 0 < len(name) <= 1000:
            raise InputError(Fault("a line without a name", "1 to 1000 characters", field="name", value=name[:50]))
        line = line_name(name) if line is None else check_name(line, field="line")
        if any(one.line == line for one in self.all()):
            raise ClashError(Fault(f"{self.party} has a line of this name", "another name", field="line", value=line))
        if line not in self.records.lines():
            self.records.begin(line)
        root = self._founded_before(line)
        if root is None:
            (root,) = self.said(line, LineFoundedBody(line=line, name=name, founder=self.card(line)))
        known = KnownLine(line, name, root)
        with self.database.writing() as conn:
            add_line(conn, known, at_s=self.clock())
            self.acts.record(conn, by, "line new", ref=line, detail={"name": name})
        self.tell(line, "founded", party=self.party)
        return known

    def leave(self, line: str, reason: str | None = None, *, by: Actor) -> EntryRef:
        """Say that we leave a line.

        Raises
        ------
        InputError
            If we are not on it.
        """
        by.must(Scope.LINES)
        self.must_be_member(line)
        (ref,) = self.said(line, MemberLeftBody(root=EntryRefValue.of(self.known(line).root), reason=reason or None))
        self.acts.note(by, "line leave", ref=line)
        self.tell(line, "left", party=self.party)
        return ref

    def remove(self, line: str, party: str, reason: str | None = None, *, by: Actor) -> EntryRef:
        """Say that a member is to be on the line no longer; it is so once all others have said just this.

        What it has said up to what is held here counts still; or up to what the first member named who said so.

        Raises
        ------
        InputError
            If it is no other member, or we are not on the line ourselves.
        """
        by.must(Scope.LINES)
        self.must_be_member(line)
        found = self.members(line)
        member = found.members.get(party)
        if member is None or party == self.party:
            told = ", ".join(sorted(set(found.members) - {self.party})) or "nobody else is on it"
            raise InputError(Fault("not another member of the line", told, field="party", value=party))
        begun = next((one for one in found.removals if one.party == party and not one.complete), None)
        origins = [origin for origin in self.records.origins(line) if origin.partition("/")[0] == party]
        log, until = (begun.log, begun.until) if begun is not None else _end_of(origins, self.records.size)
        body = MemberRemovedBody(
            root=EntryRefValue.of(self.known(line).root), party=party, identity=member.identity.text, log=log,
            until=until, reason=reason or None,
        )  # fmt: skip
        (ref,) = self.said(line, body)
        self.acts.note(by, "line remove", ref=line, detail={"party": party, "until": until})
        self.tell(line, "removal", party=party)
        return ref

    def _founded_before(self, line: str) -> EntryRef | None:
        items = self.reader.items(self.records.own_origin(line))
        return next((item.ref for item in items if item.entry.leaf.type == EntryType.LINE_FOUNDED), None)


def line_name(name: str) -> str:
    """A line's name in the record, made of what people call it.

    Raises
    ------
    InputError
        If nothing of it can be used.

    Examples
    --------
    >>> line_name("North-east")
    'north-east'
    >>> line_name("Euphrates, both banks")
    'euphrates-both-banks'
    """
    text = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:63].rstrip("-._")
    if not text:
        right = "name it in the record as well: 1 to 63 ASCII letters, digits, dots, hyphens and underscores"
        raise InputError(Fault("no name in the record can be made of this", right, field="line", value=name[:50]))
    return text


def _end_of(origins: list[str], size_of: Callable[[str], int]) -> tuple[str, int]:
    held = [(origin, size_of(origin)) for origin in origins]
    return max((one for one in held if one[1] > 0), key=lambda one: (one[0].count("/"), _begun(one[0])))


def _begun(origin: str) -> int:
    parts = origin.split("/")
    return int(parts[3]) if len(parts) == 4 else 1
