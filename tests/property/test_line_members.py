"""Membership: whatever is said in whatever order, all who hold the same logs agree, and it is as it would be told.

The oracle is a line on which everything is said in one room: one after another, everybody hearing it at once. There the
rules are a set of names and three sentences. What nodes work out from the logs alone must be the same.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import KeepclearError
from keepclear.line.heartbeats import Heartbeat, read_heartbeat, sign_heartbeat
from keepclear.line.invitations import Invitation, read_invitation, sign_invitation
from keepclear.line.membership import Membership, membership
from keepclear.line.party_words import LineLog
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from tests.unit.line.parties_made import MadeParty

NAMES = "abcdef"
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["bring in", "bring in", "bring in", "leave", "remove", "removal by one", "new card", "false"]),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=14,
)


class Room:
    """A line on which everything is said in one room."""

    def __init__(self):
        self.parties = {name: MadeParty(name) for name in NAMES}
        self.root = self.parties["a"].found()
        self.members = {"a"}
        self.others = []  # logs of those who only pretend

    def act(self, what, by, whom):
        one, other = self.parties[NAMES[by]], self.parties[NAMES[whom]]
        if one is other:
            return
        if what == "bring in":
            # By a stranger it is without effect; of a member it changes nothing.
            one.bring_in(other, self.root)
            if one.name in self.members:
                self.members.add(other.name)
        elif what == "leave":
            one.leave(self.root)
            self.members.discard(one.name)
        elif what == "new card":
            one.join(self.root, None)
        elif what == "removal by one" and one.name in self.members and len(self.members) > 2:
            one.remove(other, self.root, until=len(other.entries) + 100)  # of a place that nobody else will name
        elif what == "remove" and other.name in self.members and len(self.members) > 1:
            until = len(other.entries)
            for name in sorted(self.members - {other.name}):
                self.parties[name].remove(other, self.root, until=until)
            self.members.discard(other.name)
        elif what == "false":
            self.pretend(one, other)

    def pretend(self, one, other):
        """Somebody with keys of its own says what `one` said, and more; it changes nothing."""
        false = MadeParty(one.name, seed=2 + len(self.others))
        false.entries = list(one.entries)
        false.bring_in(other, self.root)  # which `other` says too, naming an identity that is on no line
        false.leave(self.root)
        self.others.append(false)

    def logs(self):
        return [party.log() for party in (*self.parties.values(), *self.others) if party.entries]


def played(acts) -> Room:
    room = Room()
    for act in acts:
        room.act(*act)
    return room


@settings(max_examples=40, deadline=None)
@given(acts=ACTS, data=st.data())
def test_the_logs_alone_say_what_was_said_in_the_room(acts, data):
    room = played(acts)
    logs = room.logs()
    found = membership(room.root, logs)
    assert set(found.members) == room.members
    shuffled = data.draw(st.permutations(logs))
    # Neither the order of logs nor that of the entries inside the mapping is anything.
    assert membership(room.root, [_turned(log) for log in shuffled]) == found


def _turned(log: LineLog) -> LineLog:
    return replace(log, entries=dict(reversed(log.entries.items())))


@settings(max_examples=15, deadline=None)
@given(acts=ACTS, data=st.data())
def test_nodes_that_fetch_in_any_order_agree_in_the_end(acts, data):
    """Two nodes take the same logs bit by bit, each in its own order; what they believe meanwhile may differ."""
    room = played(acts)
    logs = room.logs()
    ends: list[Membership] = []
    for _ in range(2):
        held = dict.fromkeys(range(len(logs)), 0)
        for number in data.draw(st.permutations(range(len(logs)))):
            held[number] = data.draw(st.integers(0, logs[number].size))
            membership(room.root, _up_to(logs, held))
        ends.append(membership(room.root, _up_to(logs, {n: log.size for n, log in enumerate(logs)})))
    assert ends[0] == ends[1] == membership(room.root, logs)


def _up_to(logs, held):
    for number, log in enumerate(logs):
        size = held[number]
        yield LineLog(log.key, size, {index: one for index, one in log.entries.items() if index < size})


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_nobody_is_removed_without_the_word_of_every_other(data):
    """Of a line of four, one says nothing against d, whatever else is said: d stays."""
    room = Room()
    for name in "bcd":
        room.parties["a"].bring_in(room.parties[name], room.root)
    until = len(room.parties["d"].entries)
    silent = data.draw(st.sampled_from("abc"))
    for name in data.draw(st.permutations([one for one in "abc" if one != silent])):
        room.parties[name].remove(room.parties["d"], room.root, until=until)
    room.parties["d"].remove(room.parties["d"], room.root, until=until)
    strangers = [one for one in "ef" if data.draw(st.booleans(), one)]
    for name in strangers:  # not on the line, or brought in after: their words replace nobody's
        room.parties[name].join(room.root, room.parties["a"])
        room.parties[name].remove(room.parties["d"], room.root, until=until)
    found = membership(room.root, room.logs())
    assert "d" in found.members
    assert all(not one.complete and silent in one.missing for one in found.removals)


@settings(max_examples=40, deadline=None)
@given(acts=ACTS)
def test_who_was_removed_by_all_stays_removed_whatever_it_says(acts):
    """After a removal the removed party and those it brings in talk as they like: the others are who is there."""
    room = Room()
    for name in "bc":
        room.parties["a"].bring_in(room.parties[name], room.root)
    until = len(room.parties["c"].entries)
    for name in "ab":
        room.parties[name].remove(room.parties["c"], room.root, until=until)
    outside = {2, 3, 4, 5}  # c to f
    for what, by, whom in acts:
        if by in outside and (whom in outside or what in {"removal by one", "new card", "leave"}):
            room.act(what if what != "remove" else "bring in", by, whom)
    assert set(membership(room.root, room.logs()).members) == {"a", "b"}


@settings(max_examples=25, deadline=None)
@given(acts=ACTS.filter(lambda acts: len(acts) > 3))
def test_what_all_others_have_said_is_not_undone_by_what_comes_later(acts):
    """Here each says for itself, in between all else, that somebody is to be removed: once complete, always so."""
    room, agreed, complete = Room(), {}, set()
    for name in "bcd":
        room.parties["a"].bring_in(room.parties[name], room.root)
    for what, by, whom in acts:
        one, other = room.parties[NAMES[by]], room.parties[NAMES[whom]]
        if what in {"remove", "removal by one"} and other.entries and one is not other:
            one.remove(other, room.root, until=agreed.setdefault(other.name, len(other.entries)))
        elif what != "false":
            room.act(what, by, whom)
        found = membership(room.root, room.logs())
        now = {(one.party, one.log, one.until) for one in found.removals if one.complete}
        assert complete <= now
        complete = now


# --- bytes of others -------------------------------------------------------------------------------------------------

A = MadeParty("a")
INVITATION = sign_invitation(Invitation(A.found(), "border", "north", A.card(), 2000.0, bytes(range(32))), A.transport)
HEARTBEAT = sign_heartbeat(
    Heartbeat(
        "a", "border", "b", 1.5, 7, (sign_checkpoint(Checkpoint(A.log_key.verifier.name, 3, bytes(32)), A.log_key),)
    ),
    A.transport,
)  # fmt: skip
READERS = {
    "invitation": (read_invitation, INVITATION),
    "heartbeat": (lambda data: read_heartbeat(data, keys=[A.transport.verifier], line="border", to="b"), HEARTBEAT),
}


@given(name=st.sampled_from(sorted(READERS)), data=st.data())
def test_no_damaged_bytes_are_taken_and_none_end_in_anything_but_our_errors(name, data):
    read, good = READERS[name]
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 9)))
    put = data.draw(st.binary(max_size=9) | st.sampled_from([b'"x":1,', b"[" * 70, b"\xed\xa0\x80", b"null", b"-1"]))
    damaged = good[:start] + put + good[end:]
    try:
        found = read(damaged)
    except KeepclearError:
        return
    assert found == read(good)  # what stands after the signature that counts, such as another's, says nothing


@given(name=st.sampled_from(sorted(READERS)), data=st.binary(max_size=400))
def test_random_bytes_are_refused(name, data):
    try:
        READERS[name][0](data)
    except KeepclearError:
        return
    raise AssertionError
