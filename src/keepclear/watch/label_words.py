"""Words for labels: entries, moments and shares as a person says them."""

from __future__ import annotations

import functools

from keepclear.record.entries import EntryRef
from keepclear.separation.sentences import time_of_day
from keepclear.watch.conformance import Share

__all__ = ["entry_text", "moment_text", "share_text"]


def entry_text(ref: EntryRef | None) -> str:
    """An entry: ``"entry 3 of north/border/log"``."""
    return "not said yet" if ref is None else f"entry {ref.index} of {ref.origin}"


@functools.lru_cache(maxsize=4096)  # the sentences of a label name the same few moments again and again
def moment_text(time_s: float) -> str:
    """Date and time to the second in UTC."""
    return time_of_day(time_s)


def share_text(share: Share) -> str:
    """A share, with what is uncertain of it: ``"62 %"``, ``"40 to 100 %"``."""
    least, greatest = (int(100.0 * value) for value in (share.least, share.greatest))
    return f"{least} %" if least == greatest else f"{least} to {greatest} %"
