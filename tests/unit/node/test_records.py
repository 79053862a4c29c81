from __future__ import annotations

import json
import threading

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError, StoreError
from keepclear.node import mirror_log
from keepclear.node.bell import Bell
from keepclear.node.folder import NodeFolder
from keepclear.node.kept_log import SELDOM
from keepclear.node.mirror_log import Pace
from keepclear.node.own_log import Outgoing
from keepclear.record.bodies.line_talk import LineTestBody
from keepclear.record.bodies.talk import MessageBody, Priority
from keepclear.record.entry_types import EntryType
from keepclear.record.merkle import leaf_hash
from keepclear.record.merkle_proofs import verify_inclusion
from keepclear.record.notes import Note
from keepclear.store.key_statements import statements
from keepclear.store.log_store import BodyState, DamagedError
from keepclear.store.postgres import PostgresStore
from tests.unit.node.records_made import LINE, folder_of, opened, said


def text_of(entry):
    return json.loads(entry.body)["text"]


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path, "RU")


@pytest.fixture
def records(folder, bell):
    with opened(folder, bell=bell) as records:
        yield records


@pytest.fixture
def theirs(tmp_path):
    with opened(folder_of(tmp_path, "TR")) as records:
        yield records


def uploaded(source, target, *, bodies=True):
    """Everything that `source` has said, sent to `target` request by request, as the wire would."""
    origin = source.own_origin(LINE)
    with source.reading(origin) as log:
        target.add_mirror(log.key)
    key = target.mirror_key(LINE).verifier
    with source.sender(origin, [key], target.party) as sender:
        sender.retried()
    for _ in range(100):
        with source.sender(origin, [key], target.party) as sender:
            due = sender.due()
            if due is None:
                return
            due, request = due
            data = b"".join(request.body)
        if request.endpoint == "add-bodies" and not bodies:
            return
        with target.receiver(origin) as (receiver, desk):
            if request.endpoint == "add-checkpoint":
                answer = receiver.add_checkpoint(data)
            else:
                take = receiver.upload() if request.endpoint == "add-entries" else desk.request()
                answer = take.receive(data) or take.end(time_s=1_800_000_000)
        with source.sender(origin, [key], target.party) as sender:
            sender.answered(due, answer)
    raise AssertionError("it never ends")


# --- saying and reading -----------------------------------------------------------------------------------------------


def test_what_was_said_is_there_with_body_place_time_and_proof(records, bell):
    rung = bell.waiter("said")
    refs = records.say(LINE, [said("one", "TR"), said("two", "TR", "US")])
    assert rung.wait(0)
    assert [ref.origin for ref in refs] == [f"RU/{LINE}/log"] * 2
    assert [text_of(records.entry(ref)) for ref in refs] == ["one", "two"]
    assert records.leaf(refs[1].origin, refs[1].index).recipients == ("TR", "US")
    assert records.ref(refs[0].origin, refs[0].index) == refs[0]
    proof = records.proof(refs[0])
    leaf = records.entry(refs[0]).leaf.to_bytes()
    verify_inclusion(
        proof.hashes, index=refs[0].index, size=proof.head.size, leaf=leaf_hash(leaf), root=proof.head.root
    )


def test_a_line_begins_with_certified_keys_and_is_there_when_it_is_opened_again(records, folder):
    assert records.lines() == (LINE,)
    assert [leaf.type for leaf in records.leaves(records.own_origin(LINE), 0, 2)] == [EntryType.KEY_CERTIFICATE] * 2
    ref = records.say(LINE, [said("one")])[0]
    records.store.close()
    with opened(NodeFolder(folder.path)) as again:
        assert text_of(again.entry(ref)) == "one"
        assert again.silence(LINE) == ""
        again.say(LINE, [said("two")])


def test_what_is_not_there_is_refused_with_what_is(records):
    for call in (
        lambda: records.say("south", [said("x")]),
        lambda: records.own_origin("south"),
        lambda: records.size("TR/north/log"),
        lambda: records.entry(records.own_origin(LINE), 99),
        lambda: records.say(LINE, []),
        lambda: records.say(LINE, [said("fine"), said("x", "not a party")]),
        lambda: records.begin(LINE),
    ):
        with pytest.raises(InputError):
            call()
    assert records.size(records.own_origin(LINE)) == 2


