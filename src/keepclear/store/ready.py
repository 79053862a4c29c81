"""Statements that are made ready once: what SQLAlchemy makes of them is kept, and given straight to the driver.

A filing takes some sixty statements. SQLAlchemy works out each of them anew, and wraps what comes back, which takes ten
times as long as SQLite takes to do it. Here it is asked once for each statement and dialect: for the text, and for how
values of each type go in and come out. Statements whose text depends on what is asked are not for this.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Dialect, Float
from sqlalchemy.exc import DBAPIError

__all__ = ["Ready"]

_Convert = Callable[[Any], Any]
_AT_ONCE = 500


class _Made:
    """A statement as one dialect has it."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        assert "POSTCOMPILE" not in self.text, "its text depends on what is asked"
        self._fixed: dict[str, Any] = dict(compiled.params)
        self._order: Sequence[str] | None = compiled.positiontup
        self._into: dict[str, _Convert] = {}
        for name, bound in compiled.binds.items():
            convert = bound.type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                self._into[name] = convert
        for name, convert in self._into.items():
            if name in self._fixed and self._fixed[name] is not None:
                self._fixed[name] = convert(self._fixed[name])
        columns = list(getattr(statement, "exported_columns", ()))
        self._out: list[tuple[int, _Convert]] = []
        for place, column in enumerate(columns):
            if isinstance(column.type, Float):
                continue  # drivers give numbers as they are
            back = column.type.dialect_impl(dialect).result_processor(dialect, None)
            if back is not None:
                self._out.append((place, back))
        names = [str(column.key) for column in columns]
        kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024  # known only now
        self.row: Callable[[Iterable[Any]], Any] = kind._make if names else tuple

    def values(self, given: Mapping[str, Any]) -> Any:
        """What the driver is given besides the text."""
        into = self._into
        for name in given:
            assert name in self._fixed, f"{name} is no value of {self.text}"
        converted = {name: into[name](value) if name in into else value for name, value in given.items()}
        whole = self._fixed | converted
        return whole if self._order is None else [whole[name] for name in self._order]

    def read(self, row: Sequence[Any]) -> Any:
        """A row that the driver gave."""
        if self._out:
            changed = list(row)
            for place, back in self._out:
                changed[place] = back(changed[place])
            return self.row(changed)
        return self.row(row)


class Ready:
    """A statement that is always the same but for its values (`sqlalchemy.bindparam`, by name).

    Parameters
    ----------
    statement
        Of SQLAlchemy's Core.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._made: dict[str, _Made] = {}

    def rows(self, conn: Connection, **given: Any) -> list[Any]:
        """All rows, with the columns by their names."""
        made = self._for(conn)
        with _errors(conn, made.text):
            found: list[Any] = _driver(conn).execute(made.text, made.values(given)).fetchall()
        return found if made.row is tuple else [made.read(row) for row in found]

    def each(self, conn: Connection, **given: Any) -> Iterator[Any]:
        """Row after row, for what may be many."""
        made = self._for(conn)
        with _errors(conn, made.text):
            cursor = _driver(conn).execute(made.text, made.values(given))
        try:
            while True:
                with _errors(conn, made.text):
                    some = cursor.fetchmany(_AT_ONCE)
                if not some:
                    return
                for row in some:
                    yield made.read(row)
        finally:
            cursor.close()

    def one(self, conn: Connection, **given: Any) -> Any | None:
        """The first row; None where there is none."""
        made = self._for(conn)
        with _errors(conn, made.text):
            cursor = _driver(conn).execute(made.text, made.values(given))
            row = cursor.fetchone()
            cursor.close()
        return None if row is None else made.read(row)

    def value(self, conn: Connection, **given: Any) -> Any:
        """The first column of the first row; None where there is none."""
        row = self.one(conn, **given)
        return None if row is None else row[0]

    def run(self, conn: Connection, **given: Any) -> int:
        """Do it; how many rows it changed."""
        made = self._for(conn)
        with _errors(conn, made.text):
            cursor = _driver(conn).execute(made.text, made.values(given))
            count = int(cursor.rowcount)
            cursor.close()
        return count

    def run_many(self, conn: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Do it for each of these."""
        made = self._for(conn)
        with _errors(conn, made.text):
            cursor = _driver(conn).cursor()
            try:
                cursor.executemany(made.text, [made.values(row) for row in rows])
            finally:
                cursor.close()

    def _for(self, conn: Connection) -> _Made:
        dialect = conn.dialect
        made = self._made.get(dialect.name)
        if made is None:
            made = self._made[dialect.name] = _Made(self._statement, dialect)
        return made


def _driver(conn: Connection) -> Any:
    return conn.connection.driver_connection


class _errors:  # noqa: N801  # reads as what it is; a generator would take as long as a statement does
    """The driver's errors, wrapped as SQLAlchemy wraps them, so that both ways fail alike."""

    __slots__ = ("_conn", "_text")

    def __init__(self, conn: Connection, text: str) -> None:
        self._conn, self._text = conn, text

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        dialect = self._conn.dialect
        base = None if error is None else getattr(dialect.loaded_dbapi, "Error", None)
        if base is not None and isinstance(error, base):
            raise DBAPIError.instance(self._text, None, error, base, hide_parameters=True, dialect=dialect) from error
