"""The record: appends, proofs, checkpoints, verification, opening and auditing, each beside its limit.

Entries are messages of 200 bytes to two recipients, from a fixed seed; the large log has a million of them, in a file
that is kept in ``bench/data/`` for the next run. Limits are measured in the same run, in the same folder.
"""

from __future__ import annotations

import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.record_limits import (
    BareTable,
    audit_hashes_s,
    best_s,
    reading_folder_s,
    sign_s,
    verify_and_hash_s,
)
from bench.replicas import DATA
from keepclear.cli.places import folder as folder_of
from keepclear.record.auditing import audit
from keepclear.record.cosignatures import cosign
from keepclear.record.entries import Entry
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.notes import Note
from keepclear.record.policies import LogTrust, Policy, WitnessTrust
from keepclear.record.tlog_proofs import TlogProof
from keepclear.record.verifying import verify_entry
from keepclear.store.log import Log
from keepclear.store.sqlite import SqliteStore
from keepclear.store.tile_directory import export_log

__all__ = ["RecordFigure", "record_figures"]

KEY = SigningKey.of_seed("north/border/log", SignatureKind.ED25519, b"n" * 32)
MIRRORS = [
    SigningKey.of_seed(f"{party}/border/mirror", SignatureKind.COSIGNATURE, party.encode() * 8)
    for party in ("east", "west")
]
BEGAN_S = 1_767_225_600.0
NOW_S = BEGAN_S + 1e8
SEED = 3
LARGE, QUICK = 1_000_000, 20_000
FORM = 1  # of the large file: another number makes it anew
BATCH, BATCHES, SINGLES, PROOFS, FILL = 100, 200, 300, 1000, 20_000
AUDITED = 100_000
LIMIT_RUNS = 30  # short ones, of which the best counts


@dataclass(frozen=True, slots=True)
class RecordFigure:
    """One thing measured: the figure, what is asked for, and the limit alone.

    Attributes
    ----------
    asked
        At least so much of a rate, at most so much of anything else; None if nothing is asked.
    limit
        The same in the same unit by `limit_is`, None if there is none to compare with.
    """

    name: str
    value: float
    unit: str
    asked: float | None
    limit: float | None = None
    limit_is: str = ""

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.unit.endswith("/s")


def record_figures(repeats: int, *, quick: bool) -> list[RecordFigure]:
    """All figures of the record, one after another on one core."""
    size = QUICK if quick else LARGE
    DATA.mkdir(parents=True, exist_ok=True)
    large = _large_log(size)
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        folder = Path(scratch)
        figures = [*_appends(folder), *_singles(folder), *_opening(large, size)]
        store = SqliteStore(large, readonly=True)
        try:
            log = Log(store, KEY.verifier.name)
            figures += [*_proofs(log, repeats), *_verifying(log, repeats)]
        finally:
            store.close()
        return [*figures, *_audits(folder, min(size, AUDITED), repeats)]


# --- what is said --------------------------------------------------------------------------------------------------


def _entries(count: int, *, start: int = 0) -> Iterator[Entry]:
    chance = random.Random(f"{SEED} {start}")
    for number in range(start, start + count):
        yield Entry.said(
            "message",
            1,
            line="border",
            party="north",
            time_s=BEGAN_S + number,
            recipients=("east", "west"),
            exercise=False,
            body=b'{"text":"%s"}' % chance.randbytes(94).hex().encode(),
            salt=chance.randbytes(32),
        )


def _new_log(path: Path) -> tuple[SqliteStore, Log]:
    store = SqliteStore(path)
    return store, Log.create(store, KEY)


