"""Statements made ready once give what SQLAlchemy gives, and fail as it fails."""

from __future__ import annotations

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from keepclear.store.ready import Ready

_TABLE = Table(
    "thing", MetaData(),
    Column("id", Integer, primary_key=True), Column("name", Text, nullable=False), Column("is_so", Boolean),
    Column("at_s", Double), Column("octets", LargeBinary), Column("data", JSON(none_as_null=True)),
)  # fmt: skip
_ROWS = [
    {"id": 1, "name": "a", "is_so": True, "at_s": 1.5, "octets": b"\0\xff", "data": {"x": [1, None]}},
    {"id": 2, "name": "b", "is_so": None, "at_s": None, "octets": None, "data": None},
]


@pytest.fixture
def conn():
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        _TABLE.metadata.create_all(connection)
        yield connection
    engine.dispose()


def test_values_go_in_and_come_out_as_with_sqlalchemy(conn):
    Ready(insert(_TABLE)).run_many(conn, _ROWS)
    every = Ready(select(_TABLE).order_by(_TABLE.c.id))
    assert [row._asdict() for row in every.rows(conn)] == _ROWS
    assert [tuple(row) for row in every.each(conn)] == [tuple(row) for row in conn.execute(select(_TABLE))]
    one = Ready(select(_TABLE.c.data).where(_TABLE.c.id == bindparam("which")))
    assert one.value(conn, which=1) == {"x": [1, None]}
    assert one.one(conn, which=3) is None


def test_what_is_changed_is_counted(conn):
    Ready(insert(_TABLE)).run_many(conn, _ROWS)
    change = Ready(_TABLE.update().where(_TABLE.c.id >= bindparam("least")).values(name=bindparam("new")))
    assert [change.run(conn, least=2, new="c"), change.run(conn, least=3, new="c")] == [1, 0]


def test_an_error_of_the_driver_is_wrapped_as_sqlalchemy_does_without_the_values(conn):
    put = Ready(insert(_TABLE))
    put.run(conn, **_ROWS[0])
    with pytest.raises(IntegrityError) as told:
        put.run(conn, **_ROWS[0])
    assert "\\xff" not in str(told.value)


def test_a_statement_whose_text_depends_on_what_is_asked_is_refused(conn):
    with pytest.raises(AssertionError, match="depends"):
        Ready(select(_TABLE).where(_TABLE.c.id.in_([1, 2]))).rows(conn)
