"""A proof in one plain paragraph, and the same for programs.

What is not proved is not hinted at. A clock is its owner's word: the author's says when something was said, a
cosigner's by when it was held. A receipt that is missing proves nothing, since a proof can be made before the receipt
came.
"""

from __future__ import annotations

from typing import Any

from keepclear.errors import InputError
from keepclear.record.forks import Fork
from keepclear.record.leaves import Leaf
from keepclear.record.verifying import Body, Proved, Receipt, party_and_line_of
from keepclear.times import to_text

__all__ = ["fork_document", "fork_paragraph", "proved_document", "proved_paragraph", "second_text"]


def proved_paragraph(proved: Proved) -> str:
    """One plain paragraph: what is proved, and nothing that is not."""
    return " ".join(_sentences(proved))


def _sentences(proved: Proved) -> list[str]:
    head, leaf = proved.checkpoint, proved.leaf
    place = f"entry {proved.index + 1:,} of {head.size:,}"
    if leaf is None:
        first = (
            f"Proved: the log {head.origin} holds these {proved.entry_bytes:,} bytes as its {place} (index "
            f"{proved.index}), and signed that it does. They are no entry that keepclear can read: what they mean, "
            "and who says it, is not said here."
        )
    else:
        first = (
            f"Proved: {leaf.party} said this on the line {leaf.line}. It is of type {leaf.type} (version "
            f"{leaf.version}) and {place} (index {proved.index}) in their log {head.origin}, which they signed. The "
            f"author's clock says it was said at {to_text(leaf.time_s)}; nothing here proves that clock right."
        )
    told = [first, *_words_of_receipts(proved)]
    if leaf is not None:
        told += _words_of_body(proved, leaf)
        if proved.opened is not None:
            type_, version = proved.opened
            told.append(f"It is a commitment, and what it held is opened here: of type {type_} (version {version}).")
        if leaf.exercise:
            told.append("It is marked as an EXERCISE: said for practice, and not so.")
    told.append("This proves that it was said, not that it is true; and it is not a permission.")
    return told


def _words_of_receipts(proved: Proved) -> list[str]:
    told = [_words_of_receipt(one, proved) for one in proved.held]
    told += [
        f"A cosignature of {one.name} is dated {second_text(one.time_s)}, later than this machine's clock: not counted."
        for one in proved.from_the_future
    ]
    if not proved.held:
        told.append("No receipt that counts is in this proof, and that proves nothing either way.")
    return told


def _words_of_receipt(one: Receipt, proved: Proved) -> str:
    when = f"by {second_text(one.time_s)} (on its own clock)"
    whose = party_and_line_of(proved.checkpoint.origin)
    if one.mirror is not None and whose is not None and one.mirror[1] == whose[1]:
        party = "The author's own node" if one.mirror[0] == whose[0] else f"{one.mirror[0]}'s node"
        return f"{party} had stored it {when}."
    size = proved.checkpoint.size
    return f"The cosigner {one.name} had seen the log with {size:,} entries, this one among them, {when}."


def _words_of_body(proved: Proved, leaf: Leaf) -> list[str]:
    if proved.body is Body.SHOWN:
        told = ["The body is shown here, and it is the one that was said."]
    else:
        told = ["The body is not shown here; the leaf alone holds a fingerprint of it."]
    if leaf.attachments:
        told.append(f"Of its {len(leaf.attachments)} attachments, {proved.attachments} are shown here and are those.")
    addressed = ", ".join(leaf.recipients)
    told.append(f"It was addressed to {addressed}." if addressed else "It was addressed to nobody.")
    return told


def fork_paragraph(fork: Fork) -> str:
    """One plain paragraph about a log that contradicted itself."""
    whose = party_and_line_of(fork.key.name)
    who = f"{whose[0]}'s log on the line {whose[1]} ({fork.key.name})" if whose else f"The log {fork.key.name}"
    small, large = fork.smaller.size, fork.larger.size
    if small == large:
        what = f"It signed two different histories of the same {small:,} entries."
    else:
        what = (
            f"It signed a history of {small:,} entries, and one of {large:,} entries that does not begin with those "
            f"{small:,}."
        )
    return (
        f"Proved: {who} contradicted itself. {what} Both were signed with the log's own key. Which of the two is what "
        "was said, and how this came about, is not proved here."
    )


def proved_document(proved: Proved) -> dict[str, Any]:
    """The same for programs: ``keepclear`` is ``"verify/1"``."""
    head, leaf = proved.checkpoint, proved.leaf
    document: dict[str, Any] = {
        "keepclear": "verify/1",
        "proved": True,
        "what": "entry",
        "log": head.origin,
        "index": proved.index,
        "size": head.size,
        "entry": None,
        "receipts": [
            {"name": one.name, "key": one.key.name, "time": second_text(one.time_s), "mirror": one.mirror is not None}
            for one in proved.held
        ],
        "sentence": proved_paragraph(proved),
    }
    if leaf is not None:
        document["entry"] = {
            "party": leaf.party,
            "line": leaf.line,
            "type": leaf.type,
            "v": leaf.version,
            "says_time": to_text(leaf.time_s),
            "recipients": list(leaf.recipients),
            "exercise": leaf.exercise,
            "body": proved.body.value,
            "opened": None if proved.opened is None else {"type": proved.opened[0], "v": proved.opened[1]},
            "attachments": {"named": len(leaf.attachments), "shown": proved.attachments},
        }
    return document


def fork_document(fork: Fork) -> dict[str, Any]:
    """The same for programs: ``keepclear`` is ``"verify/1"``."""
    return {
        "keepclear": "verify/1",
        "proved": True,
        "what": "fork",
        "log": fork.key.name,
        "sizes": [fork.smaller.size, fork.larger.size],
        "sentence": fork_paragraph(fork),
    }


def second_text(time_s: int) -> str:
    """A cosigner's time in words: any second up to 2^63 may be named, also of years that have no name."""
    try:
        return f"{to_text(float(time_s))[:19]}Z"
    except InputError:
        return f"second {time_s} since 1970"
