"""What every reader shares: who the file speaks for, and the list of what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter

from keepclear.errors import Fault, InputError
from keepclear.model.kinds import OperationKind, ZoneKind
from keepclear.model.operations import Operation, Plans, Zone

__all__ = ["MOST_FAULTS", "MOST_WARNING", "Reading"]

MOST_FAULTS = 1000
MOST_WARNING = 1000
"""Characters of one warning: a sentence may hold names of any length from the file."""


@dataclass(slots=True)
class Reading:
    """One file being read: faults and warnings collect here, and nothing is returned while there is a fault.

    Attributes
    ----------
    file
        The name to show in messages.
    party
        The party of features that name none.
    kind
        The kind of features that name none.
    """

    file: str
    party: str
    kind: OperationKind | ZoneKind | None = None
    operations: list[Operation] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, problem: str, right: str = "", *, feature: str = "", field: str = "", value: object = "") -> None:
        """Note a fault and go on reading.

        Raises
        ------
        InputError
            Once there are `MOST_FAULTS`: a file with more is not worth reading further.
        """
        self.faults.append(Fault(problem, right, self.file, feature, field, str(value)))
        if len(self.faults) >= MOST_FAULTS:
            self.faults.append(Fault(f"more than {MOST_FAULTS} faults: reading stopped here", file=self.file))
            raise InputError(self.faults)

    @contextmanager
    def feature(self, feature: str) -> Iterator[None]:
        """Collect the faults of one feature, naming it, and go on with the next."""
        try:
            yield
        except InputError as error:
            for fault in error.faults:
                self.fault(
                    fault.problem,
                    fault.right,
                    feature=_joined(feature, fault.feature),
                    field=fault.field,
                    value=fault.value,
                )

    def warn(self, sentence: str) -> None:
        """Note something that could be read but looks odd, or was assumed."""
        one_line = " ".join(f"{self.file}: {sentence}".split())
        self.warnings.append(one_line if len(one_line) <= MOST_WARNING else one_line[: MOST_WARNING - 1] + "…")

    def plans(self) -> Plans:
        """What was read.

        Raises
        ------
        InputError
            If there is any fault, if two features share party and id, or if there was nothing in the file.
        """
        self._check_unique()
        if not self.faults and not self.operations and not self.zones:
            self.fault("nothing in it: no operation, no zone, no position", "a file with at least one")
        if self.faults:
            raise InputError(self.faults)
        return Plans(tuple(self.operations), tuple(self.zones), tuple(self.warnings))

    def _check_unique(self) -> None:
        for things in (self.operations, self.zones):
            if len(set(map(attrgetter("party", "id"), things))) == len(things):
                continue
            seen: set[tuple[str, str]] = set()
            for thing in things:
                key = (thing.party, thing.id)
                if key in seen:
                    self.fault(
                        f"the id is used twice by {thing.party}", "give each its own id", feature=thing.source.feature,
                        field="id", value=thing.id,
                    )  # fmt: skip
                seen.add(key)


def _joined(outer: str, inner: str) -> str:
    return f"{outer}, {inner}" if inner and inner != outer else outer
