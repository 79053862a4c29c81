"""What Alembic runs to migrate: on the connection it is given, whose transaction the caller begins and ends."""

from __future__ import annotations

from alembic import context

attributes = context.config.attributes
context.configure(connection=attributes["connection"], version_table=attributes["version_table"])
context.run_migrations()
