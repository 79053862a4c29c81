"""What a step of a scenario is done with: the party's client, the folder, and the results of earlier steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from keepclear.client.client import Client
from keepclear.errors import Fault, InputError
from keepclear.replay.stage import Stage

__all__ = ["Doing", "Names", "Verb"]

_NAMED = re.compile(r"\$([a-z][a-z0-9-]*)((?:\.[A-Za-z0-9_]+)*)")
_MOST_BYTES = 64 << 20


class Names:
    """The results of earlier steps, by the names under which they were saved.

    In any text of a later step ``$name`` is the id of that result, and ``$name.member`` a member of it.
    """

    def __init__(self) -> None:
        self._results: dict[str, Any] = {}

    def keep(self, name: str, result: Any) -> None:
        """Keep a result under a name."""
        self._results[name] = result

    def put_in(self, value: Any) -> Any:
        """A value of the file with results in the place of their names.

        Raises
        ------
        InputError
            If there is no result of a name, or it has no such member.
        """
        if isinstance(value, Mapping):
            return {name: self.put_in(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.put_in(one) for one in value]
        if not isinstance(value, str):
            return value
        whole = _NAMED.fullmatch(value)
        return self._of(whole) if whole else _NAMED.sub(lambda found: str(self._of(found)), value)

    def _of(self, match: re.Match[str]) -> Any:
        name, path = match[1], match[2] or ".id"
        if name not in self._results:
            right = f"one that was saved before: {', '.join(self._results) or 'there is none yet'}"
            raise InputError(Fault("no result of that name", right, value=match[0]))
        found = self._results[name]
        for part in path[1:].split("."):
            try:
                found = found[int(part)] if isinstance(found, list) else found[part]
            except (KeyError, IndexError, ValueError, TypeError):
                raise InputError(Fault(f"the result has no {part!r}", value=match[0])) from None
        return found


@dataclass(frozen=True, slots=True)
class Doing:
    """One step that is being done.

    Attributes
    ----------
    stage
        All nodes.
    folder
        The scenario's.
    party, person
        Who does it.
    names
        Earlier results.
    tell
        Takes what is to be told of it, line by line.
    """

    stage: Stage
    folder: Path
    party: str
    person: str
    names: Names
    tell: Callable[[str], None]

    @property
    def client(self) -> Client:
        """The client of who does it."""
        return self.stage.stands[self.party].client(self.person)

    @property
    def line(self) -> str:
        """The line."""
        return self.stage.line

    def file(self, name: str) -> bytes:
        """A file of the scenario's folder.

        Raises
        ------
        InputError
            If it is not in it, too large, or cannot be read.
        """
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise InputError(Fault("outside the scenario's folder", "a file in it", value=name))
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise InputError(Fault("too large", f"at most {_MOST_BYTES} bytes", file=str(path)))
            return path.read_bytes()
        except OSError as error:
            raise InputError(Fault(f"cannot be read: {error.strerror or error}", file=str(path))) from None


class Verb(BaseModel):
    """A kind of step."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    BY_A_PARTY: ClassVar[bool] = True
    """Whether a party does it."""

    def do(self, doing: Doing) -> Any:
        """Do it, tell what happened, and say what came of it, as JSON.

        Raises
        ------
        KeepclearError
            If the node refuses it.
        """
        raise NotImplementedError
