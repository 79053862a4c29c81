"""Whole logs audited: every kind of damage found by its number, and forks told from damage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keepclear.errors import PeerError
from keepclear.record.auditing import Audited, audit, compared
from keepclear.record.forks import verify_fork
from keepclear.record.policies import Policy, WitnessTrust
from keepclear.record.walking import Findings, Walk
from tests.reference.made_logs import (
    FOREIGN_ENTRIES,
    HELD_S,
    NOW_S,
    ORIGIN,
    checkpoint,
    log_key,
    mirror_key,
    published,
    said,
)

Files = dict[str, bytes]
KEY = log_key().verifier
LOG = published(FOREIGN_ENTRIES)  # two full tiles of level 0, one partial, one of level 1
MIRROR = mirror_key("south/border/mirror")


def audited(files: Files, *, keys=(KEY,), policy=Policy(), **options) -> Audited:  # noqa: B008
    return audit(files.get, keys=keys, policy=policy, now_s=NOW_S, **options)


def told(place: Audited) -> str:
    return "\n".join(finding.sentence for finding in place.findings.listed)


def changed(path: str, change: Callable[[bytes], bytes] | None, files: Files = LOG) -> Files:
    copy = dict(files)
    if change is None:
        del copy[path]
    else:
        copy[path] = change(copy[path])
        assert copy[path] != files[path]
    return copy


def flip(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# --- nothing wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 513, 700])
def test_a_sound_log_is_proved_whatever_its_size(size):
    shares: list[float] = []
    place = audited(published(FOREIGN_ENTRIES[:size]), progress=shares.append)
    assert told(place) == ""
    assert place.proved
    assert (place.hashed, place.unread, place.key) == (size, 0, KEY)
    assert shares == sorted(shares)
    assert not shares or shares[-1] == 1.0


def test_a_log_with_three_levels_of_tiles_is_proved():
    entries = tuple(b"%d" % number for number in range(66_000))
    files = published(entries, b"-")
    found, read = Findings(), []
    from keepclear.record.merkle import leaf_hash, root_of

    walk = Walk(files.get, len(entries), found, lambda number, entry: read.append((number, entry)))
    assert walk.leads_to(root_of(map(leaf_hash, entries)))
    assert "tile/2/000.p/1" in files
    assert not found.listed
    assert read == list(enumerate(entries))
    # Damage of each level, at once: each is found, and the rest is still proved.
    files["tile/0/007"] = flip(33)(files["tile/0/007"])
    files["tile/1/000"] = flip(64)(files["tile/1/000"])
    files["tile/entries/200"] = flip(2)(files["tile/entries/200"])
    del files["tile/entries/100"]
    again = Walk(files.get, len(entries), found)
    assert again.leads_to(root_of(map(leaf_hash, entries)))
    assert {(one.kind, one.level, one.first) for one in found.listed} == {
        ("tile", 0, 7), ("tile", 1, 0), ("entry", None, 51_200), ("bundle", None, 100),
    }  # fmt: skip


def test_full_tiles_stand_for_partial_ones_that_are_gone():
    longer = published(FOREIGN_ENTRIES)
    signed = checkpoint(FOREIGN_ENTRIES[:300])
    files = {path: data for path, data in longer.items() if ".p/" not in path}
    files |= published(FOREIGN_ENTRIES[:300], signed)
    del files["tile/entries/001.p/44"], files["tile/0/001.p/44"]
    place = audited(files)
    assert (told(place), place.proved, place.hashed) == ("", True, 300)


def test_entries_are_counted_by_type_if_asked():
    entries = [said(number).leaf.to_bytes() for number in range(5)]
    place = audited(published(entries), read_entries=True)
    assert told(place) == ""
    assert place.types == {("message", 1): 5}
    assert audited(published(entries)).types is None


# --- damage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "change", "kind", "first", "damaged"),
    [
        ("tile/entries/000", flip(2), "entry", 0, [(0, 0)]),
        ("tile/entries/001", flip(20), "entry", 257, [(257, 257)]),
        ("tile/entries/002.p/188", flip(3), "entry", 512, [(512, 512)]),
        ("tile/entries/000", None, "bundle", 0, [(0, 255)]),
        ("tile/entries/002.p/188", None, "bundle", 2, [(512, 699)]),
        ("tile/entries/001", lambda data: data[:-1], "bundle", 1, [(256, 511)]),
        ("tile/entries/001", lambda data: data + b"\0\0", "bundle", 1, [(256, 511)]),
        ("tile/entries/001", lambda data: data[:0], "bundle", 1, [(256, 511)]),
        ("tile/0/000", flip(40), "tile", 0, []),
        ("tile/0/002.p/188", flip(0), "tile", 2, []),
        ("tile/0/001", None, "tile", 1, []),
        ("tile/0/001", lambda data: data[:-1], "tile", 1, []),
        ("tile/1/000.p/2", flip(63), "tile", 0, []),
        ("tile/1/000.p/2", None, "tile", 0, []),
    ],
)
def test_what_is_damaged_is_found_by_its_number_and_the_rest_is_safe(path, change, kind, first, damaged):
    place = audited(changed(path, change))
    (finding,) = place.findings.listed
    assert (finding.kind, finding.first) == (kind, first)
    assert place.damaged == damaged
    assert place.proved, told(place)


@pytest.mark.parametrize("path", sorted(LOG))
@pytest.mark.parametrize("at", [0, 1, -1])
def test_no_changed_byte_goes_unnoticed(path, at):
    place = audited(changed(path, flip(at if at >= 0 else len(LOG[path]) - 1)))
    assert place.findings.listed


def test_everything_wrong_is_found_not_only_the_first():
    files = LOG
    for path, change in [
        ("tile/entries/000", flip(2)),
        ("tile/entries/001", flip(13)),
        ("tile/0/000", flip(320)),
        ("tile/0/002.p/188", flip(0)),
    ]:
        files = changed(path, change, files)
    place = audited(files)
    assert place.proved
    assert [(one.kind, one.first) for one in place.findings.listed] == [
        ("tile", 0), ("entry", 0), ("entry", 257), ("tile", 2),
    ]  # fmt: skip
    assert place.damaged == [(0, 0), (257, 257)]


def test_neighbours_are_one_finding():
    files = changed("tile/entries/000", flip(2))
    files = changed("tile/entries/000", flip(11), files)
    (finding,) = audited(files).findings.listed
    assert (finding.first, finding.last) == (0, 1)
    assert finding.sentence.startswith("entries 0–1: ")


def test_an_entry_replaced_with_its_hash_is_found_by_the_tile_above():
    other = published((b"entry X", *FOREIGN_ENTRIES[1:]))
    files = {**LOG, "tile/entries/000": other["tile/entries/000"], "tile/0/000": other["tile/0/000"]}
    place = audited(files)
    assert place.proved
    assert place.damaged == [(0, 255)]
    assert "below hash 0 of a tile of level 1" in told(place)


def test_a_log_replaced_altogether_is_not_proved_at_all():
    other = published((b"entry X", *FOREIGN_ENTRIES[1:]))
    place = audited({**other, "checkpoint": LOG["checkpoint"]})
    assert not place.proved
    assert "another root" in told(place)


def test_a_tile_and_its_entries_that_differ_beyond_telling_are_said_to():
    files = changed("tile/entries/002.p/188", flip(2))
    files = changed("checkpoint", lambda _: checkpoint((*FOREIGN_ENTRIES[1:], b"x")), files)
    place = audited(files)
    assert not place.proved
    assert "which of the two is damaged cannot be told" in told(place)


def test_a_log_that_names_a_size_it_has_not_is_given_up():
    asked: list[str] = []

    def fetch(path: str) -> bytes | None:
        asked.append(path)
        return LOG.get(path)

    from keepclear.record.checkpoints import Checkpoint, sign_checkpoint

    signed = sign_checkpoint(Checkpoint(ORIGIN, 2**63 - 1, bytes(32)), log_key())
    place = audit({"checkpoint": signed}.get, keys=[KEY], policy=Policy(), now_s=NOW_S)
    assert not place.proved
    assert "given up" in told(place)
    walk = Walk(fetch, 2**62, Findings())
    assert not walk.leads_to(bytes(32))
    assert len(asked) < 1000


def test_a_place_without_a_checkpoint_is_no_log():
    with pytest.raises(PeerError, match="no log here"):
        audited({})


def test_a_checkpoint_that_cannot_be_read_is_found():
    place = audited(changed("checkpoint", lambda data: data[:10]))
    assert place.head is None
    assert "cannot be read" in told(place)


def test_what_cannot_be_had_is_found_with_the_reason():
    def fetch(path: str) -> bytes | None:
        if path == "tile/entries/001":
            raise PeerError("the server answers 500")
        return LOG.get(path)

    place = audit(fetch, keys=[KEY], policy=Policy(), now_s=NOW_S)
    assert place.damaged == [(256, 511)]
    assert "the server answers 500" in told(place)


# --- signatures ----------------------------------------------------------------------------------------------------


def test_without_a_key_no_signature_is_said_to_hold():
    place = audited(LOG, keys=())
    assert place.key is None
    assert place.proved
    assert not place.findings.listed


@pytest.mark.parametrize(
    "key", [log_key("south/border/log").verifier, type(log_key()).of_seed(ORIGIN, 1, bytes(32)).verifier]
)
def test_a_checkpoint_by_another_key_is_found(key):
    place = audited(LOG, keys=[key])
    assert place.key is None
    assert place.findings.listed[0].kind == "checkpoint"


def policy_of(*names: str) -> Policy:
    witnesses = {name: WitnessTrust(mirror_key(name).verifier) for name in names}
    return Policy(witnesses=witnesses, quorum=names[0])


def test_cosignatures_are_checked_and_too_few_are_found():
    files = {**LOG, "checkpoint": checkpoint(FOREIGN_ENTRIES, held_by=[(MIRROR, HELD_S)])}
    place = audited(files, policy=policy_of("south/border/mirror"))
    assert told(place) == ""
    assert [(one.name, one.time_s) for one in place.held] == [("south/border/mirror", HELD_S)]
    assert "too few" in told(audited(LOG, policy=policy_of("south/border/mirror")))


def test_a_cosignature_that_does_not_hold_and_one_from_the_future_are_found():
    future = {**LOG, "checkpoint": checkpoint(FOREIGN_ENTRIES, held_by=[(MIRROR, int(NOW_S) + 3600)])}
    place = audited(future, policy=policy_of("south/border/mirror"))
    assert "in the future" in told(place)
    assert place.held == ()
    signed = checkpoint(FOREIGN_ENTRIES, held_by=[(MIRROR, HELD_S)])
    head, _, last = signed.rpartition(b" ")
    wrong = {**LOG, "checkpoint": head + b" " + last[:20] + (b"A" if last[20:21] != b"A" else b"B") + last[21:]}
    assert "does not hold" in told(audited(wrong, policy=policy_of("south/border/mirror")))


# --- entries -------------------------------------------------------------------------------------------------------


def test_what_is_no_leaf_or_is_another_partys_is_found():
    entries = [said(0).leaf.to_bytes(), b"no leaf", said(2, party="south").leaf.to_bytes(), b'{"a":1, "a":1}']
    place = audited(published(entries), read_entries=True)
    assert place.proved
    assert [(one.kind, one.first) for one in place.findings.listed] == [("leaf", 1), ("leaf", 2), ("leaf", 3)]
    assert "south" in told(place)
    assert place.damaged == []


# --- copies --------------------------------------------------------------------------------------------------------

FORKED = (*FOREIGN_ENTRIES[:300], b"another history", *FOREIGN_ENTRIES[301:])


@pytest.mark.parametrize("size", [0, 1, 256, 300, 512, 699, 700])
def test_copies_of_different_lengths_agree(size):
    places = [audited(published(FOREIGN_ENTRIES[:size])), audited(LOG)]
    assert list(compared(places)) == []
    assert list(compared(places[::-1])) == []


@pytest.mark.parametrize("size", [301, 512, 699, 700])
def test_a_fork_yields_evidence_that_the_key_alone_proves(size):
    places = [audited(LOG), audited(published(FORKED[:size]))]
    assert [told(place) for place in places] == ["", ""]
    (one,) = compared(places)
    assert one.problem.startswith("FORK")
    fork = verify_fork(one.evidence, [KEY])
    assert (fork.smaller.size, fork.larger.size) == (size, 700)


def test_every_two_copies_that_fork_are_told():
    places = [
        audited(LOG),
        audited(published(FORKED)),
        audited(published(FORKED[:400])),
        audited(published(FORKED[:300])),
    ]
    assert [(one.first, one.second) for one in compared(places)] == [(0, 1), (0, 2)]


def test_without_a_key_copies_that_differ_are_told_but_nobody_is_accused():
    places = [audited(LOG, keys=()), audited(published(FORKED[:400]), keys=())]
    (one,) = compared(places)
    assert one.evidence is None
    assert "not known" in one.problem
    assert list(compared([audited(LOG, keys=()), audited(published(FOREIGN_ENTRIES[:400]), keys=())])) == []


def test_where_tiles_are_damaged_it_is_said_that_it_cannot_be_told():
    damaged = audited(changed("tile/0/000", flip(40)))
    (one,) = compared([damaged, audited(published(FOREIGN_ENTRIES[:200]))])
    assert one.evidence is None
    assert "cannot be told" in one.problem
