"""The whole way, both ways: a party's own log, said and published as people do it, followed by programs that we did not
write; and a log that those made, taken in, audited and proved by the keepclear program."""

from __future__ import annotations

import base64
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from keepclear.record.cosignatures import cosign
from keepclear.record.entries import Entry
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.notes import Note
from keepclear.record.policies import Group, LogTrust, Policy, WitnessTrust, policy_text
from keepclear.store.log import Log
from keepclear.store.mirror import Mirror
from keepclear.store.sqlite import SqliteStore
from keepclear.store.tile_directory import export_log, import_log
from tests.interop.peer import Peer, RefusedError
from tests.interop.trees import digest_of, some_entries, spoiled

PROGRAM = str(Path(sys.executable).parent / "keepclear")
LOG = SigningKey.of_seed("north/border/log", SignatureKind.ED25519, b"N" * 32)
MIRRORS = {
    party: SigningKey.of_seed(f"{party}/border/mirror", SignatureKind.COSIGNATURE, party.encode() * 8)
    for party in ("east", "west")
}
POLICY = Policy(
    (LogTrust(LOG.verifier),),
    {party: WitnessTrust(key.verifier, f"https://{party}.example") for party, key in MIRRORS.items()},
    {"both": Group(2, tuple(MIRRORS))},
    "both",
)
STEPS = [1, 2, 255, 256, 257, 300, 1000]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log.create(SqliteStore(tmp_path_factory.mktemp("store") / "record.db"), LOG)