def test_an_entry_is_named_with_its_hash_so_that_another_history_does_not_fit(records):
    one, two = records.say(LINE, [said("one"), said("two")])
    with pytest.raises(InputError, match="another entry"):
        records.entry(type(one)(one.origin, one.index, two.leaf_hash))


def test_many_threads_say_things_at_once_and_each_gets_its_own(records):
    origin = records.own_origin(LINE)
    found: dict[str, list[str]] = {}
    faults: list[Exception] = []

    def speak(name: str) -> None:
        try:
            for number in range(30):
                refs = records.say(LINE, [said(f"{name} {number} a", "TR"), said(f"{name} {number} b")])
                assert refs[1].index == refs[0].index + 1
                found.setdefault(name, []).extend(text_of(records.entry(ref)) for ref in refs)
        except Exception as error:  # noqa: BLE001  # the test raises it
            faults.append(error)

    threads = [threading.Thread(target=speak, args=(f"thread {n}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    for name, texts in found.items():
        assert texts == [f"{name} {number} {part}" for number in range(30) for part in "ab"]
    entries = records.entries(origin, 2, records.size(origin))
    assert len(entries) == 12 * 30 * 2
    times = [entry.leaf.time_s for entry in entries]
    assert times == sorted(times)
    # One commit signs for all that waited: there are fewer checkpoints than callers.
    assert len(records.store.checkpoints(origin, limit=1000)) < 12 * 30
    assert records.store.faults() == ()
    with records.reading(origin) as log:
        assert log.examine().sound


def test_one_callers_mistake_does_not_take_down_the_others(records):
    """The faults that are found only when all is appended together: here, an entry of another party."""
    origin = records.own_origin(LINE)
    own = records._own[origin]
    inside, go = threading.Event(), threading.Event()
    results: dict[str, object] = {}

    def hold() -> None:
        with records.reading(origin):
            inside.set()
            go.wait(10)

    def speak(name: str) -> None:
        try:
            results[name] = records.say(LINE, [said(name)])
        except InputError as error:
            results[name] = error

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    threads = [threading.Thread(target=speak, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    while len(own._queue) < 3:
        pass
    spoilt = own._queue[1]
    entry = spoilt.entries[0]
    spoilt.entries[0] = entry.without_body()
    go.set()
    for thread in (*threads, holder):
        thread.join()
    assert sorted(type(result).__name__ for result in results.values()) == ["InputError", "tuple", "tuple"]
    assert records.size(origin) == 4


# --- receiving, receipts, refusing ------------------------------------------------------------------------------------


def test_what_one_says_arrives_and_is_cosigned(records, theirs, bell):
    ref = theirs.say(LINE, [said("hello", "RU"), said("not for them", "US")])[0]
    came, receipt = bell.waiter("came"), Bell()
    uploaded(theirs, records)
    assert came.wait(0)
    assert records.size(ref.origin) == theirs.size(ref.origin)
    assert text_of(records.entry(ref)) == "hello"
    assert records.entry(ref.origin, ref.index + 1).body is None
    assert records.body_state(ref.origin, ref.index) is BodyState.HELD
    assert set(records.origins(LINE)) == {"RU/north/log", "TR/north/log"}
    ours = records.mirror_key(LINE).verifier
    assert theirs.receipts(ref.origin) == ((ours.text, theirs.size(ref.origin)),)
    assert theirs.cosigned_by(ref.origin, ref.index) == ((ours.text, theirs.size(ref.origin)),)
    assert any(one.is_by(ours) for one in Note.of_bytes(theirs.proof(ref).checkpoint).signatures)
    assert receipt is not None


def test_the_bell_tells_bodies_and_receipts(records, tmp_path, bell):
    their_bell = Bell()
    with opened(folder_of(tmp_path, "US"), bell=their_bell) as theirs:
        theirs.say(LINE, [said("hello", "RU")])
        body, receipt, line = bell.waiter("body"), their_bell.waiter("receipt"), bell.waiter("line")
        uploaded(theirs, records)
    assert body.wait(0)
    assert receipt.wait(0)
    assert line.wait(0)


def test_what_the_guards_do_not_keep_is_refused_once(records, theirs):
    ref = theirs.say(LINE, [said("an aim point", "RU")])[0]
    asked = []
    records.keep_by(lambda origin, number, entry: bool(asked.append((origin, number, text_of(entry)))))
    uploaded(theirs, records, bodies=True)
    assert asked[0] == (ref.origin, ref.index, "an aim point")
    assert records.body_state(ref.origin, ref.index) is BodyState.WANTED
    assert records.wanted(ref.origin) == (ref.index,)
    said_so = records.refuse(ref.origin, ref.index, "NO_TARGETS")
    assert records.body_state(ref.origin, ref.index) is BodyState.REFUSED
    refusal = records.entry(said_so)
    assert (refusal.leaf.type, refusal.leaf.recipients) == (EntryType.REFUSED, ("TR",))
    with pytest.raises(InputError, match="nothing to refuse"):
        records.refuse(ref.origin, ref.index, "NO_TARGETS")
    uploaded(theirs, records)
    assert theirs.receipts(ref.origin)[0][1] == theirs.size(ref.origin)


def test_a_refusal_that_was_said_before_a_crash_is_not_said_again(records, theirs, folder):
    ref = theirs.say(LINE, [said("an aim point", "RU")])[0]
    records.keep_by(lambda *_: False)
    uploaded(theirs, records)
    said_so = records.refuse(ref.origin, ref.index, "NO_TARGETS")
    # As it would be if the machine had stopped between the two: our log says so, and the copy does not know yet.
    records.store.put_body(ref.origin, type(records.store.body(ref.origin, ref.index))(ref.index, BodyState.WANTED))
    records.store.close()
    with opened(NodeFolder(folder.path)) as again:
        size = again.size(again.own_origin(LINE))
        assert again.refuse(ref.origin, ref.index, "NO_TARGETS") == said_so
        assert again.size(again.own_origin(LINE)) == size
        assert again.body_state(ref.origin, ref.index) is BodyState.REFUSED


def test_refusing_while_others_speak_and_upload_never_hangs(records, theirs):
    """Locks are taken in one order: a mirror's, then our own."""
    refs = theirs.say(LINE, [said(f"aim point {n}", "RU") for n in range(20)])
    records.keep_by(lambda *_: False)
    uploaded(theirs, records)
    faults: list[BaseException] = []

    def doing(what):
        def run() -> None:
            try:
                what()
            except BaseException as error:  # noqa: BLE001  # the test raises it
                faults.append(error)

        return threading.Thread(target=run, daemon=True)

    def from_within() -> None:
        for ref in refs[10:]:
            with records.receiver(ref.origin):
                records.refuse(ref.origin, ref.index, "NO_TARGETS")

    threads = [
        doing(lambda: [records.refuse(ref.origin, ref.index, "NO_TARGETS") for ref in refs[:10]]),
        doing(from_within),
        doing(lambda: [records.say(LINE, [said("hello")]) for _ in range(40)]),
        doing(lambda: [records.entries(refs[0].origin, 0, 20) for _ in range(10)]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not faults
    assert records.wanted(refs[0].origin) == ()


def test_bodies_that_came_another_way_are_kept_if_the_leaf_proves_them(records, theirs):
    ref = theirs.say(LINE, [said("for others", "US")])[0]
    uploaded(theirs, records)
    entry = theirs.entry(ref)
    with pytest.raises(PeerError):
        records.put_bodies(ref.origin, {ref.index - 1: entry})
    with pytest.raises(IntegrityError):
        records.put_bodies(ref.origin, {ref.index: type(entry)(entry.leaf, entry.salt, b'{"text":"other"}')})
    assert records.entry(ref).body is None
    records.put_bodies(ref.origin, {ref.index: entry})
    assert text_of(records.entry(ref)) == "for others"


def test_only_other_parties_logs_are_mirrored_and_under_one_key(records, theirs, tmp_path):
    with records.reading(records.own_origin(LINE)) as log, pytest.raises(InputError):
        records.add_mirror(log.key)
    with pytest.raises(InputError):
        records.add_mirror(theirs.mirror_key(LINE).verifier)
    uploaded(theirs, records)
    with opened(folder_of(tmp_path / "again", "TR")) as others, others.reading(others.own_origin(LINE)) as log:
        other = log.key
    with pytest.raises(InputError, match="another key"):
        records.add_mirror(other)


def test_erasing_takes_the_body_and_leaves_the_leaf(records):
    ref = records.say(LINE, [said("a secret", "TR")])[0]
    records.erase(ref.origin, ref.index)
    assert records.entry(ref).body is None
    assert records.body_state(ref.origin, ref.index) is BodyState.ERASED


# --- logs that must not speak -----------------------------------------------------------------------------------------


def test_a_restored_log_is_read_and_says_nothing_until_a_peer_has_shown_its_checkpoint(records, folder):
    origin = records.own_origin(LINE)
    ref = records.say(LINE, [said("one")])[0]
    checkpoint = records.checkpoint(origin)
    records.store.close()
    (folder.path / "record.db-signed").unlink()
    with opened(NodeFolder(folder.path)) as again:
        assert again.restored(LINE)
        assert "until another party has shown" in again.silence(LINE)
        assert text_of(again.entry(ref)) == "one"
        with pytest.raises(InputError, match="put back from a copy"):
            again.say(LINE, [said("two")])
        again.confirm(origin, checkpoint)
        assert again.silence(LINE) == ""
        again.say(LINE, [said("two")])


def test_a_log_behind_its_mark_is_read_and_says_why_it_is_silent(records, folder, tmp_path):
    origin = records.own_origin(LINE)
    ref = records.say(LINE, [said("one")])[0]
    records.store.close()
    old = (folder.path / "record.db").read_bytes()
    with opened(NodeFolder(folder.path)) as again:
        again.say(LINE, [said("two")])
    for ending in ("-wal", "-shm"):
        (folder.path / f"record.db{ending}").unlink(missing_ok=True)
    (folder.path / "record.db").write_bytes(old)
    with opened(NodeFolder(folder.path)) as again:
        assert text_of(again.entry(ref)) == "one"
        assert "Nothing is signed" in again.silence(LINE)
        with pytest.raises(InputError, match="Nothing is signed"):
            again.say(LINE, [said("other")])
        assert again.size(origin) == ref.index + 1


@pytest.mark.parametrize("mark", ["lost", "ahead"])
def test_what_was_said_after_the_copy_is_brought_back_from_a_peer_and_the_log_speaks_on(records, theirs, folder, mark):
    origin = records.own_origin(LINE)
    records.say(LINE, [said("before the copy", "TR")])
    records.store.close()
    copy = (folder.path / "record.db").read_bytes()
    with opened(NodeFolder(folder.path)) as again:
        refs = again.say(LINE, [said("after the copy", "TR"), said("and more", "TR")])
        uploaded(again, theirs)
    for ending in ("-wal", "-shm", *(["-signed"] if mark == "lost" else [])):
        (folder.path / f"record.db{ending}").unlink(missing_ok=True)
    (folder.path / "record.db").write_bytes(copy)
    with theirs.reading(origin) as log:
        checkpoint, leaves = log.checkpoint(), list(log.leaves())
    with opened(NodeFolder(folder.path)) as restored:
        here = restored.size(origin)
        assert restored.silence(LINE)
        assert restored.restored(LINE)
        with pytest.raises(DamagedError):  # it cannot be taken back to what it was
            restored.confirm(origin, checkpoint)
        old = Note.of_bytes(restored.checkpoint(origin)).to_bytes()
        if mark == "ahead":
            with pytest.raises(DamagedError):  # nor by what a peer held before
                restored.confirm(origin, old)
        assert restored.silence(LINE)
        for wrong in (leaves[here:-1], leaves[here - 1 :], []):
            with pytest.raises(PeerError):
                restored.bring_back(origin, checkpoint, wrong)
        with pytest.raises(IntegrityError):
            restored.bring_back(origin, checkpoint, [*leaves[here:-1], b"{}"])
        with pytest.raises(InputError):
            restored.say(LINE, [said("too early")])
        restored.bring_back(origin, checkpoint, leaves[here:])
        assert (restored.restored(LINE), restored.silence(LINE)) == (False, "")
        assert restored.entry(refs[0]).body is None
        restored.put_bodies(origin, {ref.index: theirs.entry(ref) for ref in refs})
        assert [text_of(restored.entry(ref)) for ref in refs] == ["after the copy", "and more"]
        assert restored.say(LINE, [said("and on", "TR")])[0].index == refs[1].index + 1
        uploaded(restored, theirs)
        assert theirs.size(origin) == restored.size(origin)
        assert theirs.forks(origin) == ()
        with restored.reading(origin) as log:
            assert log.examine().sound


def test_a_log_brought_back_on_postgresql_speaks_on(postgres, tmp_path, theirs):
    url = postgres.url(postgres.new_schema())
    folder = folder_of(tmp_path, "RU", database=url)
    with opened(folder, store=PostgresStore(url, marks=tmp_path / "signed"), shared=True) as records:
        origin = records.own_origin(LINE)
        records.say(LINE, [said("before", "TR")])
        old = records.size(origin)
        records.say(LINE, [said("after", "TR")])
        uploaded(records, theirs)
    with postgres.admin(url.rpartition("%3D")[2]) as admin:  # as it was before the last entry
        for table, column in (("cosignature", "size"), ("checkpoint", "size"), ("attachment", "number")):
            admin.execute(f"DELETE FROM {table} WHERE {column} > {old - (column == 'number')}")
        admin.execute(f"DELETE FROM body WHERE number >= {old}")
        admin.execute(f"DELETE FROM leaf WHERE number >= {old}")
        admin.execute(f"UPDATE tile SET hashes = substring(hashes from 1 for {32 * old}) WHERE level = 0")
    (tmp_path / "elsewhere").mkdir()
    with theirs.reading(origin) as log:
        checkpoint, leaves = log.checkpoint(), list(log.leaves())
    with opened(folder, store=PostgresStore(url, marks=tmp_path / "elsewhere" / "signed"), shared=True) as restored:
        assert restored.size(origin) == old
        assert restored.silence(LINE)
        restored.bring_back(origin, checkpoint, leaves[old:])
        assert restored.say(LINE, [said("and on", "TR")])[0].index == old + 1


def test_a_log_begun_anew_is_the_one_that_speaks_and_the_old_one_is_still_read(records):
    ref = records.say(LINE, [said("one")])[0]
    newer = records.begin_anew(LINE)
    assert newer == f"RU/{LINE}/log/2" == records.own_origin(LINE)
    assert records.own_origins(LINE) == (f"RU/{LINE}/log", newer)
    assert records.say(LINE, [said("two")])[0].origin == newer
    assert text_of(records.entry(ref)) == "one"


def test_a_line_whose_key_has_gone_is_read_and_the_others_speak(records, folder):
    records.begin("south")
    origin = records.own_origin(LINE)
    records.store.close()
    (folder.path / "keys" / f"{LINE}.log.key").rename(folder.path / "away")
    with opened(NodeFolder(folder.path)) as again:
        assert again.size(origin) == 2
        assert again.silence(LINE)
        again.say("south", [said("still here")])


# --- several processes ------------------------------------------------------------------------------------------------


def test_two_processes_of_a_node_say_things_in_one_log_and_see_each_others(postgres, tmp_path):
    url = postgres.url(postgres.new_schema())
    folder = folder_of(tmp_path, "RU", database=url)
    first = opened(folder, store=PostgresStore(url, marks=tmp_path / "signed"), shared=True)
    with first as one:
        origin = one.own_origin(LINE)
        with opened(folder, store=PostgresStore(url, marks=tmp_path / "signed"), shared=True) as two:
            found: list[str] = []
            faults: list[Exception] = []

            def speak(records, name: str) -> None:
                try:
                    for number in range(15):
                        ref = records.say(LINE, [said(f"{name} {number}")])[0]
                        found.append(text_of(records.entry(ref)))
                except Exception as error:  # noqa: BLE001  # the test raises it
                    faults.append(error)

            threads = [
                threading.Thread(target=speak, args=(records, f"{n} of {who}"))
                for n in range(3)
                for who, records in enumerate((one, two))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not faults
            assert one.size(origin) == two.size(origin) == 2 + 6 * 15
            texts = [text_of(entry) for entry in one.entries(origin, 2, one.size(origin))]
            assert sorted(texts) == sorted(found)
            assert texts == [text_of(entry) for entry in two.entries(origin, 2, two.size(origin))]
            two.begin("south")
            one.look_again()
            assert one.say("south", [said("x")])


def test_a_closed_store_is_said_to_be_closed(records):
    records.store.close()
    with pytest.raises(StoreError, match="closed"):
        records.say(LINE, [said("x")])


def test_entries_that_are_seldom_are_found_among_all(records):
    origin = records.own_origin(LINE)

    def slowly(types, start, stop):
        leaves = enumerate(records.leaves(origin, start, stop), start)
        return [(number, leaf) for number, leaf in leaves if leaf.type in types]

    for _ in range(2):
        records.say(LINE, [said('"type":"refused"', "TR") for _ in range(3)])
        records.say(LINE, [Outgoing(LineTestBody(text="ABC"), ["TR"]), said("between", "TR")])
        size = records.size(origin)
        for types in ({EntryType.LINE_TEST}, SELDOM, {EntryType.REFUSED}):
            for start in (0, size - 2):
                assert list(records.leaves_of(origin, types, start, size)) == slowly(types, start, size)
    assert len(list(records.leaves_of(origin, {EntryType.LINE_TEST}, 0, size))) == 2
    with pytest.raises(InputError, match="no such entries"):
        list(records.leaves_of(origin, SELDOM, 0, size + 1))


def test_statements_about_keys_are_those_of_the_log(records):
    origin = records.own_origin(LINE)
    records.say(LINE, [said("something else", "TR")])
    with records.reading(origin) as log:
        assert records.statements(origin) == tuple(statements(log)) != ()


def test_a_log_of_which_much_comes_at_once_comes_fast(records, theirs, monkeypatch):
    monkeypatch.setattr(mirror_log, "_MANY", 40)
    origin = theirs.own_origin(LINE)
    theirs.say(LINE, [said("one of few", "RU")])
    uploaded(theirs, records)
    assert not records.comes_fast(origin)
    theirs.say(LINE, [said("one of many", "RU") for _ in range(30)])
    uploaded(theirs, records)
    assert records.comes_fast(origin)
    assert not records.comes_fast(records.own_origin(LINE))


def test_what_comes_is_fast_while_much_comes_and_not_for_ever():
    now_s = [1000.0]
    pace = Pace(lambda: now_s[0])

    def after(passed_s, count):
        now_s[0] += passed_s
        pace.came(count)
        return pace.is_fast

    assert not after(0.0, 0)
    assert not any(after(0.05, 100) for _ in range(15))  # a long list of filings
    assert not any(after(2.5, 1600) for _ in range(10))
    assert after(0.5, 400)
    assert after(1.4, 0)
    assert not after(0.2, 0)
    fast = [after(1.0, 2400) for _ in range(100)]
    assert fast[0]
    assert 28 < fast.index(False) < 32
    assert not any(fast[32:])
    assert after(10.0, 2400)
    pace.hurry()
    assert not after(1.0, 2400)
    assert after(10.0, 2400)


def test_who_pauses_for_a_moment_now_and_then_is_not_let_come_all_the_time():
    now_s = [1000.0]
    pace = Pace(lambda: now_s[0])
    fast = []
    for round_ in range(200):
        for _ in range(29):
            now_s[0] += 1.0
            pace.came(2400)
            fast.append(pace.is_fast)
        now_s[0] += 1.6 if round_ % 2 else 2.5  # just so long that it seems to have ended
    quiet = [number for number, is_fast in enumerate(fast) if not is_fast]
    assert len(quiet) > 0.9 * len(fast)
    assert quiet[0] < 32


def test_a_flash_in_much_that_comes_ends_the_patience(records, theirs, monkeypatch):
    monkeypatch.setattr(mirror_log, "_MANY", 40)
    origin = theirs.own_origin(LINE)
    theirs.say(LINE, [said("one of many", "RU") for _ in range(30)])
    uploaded(theirs, records)
    assert records.comes_fast(origin)
    flash = MessageBody(text="Stop. You are firing at us.", priority=Priority.FLASH)
    theirs.say(LINE, [said("one of many", "RU"), Outgoing(flash, ["RU"]), said("one of many", "RU")])
    uploaded(theirs, records)
    assert not records.comes_fast(origin)
