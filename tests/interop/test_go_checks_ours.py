"""What keepclear signs, proves and publishes, judged by programs that we did not write.

They are Go modules: the Go project's sumdb/note and sumdb/tlog, torchwood, and transparency-dev's formats, merkle and
tessera, in the versions of go.mod.
"""

from __future__ import annotations

import base64
import itertools
import random
from pathlib import Path

import pytest

from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.cosignatures import cosign
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    subtree_consistency_proof,
    subtree_root,
)
from keepclear.record.notes import Note, Signature, signed
from keepclear.record.policies import Group, LogTrust, Policy, WitnessTrust, policy_text
from keepclear.record.tiles import Bundle, Tile, bundles_between, encode_bundle, tiles_between
from keepclear.record.tlog_proofs import TlogProof
from tests.interop.peer import Peer, RefusedError
from tests.interop.trees import (
    LARGEST,
    Tree,
    digest_of,
    some_entries,
    some_places,
    some_sizes,
    some_subtrees,
    spoiled,
    ways_to_spoil,
)

LOG = SigningKey.of_seed("blue/line-7/log", SignatureKind.ED25519, b"L" * 32)
OTHER = SigningKey.of_seed("Ministerium/Übung", SignatureKind.ED25519, b"O" * 32)
MIRRORS = [
    SigningKey.of_seed(f"{name}/line-7/mirror", SignatureKind.COSIGNATURE, name.encode() * 8)
    for name in ("rood", "groe", "geel")
]


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(some_entries(LARGEST, seed=1))


# --- keys, notes, checkpoints ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [LOG, OTHER, *MIRRORS], ids=lambda key: key.verifier.name)
def test_a_key_is_read(go: Peer, key: SigningKey) -> None:
    told = go.ask("key", key=key.verifier.text)
    assert (told["name"], told["id"].to_bytes(4, "big")) == (key.verifier.name, key.verifier.key_id)


@pytest.mark.parametrize("key", [LOG, MIRRORS[0]], ids=lambda key: key.verifier.name)
def test_a_key_with_another_key_id_is_refused(go: Peer, key: SigningKey) -> None:
    name, _, public = key.verifier.text.split("+", 2)
    with pytest.raises(RefusedError):
        go.ask("key", key=f"{name}+00c0ffee+{public}")


@pytest.mark.parametrize(
    "text", ["one line\n", "\n", "two\n\nparagraphs\n", "Grüße — 平和\n", "— not a signature\n", "x" * 60_000 + "\n"]
)
def test_a_note_is_opened(go: Peer, text: str) -> None:
    note = signed(text, LOG, OTHER).to_bytes()
    keys = [LOG.verifier.text, OTHER.verifier.text]
    assert go.ask("note", note=note, keys=keys)["by"] == [LOG.verifier.name, OTHER.verifier.name]
    told = go.ask("note", note=note, keys=keys[1:])
    assert (told["text"], told["by"]) == (text, [OTHER.verifier.name])


def test_a_note_with_any_byte_changed_is_refused(go: Peer) -> None:
    note = signed("blue/line-7/log\n17\n", LOG)
    (signature,) = note.signatures
    data, keys = note.to_bytes(), [LOG.verifier.text]
    go.ask("note", note=data, keys=keys)
    changed = [spoiled(data, at) for at in range(len(note.text))]
    for at in range(len(signature.value)):
        other = Signature(signature.name, signature.key_id, spoiled(signature.value, at))
        changed.append(Note(note.text, (other,)).to_bytes())
    for one in changed:
        with pytest.raises(RefusedError):
            go.ask("note", note=one, keys=keys)