@pytest.fixture(scope="module")
def published(log: Log, go: Peer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was brought up to date after each step, and followed by the others each time."""
    folder = tmp_path_factory.mktemp("published")
    chance = random.Random(31)
    for old, new in itertools.pairwise([0, *STEPS]):
        log.append([_said(number, chance) for number in range(old, new)])
        text = Note.of_bytes(log.checkpoint()).text
        lines = [cosign(text, key, time_s=1_767_225_600 + new) for key in MIRRORS.values()]
        log.add_cosignatures(lines, [key.verifier for key in MIRRORS.values()])
        export_log(log, folder)
        told = _followed(go, folder)
        assert (told["size"], told["entries"]) == (new, new)
        assert base64.b64decode(told["digest"]) == digest_of(list(log.leaves()))
        assert told["times"] == {key.verifier.name: 1_767_225_600 + new for key in MIRRORS.values()}
    return folder


def _said(number: int, chance: random.Random) -> Entry:
    # One in a hundred has so many recipients that its leaf is as long as a bundle can hold: 65,535 bytes.
    everyone = [*(f"party-{n:04}" for n in range(5026)), "party-at-the-limit"]
    recipients = everyone if number % 100 == 99 else ["east", "west"]
    return Entry.said(
        "message",
        1,
        line="border",
        party="north",
        time_s=1_767_225_600.0 + number,
        recipients=recipients,
        exercise=number % 2 == 0,
        body=b'{"text":"%d"}' % number,
        salt=chance.randbytes(32),
    )


def _followed(go: Peer, folder: Path) -> dict:
    keys = [key.verifier.text for key in (LOG, *MIRRORS.values())]
    return go.ask("directory", dir=str(folder), keys=keys, sample=[0])


def test_what_a_party_published_is_followed_to_the_last_entry(log: Log, published: Path) -> None:
    assert log.size == STEPS[-1]
    assert len(max(log.leaves(), key=len)) == 65_535


def test_proofs_of_a_party_s_entries_hold_for_others(go: Peer, log: Log, published: Path) -> None:
    for number in (0, 1, 99, 255, 256, 511, STEPS[-1] - 1):
        proof, leaf = log.proof(number).to_bytes(), log.leaf(number)
        question = {"log": LOG.verifier.text, "policy": policy_text(POLICY), "entry": leaf}
        assert go.ask("proof", proof=proof, **question)["index"] == number
        with pytest.raises(RefusedError):
            go.ask("proof", proof=proof, **{**question, "entry": spoiled(leaf, 30)})


def test_consistency_proofs_of_a_party_s_log_hold_for_others(go: Peer, log: Log, published: Path) -> None:
    proofs = [
        {
            "old": old,
            "new": new,
            "oldRoot": log.root_at(old),
            "newRoot": log.root_at(new),
            "proof": log.consistency(old, new),
        }
        for old, new in itertools.combinations(STEPS, 2)
    ]
    assert go.ask("consistency", proofs=proofs) == [True] * len(proofs)


# --- and a log of theirs ---------------------------------------------------------------------------------------------

SIZES = [100, 256, 700]
PROVED = [0, 255, 256, 699]


@pytest.fixture
def theirs(go: Peer, tmp_path: Path) -> tuple[Path, Policy, VerifierKey]:
    """A folder that the Go program made, and a policy that believes its keys."""
    told = go.ask(
        "make",
        dir=str(tmp_path / "log"),
        origin="south/border/log",
        witnesses=["east/border/mirror", "elsewhere.example/w"],
        seed=11,
        sizes=SIZES,
        given={index: some_entries(257, seed=12)[index] for index in (0, 1, 255, 256)},
        inFiles=PROVED,
    )
    key = VerifierKey.of_text(told["log"])
    witnesses = {f"w{n}": WitnessTrust(VerifierKey.of_text(text)) for n, text in enumerate(told["witnesses"])}
    policy = Policy((LogTrust(key),), witnesses, {"both": Group(2, tuple(witnesses))}, "both")
    (tmp_path / "policy").write_bytes(policy_text(policy))
    return tmp_path, policy, key


def _keepclear(*arguments: str, cwd: Path) -> tuple[int, str]:
    done = subprocess.run([PROGRAM, *arguments], cwd=cwd, capture_output=True, check=False, text=True, timeout=120)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_auditor_finds_nothing_wrong_with_their_log_and_finds_a_changed_byte(
    theirs: tuple[Path, Policy, VerifierKey],
) -> None:
    folder, _, _ = theirs
    status, told = _keepclear("audit", "log", "--policy", "policy", "--format", "json", cwd=folder)
    assert status == 0, told
    assert str(SIZES[-1]) in told
    for path in ("tile/0/000", "tile/1/000.p/2", "tile/entries/002.p/188", "checkpoint"):
        right = (folder / "log" / path).read_bytes()
        (folder / "log" / path).write_bytes(spoiled(right, 20))
        assert _keepclear("audit", "log", "--policy", "policy", cwd=folder)[0] == 1
        (folder / "log" / path).write_bytes(right)


def test_the_verifier_proves_their_entries_and_refuses_a_changed_byte(
    theirs: tuple[Path, Policy, VerifierKey],
) -> None:
    folder, _, key = theirs
    store = SqliteStore(folder / "mirror.db")
    mirror = Mirror.create(store, key, party="north")
    import_log(mirror, folder / "log")
    assert mirror.size == SIZES[-1]
    for number in PROVED:
        entry, proof = mirror.leaf(number), (folder / "log" / f"{number}.tlog-proof").read_bytes()
        (folder / "entry").write_bytes(entry)
        (folder / "proof").write_bytes(proof)
        status, told = _keepclear(
            "verify", "proof", "--entry", "entry", "--policy", "policy", "--format", "json", cwd=folder
        )
        assert (status, json.loads(told)["proved"]) == (0, True)
        (folder / "entry").write_bytes(spoiled(entry, len(entry) // 2) if entry else b"x")
        assert _keepclear("verify", "proof", "--entry", "entry", "--policy", "policy", cwd=folder)[0] == 1
        assert mirror.proof(number).hashes == tuple(_hashes(proof))
    store.close()


def _hashes(proof: bytes) -> list[bytes]:
    lines = proof.partition(b"\n\n")[0].splitlines()
    return [base64.b64decode(line) for line in lines[2:]]
