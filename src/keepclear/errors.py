"""The one exception tree.

``InputError`` is the caller's fault and says what would be right; ``PeerError`` is another party's;
``IntegrityError`` means a proof failed and nothing may be retried; ``StoreError`` is the disk's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Fault", "InputError", "IntegrityError", "KeepclearError", "PeerError", "StoreError"]


class KeepclearError(Exception):
    """Base of every error that keepclear raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input, in the words a person needs to mend it.

    Attributes
    ----------
    problem
        What is wrong, for example ``"the time has no zone"``.
    right
        What would be right, for example ``"write 2026-01-01T09:00:00Z"``.
    file, feature, field, value
        Where: the file's name, the feature (an id, ``feature 3``, ``line 17``), the field and the value as it
        was written (shortened). Empty where it does not apply.
    """

    problem: str
    right: str = ""
    file: str = ""
    feature: str = ""
    field: str = ""
    value: str = ""

    def __str__(self) -> str:
        named = (self.file, _shortened(self.feature, 200), _shortened(self.field, 200), _shortened(self.problem, 500))
        text = ": ".join(part for part in named if part)
        if self.value:
            text += f" (got {_shortened(self.value)!r})"
        if self.right:
            text += f"; {self.right}"
        return " ".join(text.split())  # one line per fault, whatever the value held


class InputError(KeepclearError):
    """Input that cannot be read as it stands; nothing was guessed and nothing was kept.

    Parameters
    ----------
    faults
        All faults found, not only the first; a single string or `Fault` will do.
    """

    def __init__(self, faults: Fault | str | Sequence[Fault]) -> None:
        if isinstance(faults, str):
            faults = Fault(faults)
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class PeerError(KeepclearError):
    """Another party's node said something that the protocol does not allow."""


class IntegrityError(KeepclearError):
    """A proof failed or a log forked: stop, keep the evidence, never retry."""


class StoreError(KeepclearError):
    """What must be durable could not be made durable."""


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