@pytest.mark.parametrize("size", [0, 1, 256, 2**53, 2**63 - 1])
@pytest.mark.parametrize("extensions", [(), ("one more line", "— and — another")], ids=["", "extended"])
def test_a_checkpoint_and_its_cosignatures_hold(go: Peer, size: int, extensions: tuple[str, ...]) -> None:
    root = random.Random(size).randbytes(32) if size else EMPTY_ROOT
    checkpoint = Checkpoint(LOG.verifier.name, size, root, extensions)
    note = Note.of_bytes(sign_checkpoint(checkpoint, LOG))
    times = [0, 1_767_225_600, 2**63 - 1]
    lines = tuple(cosign(note.text, key, time_s=time_s) for key, time_s in zip(MIRRORS, times, strict=True))
    cosigned = Note(note.text, note.signatures + lines).to_bytes()
    told = go.ask("checkpoint", note=cosigned, keys=[key.verifier.text for key in (LOG, *MIRRORS)])
    assert (told["origin"], told["size"], base64.b64decode(told["root"])) == (LOG.verifier.name, size, root)
    assert told["extension"] == "".join(f"{line}\n" for line in extensions)
    assert told["by"] == [key.verifier.name for key in (LOG, *MIRRORS)]
    assert told["times"] == {key.verifier.name: time_s for key, time_s in zip(MIRRORS, times, strict=True)}


def test_a_cosignature_with_any_byte_changed_is_refused(go: Peer) -> None:
    note = Note.of_bytes(sign_checkpoint(Checkpoint(LOG.verifier.name, 5, b"r" * 32), LOG))
    line = cosign(note.text, MIRRORS[0], time_s=1_767_225_600)
    keys = [LOG.verifier.text, MIRRORS[0].verifier.text]
    go.ask("checkpoint", note=Note(note.text, (*note.signatures, line)).to_bytes(), keys=keys)
    for at in range(len(line.value)):
        other = Signature(line.name, line.key_id, spoiled(line.value, at))
        with pytest.raises(RefusedError):
            go.ask("checkpoint", note=Note(note.text, (*note.signatures, other)).to_bytes(), keys=keys)


def test_a_checkpoint_that_only_another_signed_is_refused(go: Peer) -> None:
    text = Checkpoint(LOG.verifier.name, 5, b"r" * 32).text
    with pytest.raises(RefusedError):
        go.ask("checkpoint", note=signed(text, OTHER).to_bytes(), keys=[LOG.verifier.text, OTHER.verifier.text])


# --- proofs ----------------------------------------------------------------------------------------------------------


def test_inclusion_proofs_hold(go: Peer, tree: Tree) -> None:
    places = some_places([*range(1, 40), *some_sizes(200, seed=2)], seed=3, each=4)
    proofs = [_inclusion(tree, index, size) for index, size in places]
    assert len(proofs) > 1000
    assert go.ask("inclusion", proofs=proofs) == [True] * len(proofs)


def test_inclusion_proofs_that_were_changed_do_not_hold(go: Peer, tree: Tree) -> None:
    wrong = []
    for index, size in some_places(some_sizes(10, seed=4), seed=5, each=1):
        right = _inclusion(tree, index, size)
        wrong += [{**right, "proof": proof} for proof in ways_to_spoil(right["proof"], seed=size)]
        wrong += [{**right, name: spoiled(right[name], 7)} for name in ("leaf", "root")]
        if size > 1:
            wrong.append({**right, "index": index - 1 if index else 1})
    assert go.ask("inclusion", proofs=wrong) == [False] * len(wrong)


def test_consistency_proofs_hold(go: Peer, tree: Tree) -> None:
    proofs = [_consistency(tree, old, new) for old, new in _growths(some_sizes(200, seed=6))]
    proofs += [_consistency(tree, old, new) for new in range(1, 40) for old in range(1, new + 1)]
    assert len(proofs) > 1000
    assert go.ask("consistency", proofs=proofs) == [True] * len(proofs)


def test_consistency_proofs_that_were_changed_do_not_hold(go: Peer, tree: Tree) -> None:
    wrong = []
    for old, new in _growths(some_sizes(5, seed=7)):
        right = _consistency(tree, old, new)
        wrong += [{**right, "proof": proof} for proof in ways_to_spoil(right["proof"], seed=new)]
        wrong += [{**right, name: spoiled(right[name], 7)} for name in ("oldRoot", "newRoot")]
    assert go.ask("consistency", proofs=wrong) == [False] * len(wrong)


