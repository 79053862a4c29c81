"""Agreements: the same standing in whatever order logs arrive, and nothing binds that was not signed by all."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.agreements.documents import Document
from keepclear.agreements.heard import record_of
from keepclear.agreements.life import ENTRY_TYPES, standings_of
from keepclear.agreements.reading import read_agreement
from keepclear.agreements.states import BINDING, AgreementState, state_after
from keepclear.errors import InputError, PeerError
from keepclear.line.conversation import Conversation, Receipt
from keepclear.record.bodies.agreements import AgreementChangedBody, AgreementSignedBody
from keepclear.record.bodies.registry import read_body
from keepclear.record.bodies.talk import CancelBody
from keepclear.record.names import log_origin
from tests.reference.made_lines import MadeLine, ref
from tests.unit.agreements.made_agreements import MAIN, document, files, proposed

PARTIES = ("ru", "tr", "us")
T0 = 1_772_442_000.0
CHANGES = ["suspend", "resume", "terminate", "withdraw", "reject"]


@cache
def documents():
    return (document("1"), document("2"), document("3", parties="[ru, tr, us]"))


steps = st.lists(
    st.tuples(
        st.sampled_from(["sign"] * 6 + ["propose", "counter", "wrong text", "cancel", *CHANGES]),
        st.sampled_from(["ru", "tr", "ru", "tr", "us"]),
        st.sampled_from([0, 0, 0, 1, 2]),
        st.integers(0, 20),
        st.sampled_from([None, None, T0 + 5.0, T0 + 40.0]),
        st.booleans(),
    ),
    min_size=3,
    max_size=20,
)
receipts = st.lists(
    st.tuples(st.sampled_from(PARTIES), st.sampled_from([*PARTIES, "witness"]), st.integers(1, 10), st.integers(0, 60)),
    max_size=12,
)


def body_of_step(step, told):
    what, _, which, number, from_s, _ = step
    made = documents()[which]
    common = {"agreement": made.id, "document": made.hash, "persons": ["minister", "chief of staff"]}
    if what in CHANGES:
        return AgreementChangedBody(change=what, from_s=from_s, **common)
    target = told[number % len(told)] if told else None
    if target is None or what in {"propose", "counter"}:
        return proposed(made, counters=target.ref if target is not None and what == "counter" else None)
    if what == "cancel":
        return CancelBody(entry=ref(target))
    # Mostly the proposal of the very document; now and then of whatever else.
    own = [one for one in told if one.entry.leaf.type == "agreement-proposed" and made.hash.encode() in one.entry.body]
    proposal = ref(own[-1] if own and number % 5 else target)
    text = "0" * 64 if what == "wrong text" else made.text_hash
    return AgreementSignedBody(text=text, proposal=proposal, in_force_s=from_s, **common)


def made_line(script, given_receipts):
    line = MadeLine(*PARTIES)
    told = [line.say(party, proposed(one), T0) for party, one in zip(("ru", "tr"), documents(), strict=False)]
    if script[0][5]:  # half of them begin with an agreement in force
        told += [line.say(one, body_of_step(("sign", one, 0, 1, None, False), told), T0) for one in ("ru", "tr")]
    for number, step in enumerate(script):
        told.append(line.say(step[1], body_of_step(step, told), T0 + number, exercise=step[5] and number % 7 == 3))
    loose = [Receipt(log_origin(origin, "border"), size, by, T0 + at_s) for origin, by, size, at_s in given_receipts]
    return [line.logs[party] for party in PARTIES], loose


def interleaved(draw, queues):
    waiting, order = [list(queue) for queue in queues if queue], []
    while waiting:
        order.append(waiting[draw(st.integers(0, len(waiting) - 1))].pop(0))
        waiting = [one for one in waiting if one]
    return order


def told_of(events, at_s, us="us"):
    """The standings that a node comes to that has had these events in this order."""
    talk, bodies = Conversation(us), {}
    for event in events:
        talk.take(event)
        entry = getattr(event, "entry", None)
        if entry is not None:
            # Of the body alone: the leaves of this line have no attachments.
            bodies[event.ref] = read_body(entry.leaf.type, 1, entry.body)
    record = record_of(talk, bodies, at_s)
    return standings_of(record, {one.hash: one for one in documents()}, at_s), record


@settings(max_examples=80)
@given(steps, receipts, st.integers(0, 80), st.data())
def test_the_order_in_which_logs_come_does_not_matter(script, given_receipts, after_s, data):
    logs, loose = made_line(script, given_receipts)
    queues = [*logs, *([one] for one in loose)]
    plain, _ = told_of([one for queue in queues for one in queue], T0 + after_s)
    other, _ = told_of(interleaved(data.draw, queues), T0 + after_s)
    assert other == plain


@settings(max_examples=150)
@given(steps, receipts, st.integers(0, 80), st.sampled_from(PARTIES))
def test_nothing_binds_that_not_every_party_signed_in_so_many_words(script, given_receipts, after_s, us):
    logs, loose = made_line(script, given_receipts)
    at_s = T0 + after_s
    found, record = told_of([*(one for log in logs for one in log), *loose], at_s, us)
    said = [one for kind in ENTRY_TYPES for one in record.of(kind) if not one.exercise]
    for standing in found.values():
        assert (standing.in_force is not None) == (standing.state in BINDING)
        for period in standing.periods:
            signed: dict[str, float] = {}
            for one in said:
                words = (getattr(one.body, "document", ""), getattr(one.body, "text", ""))
                if words == (period.document.hash, period.document.text_hash) and one.counts_from_s is not None:
                    signed[one.party] = min(one.counts_from_s, signed.get(one.party, one.counts_from_s))
            assert signed.keys() >= set(period.document.parties)
            assert period.from_s >= max(signed[party] for party in period.document.parties)
            assert period.from_s <= at_s
            assert period.to_s is None or period.from_s <= period.to_s <= at_s


@settings(max_examples=80)
@given(steps, receipts)
def test_every_change_is_one_of_the_table_and_time_only_adds_to_them(script, given_receipts):
    logs, loose = made_line(script, given_receipts)
    events = [*(one for log in logs for one in log), *loose]
    before: dict[str, tuple[object, ...]] = {}
    for after_s in range(0, 81, 10):
        found, _ = told_of(events, T0 + after_s)
        for name, standing in found.items():
            assert standing.history[: len(before.get(name, ()))] == before.get(name, ())
            before[name] = standing.history
    for changes in before.values():
        states = dict.fromkeys((one.document for one in changes), AgreementState.DRAFT)
        for change in changes:
            reached = {state_after(states[change.document], event) for event in _events()}
            assert change.state in reached
            states[change.document] = change.state


def _events():
    from keepclear.agreements.states import AgreementEvent

    return AgreementEvent


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 6), st.binary(max_size=6)), max_size=4))
def test_whatever_stands_in_the_files_is_read_or_refused_with_all_its_faults(changes):
    data = bytearray(MAIN.encode())
    for at, gone, put in changes:
        data[at : at + gone] = put
    made, refused = None, None
    try:
        made = read_agreement(files(agreement_yaml=bytes(data)))
    except InputError as error:
        refused = error
    if refused is None:
        assert Document.of_bytes(made.canonical()).hash == made.hash
    else:
        assert refused.faults
        assert all(one.file for one in refused.faults)
        assert len(str(refused).splitlines()) == len(refused.faults)


@settings(max_examples=100)
@given(st.binary(max_size=200), st.integers(0, 900), st.integers(0, 20))
def test_whatever_bytes_come_as_a_document_are_one_or_are_refused(put, at, gone):
    data = bytearray(documents()[0].canonical())
    data[at : at + gone] = put
    made, refused = None, None
    try:
        made = Document.of_bytes(bytes(data))
    except PeerError as error:
        refused = error
    if refused is None:
        assert made.canonical() == bytes(data)
    else:
        assert len(str(refused).splitlines()) == 1
