"""Drafts: plans that are not filed yet, maybe not even complete. They never leave this node.

All who may file see all drafts of their party: a watch ends, and the next one goes on. Who changes one says which
version they have read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from keepclear.errors import Fault, InputError
from keepclear.model.operations import Operation, Zone
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.bell import Bell
from keepclear.node.filing import Filed, Filing
from keepclear.node.filing_requests import FilingRequest
from keepclear.node.refusals import ClashError, NotFoundError, StaleError
from keepclear.node.roles import Scope
from keepclear.node.searching import PrivateDraft, SearchFound
from keepclear.record.canonical import canonical
from keepclear.record.entries import MOST_BODY_BYTES
from keepclear.record.names import is_name
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.drafts import (
    KeptDraft,
    add_draft,
    change_draft,
    draft_count,
    draft_of,
    drafts_after,
    drop_draft,
)

__all__ = ["MOST_DRAFTS", "Drafts"]

MOST_DRAFTS = 1000
"""A node keeps so many at once."""


class Drafts:
    """The drafts of a node.

    Parameters
    ----------
    database, acts, bell, clock
        The node's.
    filing
        Checks and files them.
    """

    def __init__(
        self, database: NodeDatabase, filing: Filing, acts: Acts, bell: Bell, clock: Callable[[], float]
    ) -> None:
        self._database, self._filing, self._acts, self._bell, self._clock = database, filing, acts, bell, clock
        filing.drafts = self.plans
        filing.unfinished = self.unfinished

    def keep(self, content: Mapping[str, Any], *, by: Actor) -> KeptDraft:
        """Keep a new draft.

        Parameters
        ----------
        content
            What `FilingRequest.of_json` reads, as far as it is known.

        Raises
        ------
        InputError
            If it is no JSON object, or too long.
        ClashError
            If there are too many.
        """
        by.must(Scope.FILE)
        content = _checked(content)
        with self._database.writing() as conn:
            if draft_count(conn) >= MOST_DRAFTS:
                raise ClashError(Fault(f"there are {MOST_DRAFTS} drafts already", "file or drop some"))
            kept = add_draft(conn, content, by=by.user, at_s=self._clock(), line=_line(content))
            self._noted(conn, "draft keep", kept.id, by)
        self._bell.ring("event")
        return kept

    def change(self, id: int, content: Mapping[str, Any], *, version: int, by: Actor) -> KeptDraft:  # noqa: A002
        """Put another content in place of that of a version.

        Raises
        ------
        StaleError
            If somebody has changed it since.
        NotFoundError
            If it is no more.
        """
        by.must(Scope.FILE)
        content = _checked(content)
        with self._database.writing() as conn:
            kept = change_draft(
                conn, id, content, version=version, by=by.user, at_s=self._clock(), line=_line(content)
            )  # fmt: skip
            if kept is None:
                raise self._stale(draft_of(conn, id), id)
            self._noted(conn, "draft change", id, by)
        self._bell.ring("event")
        return kept

    def get(self, id: int, *, by: Actor) -> KeptDraft:  # noqa: A002  # its id
        """A draft.

        Raises
        ------
        NotFoundError
            If there is none of that number.
        """
        by.must(Scope.FILE)
        with self._database.reading() as conn:
            found = draft_of(conn, id)
        if found is None:
            raise NotFoundError("draft", field="id", value=str(id))
        return found

    def listed(
        self, *, by: Actor, after: int | None = None, limit: int = 100, line: str | None = None
    ) -> list[KeptDraft]:
        """Drafts with greater numbers, oldest first."""
        by.must(Scope.FILE)
        with self._database.reading() as conn:
            return drafts_after(conn, after, limit=limit, line=line)

    def drop(self, id: int, *, by: Actor, version: int | None = None) -> None:  # noqa: A002  # its id
        """Remove a draft, of that version if one is named.

        Raises
        ------
        StaleError, NotFoundError
            As `change`.
        """
        by.must(Scope.FILE)
        with self._database.writing() as conn:
            if not drop_draft(conn, id, version=version):
                raise self._stale(draft_of(conn, id), id)
            self._noted(conn, "draft drop", id, by)
        self._bell.ring("event")

    def check(self, id: int, *, by: Actor) -> SearchFound:  # noqa: A002  # its id
        """What a draft would come too close to. Nobody is told.

        Raises
        ------
        InputError
            If it is not complete, with all that is missing or wrong.
        """
        request = FilingRequest.of_json(self.get(id, by=by).content)
        return self._filing.check(request, by=by)

    def file(self, id: int, *, by: Actor, version: int | None = None) -> Filed:  # noqa: A002  # its id
        """Say a draft on the line; it is no draft any more then.

        Raises
        ------
        StaleError
            If it is not in that version any more.
        InputError, RefusedError
            As `Filing.file`; then the draft stays.
        """
        kept = self.get(id, by=by)
        if version not in {None, kept.version}:
            raise self._stale(kept, id)
        filed = self._filing.file(FilingRequest.of_json(kept.content), by=by)
        with self._database.writing() as conn:
            drop_draft(conn, id)  # in whatever version: what was filed stands, and cannot be filed twice
            self._noted(conn, "draft file", id, by)
        self._bell.ring("event")
        return filed

    def plans(self) -> Sequence[PrivateDraft]:
        """Those that are complete enough to be compared with."""
        return [PrivateDraft(f"draft {number}", thing) for number, thing in self._things() if thing is not None]

    def unfinished(self) -> Sequence[int]:
        """The numbers of those that lack too much to be compared with."""
        return [number for number, thing in self._things() if thing is None]

    def _things(self) -> Iterator[tuple[int, Operation | Zone | None]]:
        with self._database.reading() as conn:
            kept = drafts_after(conn, None, limit=MOST_DRAFTS)  # all of them: one that was left out would look clear
        for one in kept:
            try:
                yield one.id, FilingRequest.of_json(one.content).model()
            except InputError:
                yield one.id, None

    def _noted(self, conn: Any, what: str, id: int, by: Actor) -> None:  # noqa: A002  # its id
        self._acts.record(conn, by, what, ref=str(id))
        events.say(conn, "draft", {"id": id, "what": what}, at_s=self._clock())

    @staticmethod
    def _stale(there: KeptDraft | None, id: int) -> InputError:  # noqa: A002  # its id
        if there is None:
            return NotFoundError("draft", field="id", value=str(id))
        return StaleError(f"draft {id} was changed by {there.by} since: it is in version {there.version}")


def _checked(content: object) -> dict[str, Any]:
    """The content, as plain JSON; what is in it is checked when it is complete."""
    if not isinstance(content, Mapping):
        raise InputError(Fault("not a JSON object", "what is known of the filing so far", field="draft"))
    data = canonical(dict(content))  # refuses what is no JSON, with its path
    if len(data) > MOST_BODY_BYTES:
        problem = f"the draft has {len(data)} bytes, more than the {MOST_BODY_BYTES} allowed"
        raise InputError(Fault(problem, "several drafts", field="draft"))
    return dict(content)


def _line(content: Mapping[str, Any]) -> str | None:
    line = content.get("line")
    return line if is_name(line) else None