def _large_log(size: int) -> Path:
    path = DATA / f"record-{size}-{FORM}" / "record.db"
    if path.exists():
        return path
    print(f"  a log of {size:,} entries, once", file=sys.stderr, flush=True)
    making = path.parent.with_suffix(".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    store, log = _new_log(making / path.name)
    for start in range(0, size, FILL):
        log.append(list(_entries(min(FILL, size - start), start=start)))
    note = Note.of_bytes(log.checkpoint())
    mirrors = [key.verifier for key in MIRRORS]
    log.add_cosignatures([cosign(note.text, key, time_s=int(BEGAN_S) + size) for key in MIRRORS], mirrors)
    store.close()
    making.rename(path.parent)
    return path


# --- appending -----------------------------------------------------------------------------------------------------


def _appends(folder: Path) -> Iterator[RecordFigure]:
    _say("appends in batches")
    store, log = _new_log(folder / "batches.db")
    bare = BareTable(folder / "batches-bare.db")
    ours_s, bare_s = 0.0, 0.0
    for start in range(0, BATCH * BATCHES, BATCH):  # by turns, so that both meet the same disk
        entries = list(_entries(BATCH, start=start))
        began = time.perf_counter()
        log.append(entries)
        ours_s += time.perf_counter() - began
        bare_s += bare.commit_s([_row(number, entry) for number, entry in enumerate(entries, start)])
    store.close()
    bare.close()
    count = BATCH * BATCHES
    yield RecordFigure(
        f"durable appends, {BATCH} at a time",
        count / ours_s,
        "entries/s",
        3000.0,
        count / bare_s,
        "the same rows by bare SQLite, committed likewise",
    )


def _singles(folder: Path) -> Iterator[RecordFigure]:
    _say("single appends")
    store, log = _new_log(folder / "singles.db")
    bare = BareTable(folder / "singles-bare.db")
    ours, alone = [], []
    for number, entry in enumerate(_entries(SINGLES)):
        began = time.perf_counter()
        log.append([entry])
        ours.append(time.perf_counter() - began)
        alone.append(bare.commit_s([_row(number, entry)]))
    store.close()
    bare.close()
    ours_ms, bare_ms = (1e3 * statistics.median(times) for times in (ours, alone))
    limit_is = "one commit of the same row by bare SQLite; asked for is that and 1 ms"
    yield RecordFigure("one durable append", ours_ms, "ms", bare_ms + 1.0, bare_ms, limit_is)


def _row(number: int, entry: Entry) -> tuple[int, bytes, bytes]:
    assert entry.body is not None
    return number, entry.leaf.to_bytes(), entry.body


# --- reading -------------------------------------------------------------------------------------------------------

# Opens the log as a program that is just starting does, and tells how long it took and how large the process became.
_OPEN = """
import json, sys, time
before = time.perf_counter()
from pathlib import Path
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.store.log import Log
from keepclear.store.sqlite import SqliteStore
key = SigningKey.of_seed("north/border/log", SignatureKind.ED25519, b"n" * 32)
began = time.perf_counter()
log = Log(SqliteStore(Path(sys.argv[1])), key.verifier.name, key=key)
done = time.perf_counter()
print(json.dumps([done - began, began - before, log.size]))
"""
# A process begins with the peak of the one that started it in its own resource usage; this counter begins at nothing.
_PEAK = """
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def _opening(path: Path, size: int) -> Iterator[RecordFigure]:
    _say("opening")
    told = [_in_fresh_process(_OPEN + _PEAK, str(path)) for _ in range(5)]
    times = [json.loads(first) for first, _ in told]
    assert all(found == size for _, _, found in times)
    open_s, import_s = (statistics.median(column) for column in list(zip(*times, strict=True))[:2])
    name = f"opening a log of {size:,} entries to append, in a fresh process"
    yield RecordFigure(name, open_s, "s", 0.5, import_s, "importing what opens it, which is not counted")
    peaks = [_megabytes(last) for _, last in told]
    bare = _megabytes(_in_fresh_process(_PEAK)[-1])
    yield RecordFigure(f"{name}: memory at its peak", max(peaks), "MB", 100.0, bare, "Python alone")


def _in_fresh_process(code: str, *arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def _megabytes(kibibytes: str) -> float:
    return int(kibibytes) * 1024 / 1e6


def _proofs(log: Log, repeats: int) -> Iterator[RecordFigure]:
    _say("proofs and checkpoints")
    rounds = [_proof_times_s(log, number) for number in range(repeats)]
    times = min(rounds, key=statistics.median)
    hashes = 255 + log.size.bit_length()
    alone = verify_and_hash_s(b"", hashes, 0, LIMIT_RUNS)
    name = f"proof of one entry of {log.size:,}"
    limit_is = f"the {hashes} hashes of one tile's tree and of checking the path, by hashlib alone"
    yield RecordFigure(f"{name}, median", 1e3 * statistics.median(times), "ms", 1.0, 1e3 * alone, limit_is)
    yield RecordFigure(f"{name}, 99th of 100", 1e3 * statistics.quantiles(times, n=100)[-1], "ms", None)
    signing = sign_s(Note.of_bytes(log.checkpoint()).text.encode(), LIMIT_RUNS)
    told = best_s(lambda: [log.checkpoint() for _ in range(100)], repeats) / 100
    yield RecordFigure(
        "checkpoint with two cosignatures", 1e3 * told, "ms", 1.0, 1e3 * signing, "one Ed25519 signature"
    )


def _proof_times_s(log: Log, seed: int) -> list[float]:
    times = []
    for number in random.Random(seed).choices(range(log.size), k=PROOFS):
        began = time.perf_counter()
        log.proof(number).to_bytes()
        times.append(time.perf_counter() - began)
    return times


def _verifying(log: Log, repeats: int) -> Iterator[RecordFigure]:
    _say("verification")
    numbers = random.Random(SEED).choices(range(log.size), k=PROOFS)
    whole = [(log.proof(number).to_bytes(), log.leaf(number)) for number in numbers]
    bare = [(_without_cosignatures(data), leaf) for data, leaf in whole]
    witnesses = {key.verifier.name.split("/")[0]: WitnessTrust(key.verifier) for key in MIRRORS}
    nobody = Policy((LogTrust(KEY.verifier),))
    either = Policy((LogTrust(KEY.verifier),), dict(list(witnesses.items())[:1]), {}, "east")
    message = Note.of_bytes(log.checkpoint()).text.encode()
    for name, proofs, policy, signatures, asked in (
        ("verification of proofs, from bytes to what is proved", bare, nobody, 1, 3000.0),
        ("the same with one receipt of two", whole, either, 2, None),
    ):
        best = best_s(lambda proofs=proofs, policy=policy: _verify_all(proofs, policy), repeats) / PROOFS
        alone = verify_and_hash_s(message, log.size.bit_length() + 1, signatures, LIMIT_RUNS)
        limit_is = "Ed25519 and the path's hashes alone"
        yield RecordFigure(name, 1 / best, "proofs/s", asked, 1 / alone, limit_is)


def _verify_all(proofs: list[tuple[bytes, bytes]], policy: Policy) -> None:
    for data, leaf in proofs:
        verify_entry(TlogProof.of_bytes(data), leaf, policy, now_s=NOW_S)


def _without_cosignatures(data: bytes) -> bytes:
    proof = TlogProof.of_bytes(data)
    note = Note.of_bytes(proof.checkpoint)
    return TlogProof(proof.index, proof.hashes, Note(note.text, note.signatures[:1]).to_bytes()).to_bytes()


# --- auditing ------------------------------------------------------------------------------------------------------


def _audits(folder: Path, size: int, repeats: int) -> Iterator[RecordFigure]:
    _say("auditing")
    store, log = _new_log(folder / "audited.db")
    for start in range(0, size, FILL):
        log.append(list(_entries(min(FILL, size - start), start=start)))
    published = folder / "published"
    export_log(log, published)
    entries = list(log.leaves())
    store.close()
    hashing = audit_hashes_s(entries, repeats)
    parsing = hashing + best_s(lambda: [json.loads(entry) for entry in entries], repeats)
    reading = reading_folder_s(published, repeats)
    for name, read_entries, asked, alone, limit_is in (
        ("auditing a published log: signature and every hash", False, 100_000.0, hashing, "the same hashes by hashlib"),
        (
            "auditing, and reading every entry",
            True,
            25_000.0,
            parsing,
            "the same hashes, and json.loads of the entries",
        ),
    ):
        taken = best_s(lambda read_entries=read_entries: _audit(published, read_entries=read_entries), repeats)
        limit = size / (reading + alone)
        yield RecordFigure(name, size / taken, "entries/s", asked, limit, f"reading the files, {limit_is}")


def _audit(published: Path, *, read_entries: bool) -> None:
    policy = Policy((LogTrust(KEY.verifier),))
    found = audit(folder_of(published), keys=[KEY.verifier], policy=policy, now_s=NOW_S, read_entries=read_entries)
    assert found.proved
    assert not found.findings.listed


def _say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    for figure in record_figures(3, quick="--quick" in sys.argv):
        print(figure)
