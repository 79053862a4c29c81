"""Keys of a line made and changed; `tests/crash/test_keys_cut_off` stops each of these at every write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keepclear.errors import InputError
from keepclear.record.bodies.talk import MessageBody
from keepclear.record.certificates import Reason, Revocation, Vouch, sign_statement
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.names import KeyName, Purpose
from keepclear.store.key_changes import begin_log, change_log_key, change_mirror_key
from keepclear.store.key_statements import body_of_statement, check_own, identity_of, ring_of, statements, trust
from keepclear.store.mirror import Mirror
from keepclear.store.party_folder import PartyFolder
from keepclear.store.saying import entry_said
from keepclear.store.sqlite import SqliteStore

NOW_S = 1e9
IDENTITY = KeyName("north", Purpose.IDENTITY)
LOG = KeyName("north", Purpose.LOG, "border")
MIRROR = KeyName("north", Purpose.MIRROR, "border")


def made(path: Path, party: str = "north") -> PartyFolder:
    return PartyFolder.create(path, party, sealed_with=None)


@pytest.fixture
def folder(tmp_path: Path) -> PartyFolder:
    return made(tmp_path / "north")


@pytest.fixture
def store(folder: PartyFolder) -> Iterator[SqliteStore]:
    with folder.store() as opened:
        begin_log(folder, opened, "border", time_s=NOW_S, recipients=["south"], sealed_with=None)
        yield opened


def test_a_log_begins_with_the_certificates_of_its_keys(folder: PartyFolder, store: SqliteStore) -> None:
    log = folder.own_log(store, "border")
    assert [log.entry(n).leaf.recipients for n in range(log.size)] == [("south",), ("south",)]
    ring = ring_of(store, folder)
    assert ring.key_for("north", Purpose.LOG, "border", NOW_S) == folder.public_key(LOG)
    assert ring.key_for("north", Purpose.MIRROR, "border", NOW_S) == folder.public_key(MIRROR)
    assert not ring.refused
    for line in ("border", "Border"):
        with pytest.raises(InputError, match=r"already|capitals"):
            begin_log(folder, store, line, time_s=NOW_S, sealed_with=None)


def test_a_new_log_key_begins_a_new_log(folder: PartyFolder, store: SqliteStore) -> None:
    old = folder.own_log(store, "border")
    key = change_log_key(folder, store, "border", time_s=NOW_S + 1, sealed_with=None)
    new = folder.own_log(store, "border")
    assert (new.origin, new.size, new.key) == ("north/border/log/2", 1, key)
    old.refresh()
    assert old.entry(2) == new.entry(0)
    new.append([entry_said(MessageBody(text="x"), line="border", party="north", time_s=NOW_S)])
    (first, second) = ring_of(store, folder).periods("north", Purpose.LOG, "border")
    assert (first.ended, first.until_s, second.key) == ("superseded", NOW_S + 1, key)


def test_a_log_key_that_is_lost_is_superseded_by_the_new_log_alone(folder: PartyFolder, store: SqliteStore) -> None:
    folder.key_path(LOG).unlink()
    with pytest.raises(InputError, match="cannot be read"):
        change_log_key(folder, store, "border", time_s=NOW_S + 1, sealed_with=None)
    assert not folder.key_path(KeyName("north", Purpose.LOG, "border", 2)).exists()
    change_log_key(folder, store, "border", time_s=NOW_S + 1, sealed_with=None, old_is_lost=True)
    assert [store.end(log.origin) for log in store.logs()] == [2, 1]
    assert len(ring_of(store, folder).periods("north", Purpose.LOG, "border")) == 2


def test_a_mirror_key_gives_way_and_is_kept(folder: PartyFolder, store: SqliteStore) -> None:
    old = folder.public_key(MIRROR)
    new = change_mirror_key(folder, store, "border", time_s=NOW_S + 1, sealed_with=None)
    assert folder.public_key(MIRROR) == new != old
    kept = folder.key_path(MIRROR).with_name(f"border.mirror.key.{old.key_id.hex()}")
    assert old.text in kept.read_text()
    assert folder.lines == ("border",)
    assert [one.key for one in ring_of(store, folder).periods("north", Purpose.MIRROR, "border")] == [old, new]


def test_a_key_that_went_astray_is_not_made_anew(tmp_path: Path) -> None:
    folder = made(tmp_path)
    with folder.store() as store:
        folder.make_key(folder.key_path(LOG), LOG, sealed_with=None)
        from keepclear.store.log import Log

        Log.create(store, folder.signing_key(LOG))  # and then it was cut off
        data = folder.key_path(LOG).read_bytes()
        folder.key_path(LOG).unlink()
        with pytest.raises(InputError, match="the log north/border/log is there, and its key is not"):
            begin_log(folder, store, "border", time_s=NOW_S, sealed_with=None)
        folder.key_path(LOG).write_bytes(data)
        folder.key_path(LOG).chmod(0o600)
        log, refs = begin_log(folder, store, "border", time_s=NOW_S, sealed_with=None)
        assert (log.size, [ref.index for ref in refs]) == (2, [0, 1])


# --- what the statements in the logs come to -----------------------------------------------------------------------


def test_nobody_is_believed_before_their_words_were_compared(tmp_path: Path, folder: PartyFolder) -> None:
    south, log_key = _south(tmp_path)
    with folder.store() as store:
        begin_log(folder, store, "border", time_s=NOW_S, sealed_with=None)
        mirror = _taken_in(store, south)
        assert mirror.key == log_key
        assert "south" not in ring_of(store, folder).parties
        assert len(ring_of(store, folder).refused) == 2
        trust(store, south.identity)
        assert identity_of(store, "south") == south.identity
        ring = ring_of(store, folder)
        assert ring.key_for("south", Purpose.LOG, "border", NOW_S) == log_key
        other = SigningKey.of_seed("south/identity", SignatureKind.ED25519, bytes(32)).verifier
        trust(store, other)
        assert identity_of(store, "south") == south.identity
        assert ring_of(store, folder, compared=other).identity_of("south") == south.identity
        with pytest.raises(InputError, match="not an identity"):
            trust(store, log_key)


def test_a_vouch_in_one_log_makes_statements_in_another_good(tmp_path: Path, folder: PartyFolder) -> None:
    south, _ = _south(tmp_path)
    new = SigningKey.of_seed("south/identity", SignatureKind.ED25519, bytes(range(32)))
    later = Revocation("south", south.public_keys()[1], int(NOW_S) + 20, Reason.LOST)
    with folder.store() as store:
        log, _ = begin_log(folder, store, "border", time_s=NOW_S, sealed_with=None)
        _taken_in(store, south)
        trust(store, south.identity)
        ring = ring_of(store, folder, more=[sign_statement(later, new)])
        assert len(ring.refused) == 1
        vouch = Vouch("south", new.verifier, south.identity, "north", int(NOW_S) + 10)
        note = sign_statement(vouch, folder.signing_key(IDENTITY))
        log.append([entry_said(body_of_statement(note), line="border", party="north", time_s=NOW_S)])
        assert list(statements(log))[-1] == note
        ring = ring_of(store, folder, more=[sign_statement(later, new)])
        assert ring.identity_of("south") == new.verifier
        assert ring.periods("south", Purpose.LOG, "border")[0].ended == "lost"
        assert not ring.refused


def test_what_nobody_would_believe_is_not_said(folder: PartyFolder, store: SqliteStore) -> None:
    ring, identity = ring_of(store, folder), folder.signing_key(IDENTITY)
    fine = Revocation("north", folder.public_key(LOG), int(NOW_S), Reason.LOST)
    check_own(ring, folder, sign_statement(fine, identity))
    stranger = SigningKey.of_seed("north/border/log", SignatureKind.ED25519, bytes(32)).verifier
    wrong = Revocation("north", stranger, int(NOW_S), Reason.LOST)
    with pytest.raises(InputError, match="nobody who compared the identity of north would believe it"):
        check_own(ring, folder, sign_statement(wrong, identity))


def _south(tmp_path: Path) -> tuple[PartyFolder, object]:
    south = made(tmp_path / "south", "south")
    with south.store() as store:
        log, _ = begin_log(south, store, "border", time_s=NOW_S, recipients=["north"], sealed_with=None)
    return south, log.key


def _taken_in(store: SqliteStore, south: PartyFolder) -> Mirror:
    """South's log as north holds it, with the bodies."""
    with south.store(readonly=True) as theirs:
        log = south.own_log(theirs, "border", signing=False)
        mirror = Mirror.create(store, log.key, party="north")
        mirror.extend(log.checkpoint(), list(log.leaves()))
        for index in range(log.size):
            mirror.put_body(index, log.entry(index))
    return mirror
