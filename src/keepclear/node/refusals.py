"""Why a use case did not do what it was asked, beyond input that is wrong in itself.

All are `InputError`: the caller can mend them, and the sentence says how. What tells them apart is what HTTP has
numbers for, and what a person does next: sign in, ask someone else, look again, wait.
"""

from __future__ import annotations

from keepclear.errors import Fault, InputError

__all__ = [
    "ClashError",
    "GoneError",
    "NotAllowedError",
    "NotFoundError",
    "NotSignedInError",
    "StaleError",
    "TooManyTriesError",
    "UnconditionalError",
]


class NotSignedInError(InputError):
    """Nobody knows who is asking: no credentials, wrong ones, or ones that ended. Never says which."""

    def __init__(self, problem: str = "sign in first", right: str = "a session or a token that is in force") -> None:
        super().__init__(Fault(problem, right, field="authorization"))


class NotAllowedError(InputError):
    """The one who asks is known, and has no role for this."""

    def __init__(self, what: str, *, user: str = "", right: str = "") -> None:
        who = f"{user} may not do this" if user else "this may not be done"
        super().__init__(Fault(f"{who}: it takes the scope {what}" if not right else what, right))


class NotFoundError(InputError):
    """What was named is not there, or not for the one who asks: the two read alike."""

    def __init__(self, what: str, *, field: str = "", value: str = "", right: str = "") -> None:
        super().__init__(Fault(f"no such {what}", right, field=field, value=value))


class GoneError(NotFoundError):
    """It was there, and is no more: erased, expired or ended."""


class ClashError(InputError):
    """What is there already does not allow it: look again, then decide."""


class StaleError(InputError):
    """It was changed since the caller last read it (If-Match did not match)."""

    def __init__(self, problem: str = "it was changed since you read it") -> None:
        super().__init__(Fault(problem, "read it again, and send its new ETag as If-Match", field="If-Match"))


class UnconditionalError(InputError):
    """What others may change too is changed only by who says which version they have read."""

    def __init__(self) -> None:
        super().__init__(
            Fault("which version is meant is not said", "the ETag you read, as If-Match", field="If-Match")
        )


class TooManyTriesError(InputError):
    """Tried too often; the sentence says when to try again.

    Attributes
    ----------
    retry_after_s
        In how many seconds.
    """

    def __init__(self, problem: str, *, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(Fault(problem, f"wait {retry_after_s} s"))
