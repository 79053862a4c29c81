"""Ids of entries, as people, addresses of pages and commands have them: ``RU:north-east:17``.

Party, line and the index in the party's log there; ``RU:north-east:2:17`` is of the second log that the party began on
the line. Names have no colon, so an id needs no quoting anywhere. It names a place, not what stands there: who must be
sure of that, compares the leaf hash too (`keepclear.record.entries.EntryRef`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from keepclear.errors import Fault, InputError
from keepclear.record.entries import EntryRef
from keepclear.record.names import MOST_BEGUN, KeyName, Purpose, is_name, log_origin

__all__ = ["ENTRY_ID_RIGHT", "EntryId"]

ENTRY_ID_RIGHT = "PARTY:LINE:INDEX, for example RU:north-east:17"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_MOST_INDEX = 2**53


@dataclass(frozen=True, slots=True, order=True)
class EntryId:
    """A place in a party's log on a line.

    Attributes
    ----------
    party, line
        Whose log, and where.
    begun
        The how manyth log of the party on the line, from 1.
    index
        From 0.

    Raises
    ------
    InputError
        If there can be no such place.
    """

    party: str
    line: str
    begun: int
    index: int

    def __post_init__(self) -> None:
        names = is_name(self.party) and is_name(self.line)
        if not (names and 1 <= self.begun <= MOST_BEGUN and 0 <= self.index < _MOST_INDEX):
            raise InputError(Fault("not the id of an entry", ENTRY_ID_RIGHT, value=str(self)))

    def __str__(self) -> str:
        parts = [self.party, self.line, *([str(self.begun)] if self.begun != 1 else []), str(self.index)]
        return ":".join(parts)

    @property
    def origin(self) -> str:
        """The log."""
        return log_origin(self.party, self.line, begun=self.begun)

    @classmethod
    def of(cls, ref: EntryRef) -> EntryId:
        """The id of an entry that is referred to."""
        name = KeyName.of_text(ref.origin)
        if name is None or name.purpose is not Purpose.LOG or name.line is None:  # an EntryRef has checked it
            raise InputError(Fault("not a party's log on a line", field="origin", value=ref.origin))
        return cls(name.party, name.line, name.begun, ref.index)

    @classmethod
    def parse(cls, text: str, *, field: str = "entry") -> EntryId:
        """The id that a text is; one entry has one text.

        Raises
        ------
        InputError
            If it is none.
        """
        parts = text.split(":")
        numbers = [int(one) for one in parts[2:] if _NUMBER.fullmatch(one)]
        if len(parts) not in {3, 4} or len(numbers) != len(parts) - 2 or numbers[:-1] == [1]:
            raise InputError(Fault("not the id of an entry", ENTRY_ID_RIGHT, field=field, value=text))
        begun = numbers[0] if len(numbers) == 2 else 1
        try:
            return cls(parts[0], parts[1], begun, numbers[-1])
        except InputError:
            raise InputError(Fault("not the id of an entry", ENTRY_ID_RIGHT, field=field, value=text)) from None
