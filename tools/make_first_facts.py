"""Write the first revision of the node's facts from the tables as they are, until they are first published.

Afterwards a revision is never changed: a change of the tables is one more in `keepclear.store.node.tables`, and a
revision of that number written by hand.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from keepclear.store.node.database import facts
from keepclear.store.node.tables import FACTS_VERSION

TARGET = (
    Path(__file__).parents[1] / "src" / "keepclear" / "store" / "node" / "migrations" / "versions" / "r0001_facts.py"
)
_HEAD = '''"""The node's facts as they were at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

_FUNCTION = """CREATE OR REPLACE FUNCTION act_never_changed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'acts are never changed'; END $$"""
_POSTGRES = """CREATE TRIGGER act_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON act
FOR EACH STATEMENT EXECUTE FUNCTION act_never_changed()"""
_SQLITE = "CREATE TRIGGER act_never_{0} BEFORE {0} ON act BEGIN SELECT RAISE(ABORT, 'acts are never changed'); END"

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
'''
_FOOT = """
    postgres = op.get_bind().dialect.name == "postgresql"
    for statement in (_FUNCTION, _POSTGRES) if postgres else map(_SQLITE.format, ("UPDATE", "DELETE")):
        op.execute(statement)
"""

_SHORTER = {
    "_WORDS": "sa.Text().with_variant(sa.Text(collation='C'), 'postgresql')",
    "_WHOLE": "sa.BigInteger().with_variant(sa.Integer(), 'sqlite')",
}


def page() -> str:
    """The text of the revision: a function for each table, and one that calls them."""
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection)
        made = render_python_code(produce_migrations(context, facts).upgrade_ops, migration_context=context)
    lines = [line.rstrip() for line in made.splitlines() if not line.strip().startswith("#")]
    body = "\n".join(f"    {line.strip()}" if line.startswith("op.") else f"    {line}" for line in lines)
    body = body.replace("        op.", "    op.")
    for shorter, longer in _SHORTER.items():
        body = body.replace(longer, shorter)
    _, *tables = body.split("    op.create_table(")
    names = [re.match(r"\s*'(\w+)'", table)[1] for table in tables]  # type: ignore[index]
    functions = [
        f"\n\ndef _{name}() -> None:\n    op.create_table({table.rstrip()}\n"
        for name, table in zip(names, tables, strict=True)
    ]
    calls = "".join(f"    _{name}()\n" for name in names)
    upgrade = f'\n\ndef upgrade() -> None:\n    """Make the tables."""\n{calls.rstrip()}'
    return _HEAD + "".join(functions) + upgrade + _FOOT


if __name__ == "__main__":
    assert FACTS_VERSION == 1, "the first revision has been followed by others: it stays as it is"
    TARGET.write_text(page(), encoding="utf-8")
    subprocess.run([Path(sys.executable).parent / "ruff", "format", "--quiet", TARGET], check=True)
