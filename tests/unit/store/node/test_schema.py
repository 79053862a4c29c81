"""The history of the node's facts ends in the tables that are made today, on both databases."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from keepclear.errors import StoreError
from keepclear.store.node import schema
from keepclear.store.node.database import NodeDatabase, facts
from keepclear.store.node.tables import FACTS_VERSION
from keepclear.store.schema import VERSION_TABLE
from tests.unit.store.test_schema import described


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    if request.param == "sqlite":
        return tmp_path / "node.db"
    server = request.getfixturevalue("postgres")
    return server.url(server.new_schema())


def facts_of(database):
    """What the database says that the facts are, with their indexes and triggers."""
    with database.backend.alone() as connection:
        tables = {name: told for name, told in described(connection).items() if name in facts.tables}
        if database.dialect == "sqlite":
            wanted = "SELECT type, tbl_name, name, sql FROM sqlite_master WHERE type <> 'table' OR sql LIKE '%AUTOINC%'"
            rest = [(kind, table, name, "AUTOINCREMENT" in (sql or ""), kind != "table" and _plain(sql))
                    for kind, table, name, sql in connection.execute(text(wanted))]  # fmt: skip
        else:
            wanted = (
                "SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
            )
            rest = [tuple(row) for row in connection.execute(text(wanted))]
            wanted = (
                "SELECT event_object_table, trigger_name, action_statement, event_manipulation "
                "FROM information_schema.triggers WHERE trigger_schema = current_schema()"
            )
            rest += [("trigger", *map(_unnamed, row)) for row in connection.execute(text(wanted))]
            rest = [tuple(map(_unnamed, row)) for row in rest]
        return tables, sorted(map(str, (one for one in rest if one[1] in facts.tables)))


def _plain(sql):
    return re.sub(r'[\s"]+', " ", sql or "").strip()


def _unnamed(told):
    return re.sub(r"test\d+_node", "SCHEMA", str(told))


def test_the_whole_history_leads_to_the_tables_of_today(place):
    database = NodeDatabase.open(place)
    today = facts_of(database)
    with database.backend.alone() as connection:
        if database.dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        names = [*described(connection)]
        for name in names:
            more = " CASCADE" if database.dialect == "postgresql" else ""
            connection.execute(text(f'DROP TABLE IF EXISTS "{name}"{more}'))
        database.backend.begin_writing(connection)
        schema.migrate_facts(connection, database.backend, 0)
        database.backend.commit(connection)
    # If this fails while the tables have not been published yet: python tools/make_first_facts.py
    assert facts_of(database) == today
    database.close()


def test_a_migration_that_fails_leaves_all_as_it_was_and_says_how_to_make_a_copy(place, monkeypatch):
    database = NodeDatabase.open(place)
    database.close()
    monkeypatch.setattr(schema, "FACTS_VERSION", FACTS_VERSION + 1)  # a revision that there is not
    with pytest.raises(StoreError, match=r"could not be migrated.*is as it was.*Before trying again"):
        NodeDatabase.open(place)
    with pytest.raises(StoreError, match="older keepclear"):
        NodeDatabase.open(place, readonly=True)
    monkeypatch.undo()
    again = NodeDatabase.open(place)
    assert not again.stale
    with again.reading() as conn:
        assert conn.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() == f"{FACTS_VERSION:04}"
    again.close()
