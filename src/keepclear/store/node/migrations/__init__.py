"""The history of the node's facts, as Alembic reads it; see `keepclear.store.migrations`, whose rules hold here too."""
