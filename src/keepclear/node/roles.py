"""What each role of a party may do: the table, and nothing else that decides.

A person may hold several roles and may then do what any of them may. What a role may do is said in scopes; a token can
hold fewer scopes than its owner, never more. The roles are those of a party that keeps a direct line:

- the *party authority* binds the party: signs, joins and leaves lines, keeps the users;
- the *duty officer* does the daily work of the line, round the clock, with deputies;
- a *filer* files, and answers for nobody;
- a *linguist* puts messages into another language and says them;
- a *liaison* carries word between parties and takes no side: files nothing, answers nothing;
- a *monitor* watches; what a monitor must be able to show others are proofs;
- a *humanitarian notifier* files movements and sites, without any agreement;
- an *affiliate* files for a force that another party answers for;
- an *auditor* reads everything, also who did what, and does nothing;
- a *key custodian* keeps the keys, and has no part in what is said with them.

Whoever may say anything at all may say FLASH: it reports harm in progress, and waits for nobody's rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from keepclear.errors import Fault, InputError

__all__ = ["SCOPES_OF", "TRUSTED_SCOPES", "Role", "Scope", "roles_of_texts", "scopes_of", "scopes_of_texts"]

_NameT = TypeVar("_NameT", bound=StrEnum)


class Scope(StrEnum):
    """One kind of act that a route or a use case asks for."""

    READ = "read"
    """See what the node knows: filings, messages, conflicts, the state of lines; try a plan without telling anyone."""
    FILE = "file"
    """File, amend and cancel operations and zones; keep drafts and series."""
    ANSWER = "answer"
    """Answer entries for the party: seen, read back, relayed, concur, object, not ours, unable; accept a risk."""
    SAY = "say"
    """Say messages of any priority but FLASH; send a conflict advisory."""
    SAY_FLASH = "say-flash"
    """Say FLASH."""
    SIGN = "sign"
    """Bind the party: sign or suspend an agreement. It takes two persons."""
    LINES = "lines"
    """Begin, join and leave lines; invite, admit and remove members."""
    ROSTERS = "rosters"
    """Say who is on duty and how they are alarmed; test the line; acknowledge an alarm."""
    USERS = "users"
    """Add and disable users, give and take roles, end sessions and tokens of others."""
    AUDIT = "audit"
    """Read who did what."""
    PROOFS = "proofs"
    """Get proofs of what was said, for others to verify."""
    KEYS = "keys"
    """Change and revoke the party's keys; make and restore backups."""


class Role(StrEnum):
    """What a person is to the party."""

    PARTY_AUTHORITY = "party-authority"
    DUTY_OFFICER = "duty-officer"
    FILER = "filer"
    LINGUIST = "linguist"
    LIAISON = "liaison"
    MONITOR = "monitor"
    HUMANITARIAN_NOTIFIER = "humanitarian-notifier"
    AFFILIATE = "affiliate"
    AUDITOR = "auditor"
    KEY_CUSTODIAN = "key-custodian"


_READ, _FILE, _ANSWER, _SAY, _FLASH = Scope.READ, Scope.FILE, Scope.ANSWER, Scope.SAY, Scope.SAY_FLASH

SCOPES_OF: Mapping[Role, frozenset[Scope]] = MappingProxyType(
    {
        Role.PARTY_AUTHORITY: frozenset(
            {_READ, _ANSWER, _SAY, _FLASH, Scope.SIGN, Scope.LINES, Scope.ROSTERS, Scope.USERS, Scope.PROOFS}
        ),
        Role.DUTY_OFFICER: frozenset({_READ, _FILE, _ANSWER, _SAY, _FLASH, Scope.ROSTERS, Scope.PROOFS}),
        Role.FILER: frozenset({_READ, _FILE, _FLASH}),
        Role.LINGUIST: frozenset({_READ, _SAY, _FLASH}),
        Role.LIAISON: frozenset({_READ, _SAY, _FLASH, Scope.PROOFS}),
        Role.MONITOR: frozenset({_READ, Scope.PROOFS}),
        Role.HUMANITARIAN_NOTIFIER: frozenset({_READ, _FILE, _SAY, _FLASH}),
        Role.AFFILIATE: frozenset({_READ, _FILE, _FLASH}),
        Role.AUDITOR: frozenset({_READ, Scope.AUDIT, Scope.PROOFS}),
        Role.KEY_CUSTODIAN: frozenset({_READ, Scope.KEYS, Scope.PROOFS}),
    }
)
"""What each role may do."""

TRUSTED_SCOPES = frozenset({Scope.SIGN, Scope.USERS, Scope.KEYS})
"""Who holds one of these can change what the party is: such persons are made, and mended, by two."""


def scopes_of(roles: Iterable[Role]) -> frozenset[Scope]:
    """What a person with these roles may do."""
    return frozenset().union(*(SCOPES_OF[role] for role in roles))


def roles_of_texts(texts: Iterable[str], *, field: str = "roles") -> tuple[Role, ...]:
    """The roles that are called so.

    Raises
    ------
    InputError
        With all that are none.
    """
    return _of_texts(Role, texts, field)


def scopes_of_texts(texts: Iterable[str], *, field: str = "scopes") -> tuple[Scope, ...]:
    """The scopes that are called so.

    Raises
    ------
    InputError
        With all that are none.
    """
    return _of_texts(Scope, texts, field)


def _of_texts(kind: type[_NameT], texts: Iterable[str], field: str) -> tuple[_NameT, ...]:
    right = "one of " + ", ".join(kind)
    given = list(texts)
    known = {member.value for member in kind}
    faults = [
        Fault("there is none of that name", right, field=field, value=text) for text in given if text not in known
    ]
    if faults:
        raise InputError(faults)
    return tuple(kind(text) for text in given)
