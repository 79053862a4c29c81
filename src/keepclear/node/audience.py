"""Who is told: the line that is meant, and of those who are on it the ones that something is said to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from keepclear.errors import Fault, InputError
from keepclear.line.membership import Membership
from keepclear.node.records import Records

__all__ = ["Audience", "Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """To whom something is said.

    Attributes
    ----------
    parties
        By name.
    warnings
        Who is not, and why.
    """

    parties: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class Audience:
    """Those who can be told.

    Parameters
    ----------
    records
        Knows our lines.
    membership
        Who is on a line; None where that is not known.
    stopped
        Why nothing ordinary is exchanged with a party on a line; empty where it is.
    """

    def __init__(
        self,
        records: Records,
        membership: Callable[[str], Membership | None],
        *,
        stopped: Callable[[str, str], str] = lambda _line, _party: "",
    ) -> None:
        self._records, self._membership = records, membership
        self.stopped = stopped
        """Why nothing ordinary is exchanged with a party on a line; empty where it is."""

    def line(self, wanted: str | None) -> str:
        """The line that is meant: the one that is named, or the only one there is.

        Raises
        ------
        InputError
            If there is none of that name, or several and none was named.
        """
        lines = self._records.lines()
        if wanted is None and len(lines) == 1:
            return lines[0]
        if wanted is not None and wanted in lines:
            return wanted
        if not lines:
            raise InputError(Fault("this party is on no line yet", "begin or join one", field="line"))
        problem = "which line is not said" if wanted is None else "there is no such line"
        raise InputError(Fault(problem, f"one of: {', '.join(lines)}", field="line", value=wanted or ""))

    def others(self, line: str) -> tuple[str, ...]:
        """All who are on a line but us, by name."""
        found = self._membership(line)
        members = () if found is None else found.members
        return tuple(sorted(party for party in members if party != self._records.party))

    def told(self, line: str, wanted: Iterable[str] | None, *, flash: bool = False, field: str = "recipients") -> Told:
        """To whom it is said.

        Parameters
        ----------
        wanted
            Who; None: all who are on the line, and with whom nothing is amiss.
        flash
            It is harm in progress: nothing keeps it from anybody.
        field
            What to name in a fault.

        Raises
        ------
        InputError
            If one of them is not on the line, or nothing ordinary is exchanged with it; with all faults.
        """
        others = self.others(line)
        if wanted is None:
            why = {} if flash else {party: told for party in others if (told := self.stopped(line, party))}
            warnings = tuple(f"{party} is not told: {told}" for party, told in why.items())
            return Told(tuple(party for party in others if party not in why), warnings)
        named = tuple(sorted(set(wanted)))
        known = f"one of: {', '.join(others)}" if others else "nobody else is on the line yet"
        faults = [
            Fault(
                "that is you" if party == self._records.party else "is not on the line", known, field=field, value=party
            )
            for party in named
            if party not in others
        ]
        if not flash:
            stopped = {party: told for party in named if party in others and (told := self.stopped(line, party))}
            faults += [Fault(told, "leave it out; FLASH goes", field=field, value=one) for one, told in stopped.items()]
        if faults:
            raise InputError(faults)
        return Told(named)