def test_proofs_of_complete_subtrees_hold_and_changed_ones_do_not(go: Peer, tree: Tree) -> None:
    places = some_places([*range(1, 20), *some_sizes(100, seed=8)], seed=9, each=3)
    proofs = [_subtree(tree, *one) for one in some_subtrees(places, seed=10)]
    assert len(proofs) > 300
    assert go.ask("subtree", proofs=proofs) == [True] * len(proofs)
    wrong = [
        {**right, "proof": proof}
        for seed, right in enumerate(proofs[::10])
        for proof in ways_to_spoil(right["proof"], seed=seed)
    ]
    assert go.ask("subtree", proofs=wrong) == [False] * len(wrong)


def _inclusion(tree: Tree, index: int, size: int) -> dict:
    proof = inclusion_proof(index, size, tree.read)
    return {"index": index, "size": size, "leaf": tree.leaves[index], "root": tree.root(size), "proof": proof}


def _consistency(tree: Tree, old: int, new: int) -> dict:
    proof = consistency_proof(old, new, tree.read)
    return {"old": old, "new": new, "oldRoot": tree.root(old), "newRoot": tree.root(new), "proof": proof}


def _subtree(tree: Tree, level: int, index: int, size: int) -> dict:
    start, end = index << level, (index + 1) << level
    return {
        "level": level,
        "index": index,
        "size": size,
        "hash": subtree_root(start, end, tree.read),
        "root": tree.root(size),
        "proof": subtree_consistency_proof(start, end, size, tree.read),
    }


def _growths(sizes: list[int]) -> list[tuple[int, int]]:
    chance = random.Random(len(sizes))
    return [(old, new) for new in sizes for old in (1, new, *(chance.randint(1, new) for _ in range(3)))]


# --- a directory of tiles --------------------------------------------------------------------------------------------

STEPS = [1, 2, 255, 256, 257, 300, 1024, 65_535, 65_536, LARGEST]


