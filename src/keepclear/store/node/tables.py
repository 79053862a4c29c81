"""Every module that has tables of the node, so that `facts` and `projections` are whole once this is imported."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import keepclear.store.node as topics

__all__ = ["FACTS_VERSION"]

FACTS_VERSION = 3
"""The number of the tables of facts: with each change one more, and the migration of that number."""

_WITHOUT_TABLES = {"backends", "calling", "columns", "database", "leading", "migrations", "schema", "tables"}

# All that are there, rather than a list that somebody forgets to add to.
for _module in iter_modules(topics.__path__):
    if _module.name not in _WITHOUT_TABLES:
        import_module(f"{topics.__name__}.{_module.name}")
