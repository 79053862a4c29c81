"""The errors of a database driver and of the operating system, given as ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from keepclear.errors import KeepclearError, StoreError
from keepclear.store.log_store import DamagedError

__all__ = ["Foreign", "cause_of"]


@dataclass(frozen=True, slots=True)
class Foreign:
    """What one database's errors mean.

    Attributes
    ----------
    types
        Those that are translated; all others pass as they are.
    is_damage
        Whether one says that what is stored cannot be read.
    reason
        One in a line of words, without anything that was to be stored.
    keep
        What is to be kept of a damaged database.
    """

    types: tuple[type[BaseException], ...]
    is_damage: Callable[[BaseException], bool]
    reason: Callable[[BaseException], str]
    keep: str

    @contextmanager
    def as_ours(self, name: str, doing: str) -> Iterator[None]:
        """Give errors as ours, each naming the store, and what could not be done."""
        try:
            yield
        except KeepclearError as error:
            plain = type(error) in {DamagedError, StoreError}
            if plain and name not in str(error):
                raise type(error)(f"{name}: {error}") from error
            raise
        except self.types as error:
            if self.is_damage(error):
                raise DamagedError(
                    f"{name} is damaged: {self.reason(error)}. Keep {self.keep} as they are; `examine` says which "
                    "entries can still be proved"
                ) from error
            raise StoreError(f"{name}: could not {doing}: {self.reason(error)}") from error


def cause_of(error: BaseException) -> BaseException:
    """The driver's own error, where SQLAlchemy has wrapped one."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