@pytest.fixture(scope="module")
def published(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log as it was published while it grew, with the checkpoint of each step as checkpoint.<size>."""
    folder = tmp_path_factory.mktemp("our-log")
    for old, new in itertools.pairwise([0, *STEPS]):
        for tile in tiles_between(old, new):
            first = tile.number << 8
            places = [(8 * tile.level, index) for index in range(first, first + tile.width)]
            _put(folder / tile.path, b"".join(tree.read(places)))
        for bundle in bundles_between(old, new):
            _put(folder / bundle.path, encode_bundle(tree.entries[bundle.start : bundle.start + bundle.width]))
        _put(folder / f"checkpoint.{new}", _cosigned(tree, new, MIRRORS))
    return folder


@pytest.mark.parametrize("size", STEPS)
def test_every_entry_is_followed_from_tiles(go: Peer, tree: Tree, published: Path, size: int) -> None:
    _put(published / "checkpoint", (published / f"checkpoint.{size}").read_bytes())
    sample = sorted({0, size - 1, size // 2, min(255, size - 1), min(256, size - 1)})
    told = _followed(go, published, sample)
    assert (told["size"], told["entries"]) == (size, size)
    assert base64.b64decode(told["digest"]) == digest_of(tree.entries[:size])
    assert [base64.b64decode(entry) for entry in told["sampled"]] == [tree.entries[index] for index in sample]
    assert told["by"] == [key.verifier.name for key in (LOG, *MIRRORS)]


@pytest.mark.parametrize(
    "path",
    [
        "checkpoint",
        Tile(0, 0).path,
        Tile(0, 273, 112).path,
        Tile(1, 0).path,
        Tile(1, 1, 17).path,
        Tile(2, 0, 1).path,
        Bundle(0).path,
        Bundle(273, 112).path,
    ],
)
def test_a_file_with_a_byte_changed_or_missing_is_found_out(go: Peer, published: Path, path: str) -> None:
    _put(published / "checkpoint", (published / f"checkpoint.{LARGEST}").read_bytes())
    right = (published / path).read_bytes()
    for wrong in (spoiled(right, 20), right[:-1]):
        _put(published / path, wrong)
        with pytest.raises(RefusedError):
            _followed(go, published, [])
    (published / path).unlink()
    with pytest.raises(RefusedError):
        _followed(go, published, [])
    _put(published / path, right)
    _followed(go, published, [])


def _followed(go: Peer, folder: Path, sample: list[int]) -> dict:
    keys = [key.verifier.text for key in (LOG, *MIRRORS)]
    return go.ask("directory", dir=str(folder), keys=keys, sample=sample)


def _cosigned(tree: Tree, size: int, mirrors: list[SigningKey]) -> bytes:
    note = Note.of_bytes(sign_checkpoint(Checkpoint(LOG.verifier.name, size, tree.root(size)), LOG))
    lines = tuple(cosign(note.text, key, time_s=1_767_225_600 + size) for key in mirrors)
    return Note(note.text, note.signatures + lines).to_bytes()


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


# --- proofs in files, and policies -----------------------------------------------------------------------------------

WITNESSED = {
    key.verifier.name.split("/")[0]: WitnessTrust(key.verifier, f"https://{number}.example/line-7")
    for number, key in enumerate(MIRRORS)
}
TWO_OF_THREE = Policy((LogTrust(LOG.verifier),), WITNESSED, {"two": Group(2, tuple(WITNESSED))}, "two")
NESTED = Policy(
    (),
    WITNESSED,
    {"pair": Group(1, ("rood", "groe")), "both": Group(2, ("pair", "geel"))},
    "both",
)
ONE = Policy((LogTrust(LOG.verifier, "https://log.example"),), WITNESSED, {}, "groe")
NOBODY = Policy((LogTrust(LOG.verifier),), {}, {}, None)


@pytest.mark.parametrize("policy", [TWO_OF_THREE, NESTED, ONE, NOBODY], ids=["two", "nested", "one", "nobody"])
def test_a_policy_means_the_same_to_both(go: Peer, tree: Tree, policy: Policy) -> None:
    text = policy_text(policy)
    for count in range(len(MIRRORS) + 1):
        for mirrors in itertools.combinations(MIRRORS, count):
            told = go.ask("policy", policy=text, checkpoint=_cosigned(tree, 300, list(mirrors)))
            assert told["met"] == policy.quorum_met_by(key.verifier for key in mirrors)
    within = {"two": WITNESSED, "both": WITNESSED, "groe": {"groe": WITNESSED["groe"]}}.get(policy.quorum or "", {})
    assert told["urls"] == {one.key.name: one.url for one in within.values() if isinstance(one.key, VerifierKey)}


@pytest.mark.parametrize("extra", [None, b"\x00 anything \xff"], ids=["", "extra"])
@pytest.mark.parametrize("size", [1, 2, 256, 257, LARGEST])
def test_a_proof_in_a_file_holds(go: Peer, tree: Tree, size: int, extra: bytes | None) -> None:
    for index in sorted({0, size // 2, size - 1}):
        told = _proved(go, _proof(tree, index, size, MIRRORS[:2], extra).to_bytes(), tree.entries[index])
        assert (told["index"], told["size"]) == (index, size)
        assert (told["extra"] and base64.b64decode(told["extra"])) == extra


def test_a_proof_with_too_few_cosigners_or_of_another_entry_is_refused(go: Peer, tree: Tree) -> None:
    proof = _proof(tree, 4, 300, MIRRORS[:1], None).to_bytes()
    with pytest.raises(RefusedError, match="quorum"):
        _proved(go, proof, tree.entries[4])
    proof = _proof(tree, 4, 300, MIRRORS, None).to_bytes()
    with pytest.raises(RefusedError):
        _proved(go, proof, tree.entries[5])


def test_a_proof_with_any_byte_of_it_changed_is_refused(go: Peer, tree: Tree) -> None:
    proof, entry = _proof(tree, 4, 300, MIRRORS[:2], None), tree.entries[4]
    before_signatures = len(proof.to_bytes()) - len(proof.checkpoint) + proof.checkpoint.index(b"\n\n")
    for at in range(before_signatures):
        with pytest.raises(RefusedError):
            _proved(go, spoiled(proof.to_bytes(), at), entry)


def _proof(tree: Tree, index: int, size: int, mirrors: list[SigningKey], extra: bytes | None) -> TlogProof:
    hashes = inclusion_proof(index, size, tree.read)
    return TlogProof(index, tuple(hashes), _cosigned(tree, size, mirrors), extra)


def _proved(go: Peer, proof: bytes, entry: bytes) -> dict:
    return go.ask("proof", proof=proof, entry=entry, log=LOG.verifier.text, policy=policy_text(TWO_OF_THREE))
