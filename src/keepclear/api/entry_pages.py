"""What the routes of messages and of entries have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING

from fastapi import Response

from keepclear.api.paging import Page
from keepclear.api.parameters import lines_asked
from keepclear.api.shown.entries import entry_told, ref_told
from keepclear.errors import Fault, InputError
from keepclear.node.entry_ids import EntryId
from keepclear.node.entry_lists import EntryLists, Place
from keepclear.record.entries import EntryRef
from keepclear.store.node.arrivals import kept_s
from keepclear.values.base import Listed
from keepclear.values.entries import EntrySaid, EntryTold

if TYPE_CHECKING:
    from keepclear.node.running import Node

__all__ = ["body_state_of", "entries_listed", "one_entry", "said_told"]

_WAIT_S = 1.0
NO_BODY = "none for us"


def entries_listed(
    node: Node, page: Page, *, line: str | None, party: str | None, types: Collection[str], with_bodies: bool
) -> Listed[EntryTold]:
    """A page of entries, the newest arrival first."""
    lists = EntryLists(node.records, node.database)
    rows = lists.listed(lines_asked(node, line), party=party, types=types, after=_place(page), limit=page.limit + 1)
    shown, cursor = page.answer(rows, key=lambda row: list(astuple(row[0])))
    items = [
        entry_told(
            ref,
            node.records.entry(ref),
            kept_s=place.kept_s,
            body_state=body_state_of(node, ref),
            with_body=with_bodies,
        )
        for place, ref in shown
    ]
    return Listed[EntryTold](items=items, next=cursor)


def one_entry(node: Node, ref: EntryRef, *, with_body: bool) -> EntryTold:
    """One entry."""
    with node.database.reading() as conn:
        kept = kept_s(conn, ref.origin, ref.index)
    return entry_told(
        ref, node.records.entry(ref), kept_s=kept, body_state=body_state_of(node, ref), with_body=with_body
    )


def body_state_of(node: Node, ref: EntryRef) -> str:
    """What became of the body of an entry."""
    state = node.records.body_state(ref.origin, ref.index)
    return NO_BODY if state is None else state.name.lower().replace("_", " ")


def said_told(node: Node, ref: EntryRef | None, warnings: Sequence[str], response: Response) -> EntrySaid:
    """An entry that was said just now, and where it is; only a FLASH may be none."""
    assert ref is not None
    node.projector.wait_for(ref, _WAIT_S)  # so that whoever said it finds it in the lists
    number = str(EntryId.of(ref))
    response.headers["location"] = f"/api/v1/entries/{number}"
    return EntrySaid(id=number, ref=ref_told(ref), warnings=list(warnings))


def _place(page: Page) -> Place | None:
    if not page.after:
        return None
    match page.after:
        case (int() | float() as at_s, str() as origin, int() as start, int() as index):
            return Place(float(at_s), origin, start, index)
        case _:
            raise InputError(Fault("not a cursor of this list", "the `next` of the page before", field="cursor"))
