"""The history of the tables, as Alembic reads it: one file in ``versions`` for each number of the schema.

A revision's number is that of `keepclear.store.tables.SCHEMA_VERSION`, in four digits. A revision is never changed
once it has been published, and imports nothing of this program: it says what the tables were then. A test migrates
from each to the newest, on every backend, and compares what comes out with the tables of today.
"""
