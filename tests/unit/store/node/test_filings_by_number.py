"""Filings asked for by number, few or many, are those that were put in."""

from dataclasses import replace
from pathlib import Path

from keepclear.record.entries import EntryRef
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.filings import Filing, FilingState, add_filings, filing_of, filings_by_id

COUNT = 1_203  # more than are asked for at once


def made(number: int) -> Filing:
    ref = EntryRef("A/l/log", number, number.to_bytes(4, "big") * 8)
    plain = Filing(
        0, "l", ref, "A", "operation", False, 1.5, 2.5, (), "", f"id {number}", "", "patrol", None, None, None,
        FilingState.ACTIVE, 3.5, None, None,
    )  # fmt: skip
    match number % 4:
        case 0:
            return plain
        case 1:
            return replace(plain, box=(179.0, -1.0, -179.0, 2.0), start_s=5.0, end_s=6.0, recipients=("B", "Ç"))
        case 2:
            other = EntryRef("B/l/log", 7, bytes(32))
            return replace(
                plain, state=FilingState.AMENDED, supersedes=other, changed_by=ref, exercise=True, run_stop=9
            )
        case _:
            return replace(plain, problem="no key", for_us=False, type="commitment")


def test_by_number_they_are_what_was_put_in(tmp_path: Path) -> None:
    database = NodeDatabase.open(tmp_path / "node.db")
    try:
        database.rebuild_projections()
        with database.writing() as conn:
            rows = add_filings(conn, [made(number) for number in range(COUNT)])
        by_number = {row.id: row for row in rows}
        with database.reading() as conn:
            for numbers in (list(by_number)[:3], list(by_number)[:40], list(by_number), [5, 10**9, 6, 7, 8, 9, 11, 12]):
                found = filings_by_id(conn, numbers)
                assert found == {number: by_number[number] for number in numbers if number in by_number}
            assert filing_of(conn, rows[2].ref) == rows[2]
    finally:
        database.close()
