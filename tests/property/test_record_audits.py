"""Whatever is damaged in a published log: what the audit calls safe was logged, and no damage is passed over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import PeerError
from keepclear.record.auditing import audit, compared
from keepclear.record.forks import verify_fork
from keepclear.record.policies import Policy
from keepclear.record.tiles import Bundle, decode_bundle
from tests.reference.made_logs import FOREIGN_ENTRIES, NOW_S, log_key, published

KEY = log_key().verifier
SIZES = (1, 3, 255, 256, 257, 513, 700)
LOGS = {size: published(FOREIGN_ENTRIES[:size]) for size in SIZES}


@st.composite
def damaged_logs(draw: st.DrawFn) -> tuple[int, dict[str, bytes]]:
    """A log of which some files are gone, cut, exchanged, or have other bytes in them."""
    size = draw(st.sampled_from(SIZES))
    files = dict(LOGS[size])
    for _ in range(draw(st.integers(1, 5))):
        path = draw(st.sampled_from(sorted(LOGS[size])))
        data = files.get(path, b"")
        match draw(st.sampled_from(["gone", "cut", "other", "byte", "byte", "byte", "log"])):
            case "gone":
                files.pop(path, None)
            case "cut":
                files[path] = data[: draw(st.integers(0, len(data)))]
            case "other":
                files[path] = files.get(draw(st.sampled_from(sorted(LOGS[size]))), b"")
            case "log":
                files[path] = LOGS[draw(st.sampled_from(SIZES))].get(path, data)
            case _ if data:
                at = draw(st.integers(0, len(data) - 1))
                files[path] = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
    return size, files


@given(damaged_logs())
def test_what_is_called_safe_is_what_was_logged(made):
    size, files = made
    try:
        place = audit(files.get, keys=[KEY], policy=Policy(), now_s=NOW_S)
    except PeerError:
        assert "checkpoint" not in files
        return
    if files != LOGS[size] and place.head is not None and place.head.size == size:
        assert place.findings.listed
    if not place.proved or place.key is None:
        assert place.findings.listed
        return
    assert place.head is not None
    for number in range(place.head.size):
        if not any(first <= number <= last for first, last in place.damaged):
            width = min(256, place.head.size - number // 256 * 256)
            bundle = Bundle(number // 256, width)
            data = files.get(bundle.path)
            if data is None:  # then the full one stood for it
                data, width = files[Bundle(bundle.number).path], 256
            assert decode_bundle(data, width=width)[number % 256] == FOREIGN_ENTRIES[number]


@given(damaged_logs(), damaged_logs())
def test_damage_is_never_taken_for_a_fork(one, other):
    places = []
    for _, files in (one, other):
        try:
            places.append(audit(files.get, keys=[KEY], policy=Policy(), now_s=NOW_S))
        except PeerError:
            return
    assert not any(found.evidence for found in compared(places))


@given(st.data())
def test_every_fork_is_found_and_proved(data):
    """Two histories that part at some entry, at any two sizes: a fork just where the smaller holds what differs."""
    at = data.draw(st.integers(0, 99))
    forked = (*FOREIGN_ENTRIES[:at], b"otherwise", *FOREIGN_ENTRIES[at + 1 : 100])
    sizes = [data.draw(st.integers(0, 100)) for _ in range(2)]
    logs = [published(FOREIGN_ENTRIES[: sizes[0]]), published(forked[: sizes[1]])]
    places = [audit(files.get, keys=[KEY], policy=Policy(), now_s=NOW_S) for files in logs]
    found = list(compared(places))
    assert bool(found) == (min(sizes) > at)
    for one in found:
        assert one.evidence is not None
        fork = verify_fork(one.evidence, [KEY])
        assert [fork.smaller.size, fork.larger.size] == sorted(sizes)
