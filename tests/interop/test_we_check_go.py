"""Logs, proofs and cosignatures that Go modules made, judged by keepclear, and compared with its own byte for byte."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from keepclear.errors import IntegrityError, KeepclearError, PeerError
from keepclear.record.checkpoints import Checkpoint, open_checkpoint
from keepclear.record.cosignatures import cosignatures
from keepclear.record.keys import SignatureKind, VerifierKey
from keepclear.record.merkle import consistency_proof, inclusion_proof, leaf_hash, subtree_consistency_proof
from keepclear.record.merkle_proofs import verify_consistency, verify_inclusion, verify_subtree_consistency
from keepclear.record.notes import Note, Signature, verified
from keepclear.record.policies import parse_policy
from keepclear.record.tile_reading import authenticated, authenticated_entries, hash_reader
from keepclear.record.tiles import (
    Bundle,
    Tile,
    bundles_between,
    bundles_of,
    encode_bundle,
    parse_path,
    tiles_between,
    tiles_of,
)
from keepclear.record.tlog_proofs import TlogProof
from keepclear.record.walking import Findings, Walk
from tests.interop.peer import Peer
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

ORIGIN = "gelb/line-7/log"
WITNESSES = ["witness.example", "Zeuge/Zwei"]
SIZES = [1, 255, 256, 257, 1000, 65_536, 65_793, LARGEST]
PLACES = some_places([*range(1, 20), *some_sizes(150, seed=21)], seed=22, each=4)
GROWTHS = sorted({(index + 1, size) for index, size in PLACES})
SUBTREES = some_subtrees(PLACES, seed=23)
IN_FILES = [0, 1, 255, 256, 4242, 65_535, 65_536, LARGEST - 1]
EXTRA = b"not signed\x00\xff"


@dataclass(frozen=True)
class GoLog:
    """What the Go program made, and the entries it published."""

    folder: Path
    key: VerifierKey
    witnesses: list[VerifierKey]
    notes: list[bytes]
    proofs: list[list[list[bytes]]]
    subtrees: list[bytes]
    tree: Tree

    def fetch(self, tiles: Sequence[Tile]) -> list[bytes]:
        return [(self.folder / tile.path).read_bytes() for tile in tiles]

    def checkpoint(self) -> Checkpoint:
        return open_checkpoint(self.notes[-1], self.key)[0]


@pytest.fixture(scope="module")
def made(go: Peer, tmp_path_factory: pytest.TempPathFactory) -> GoLog:
    folder = tmp_path_factory.mktemp("go-log")
    told = go.ask(
        "make",
        dir=str(folder),
        origin=ORIGIN,
        witnesses=WITNESSES,
        seed=7,
        sizes=SIZES,
        given={index: some_entries(257, seed=8)[index] for index in (0, 1, 255, 256)},
        inclusion=PLACES,
        consistency=GROWTHS,
        subtrees=SUBTREES,
        inFiles=IN_FILES,
        extra=EXTRA,
    )
    entries = []
    for bundle in bundles_of(LARGEST):
        entries += _lengths_and_entries((folder / bundle.path).read_bytes())
    assert digest_of(entries) == base64.b64decode(told["digest"])
    return GoLog(
        folder,
        VerifierKey.of_text(told["log"]),
        [VerifierKey.of_text(text) for text in told["witnesses"]],
        [base64.b64decode(note) for note in told["checkpoints"]],
        [[[base64.b64decode(one) for one in proof] for proof in kind] for kind in told["proofs"]],
        [base64.b64decode(one) for one in told["subtrees"]],
        Tree(entries),
    )


def _lengths_and_entries(data: bytes) -> list[bytes]:
    """The entries of a bundle, read here on its own so that keepclear's reader is not trusted with its own test."""
    entries = []
    while data:
        length = 256 * data[0] + data[1]
        entries.append(data[2 : 2 + length])
        data = data[2 + length :]
    return entries


# --- keys, checkpoints, cosignatures ---------------------------------------------------------------------------------


def test_the_keys_are_read_and_written_alike(made: GoLog) -> None:
    assert (made.key.name, made.key.kind) == (ORIGIN, SignatureKind.ED25519)
    assert [(key.name, key.kind) for key in made.witnesses] == [(n, SignatureKind.COSIGNATURE) for n in WITNESSES]


def test_every_checkpoint_holds_with_its_cosignatures(go: Peer, made: GoLog) -> None:
    for size, data in zip(SIZES, made.notes, strict=True):
        checkpoint, note = open_checkpoint(data, made.key)
        assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, size, made.tree.root(size))
        assert note.to_bytes() == data
        assert verified(note, [made.key, *made.witnesses]) == (made.key, *made.witnesses)
        theirs = go.ask("checkpoint", note=data, keys=[key.text for key in (made.key, *made.witnesses)])["times"]
        assert {one.key.name: one.time_s for one in cosignatures(note, made.witnesses)} == theirs
        assert set(theirs) == set(WITNESSES)


def test_a_checkpoint_with_any_byte_changed_is_refused(made: GoLog) -> None:
    data = made.notes[-1]
    for at in range(len(data)):
        with pytest.raises(KeepclearError):
            _open_all(spoiled(data, at), made)


def test_a_checkpoint_with_any_byte_of_a_signature_changed_is_refused(made: GoLog) -> None:
    note = Note.of_bytes(made.notes[-1])
    for place, right in enumerate(note.signatures):
        for at in range(len(right.value)):
            wrong = Signature(right.name, right.key_id, spoiled(right.value, at))
            lines = (*note.signatures[:place], wrong, *note.signatures[place + 1 :])
            with pytest.raises(IntegrityError):
                _open_all(Note(note.text, lines).to_bytes(), made)


def _open_all(data: bytes, made: GoLog) -> None:
    _, note = open_checkpoint(data, made.key)
    if len(cosignatures(note, made.witnesses)) != len(made.witnesses):
        raise PeerError("a name or key id was changed: the line is by an unknown key now, and counts for nothing")


# --- proofs ----------------------------------------------------------------------------------------------------------


def test_inclusion_proofs_hold_and_are_ours_to_the_byte(made: GoLog) -> None:
    assert len(PLACES) > 800
    for (index, size), proof in zip(PLACES, made.proofs[0], strict=True):
        leaf = leaf_hash(made.tree.entries[index])
        verify_inclusion(proof, index=index, size=size, leaf=leaf, root=made.tree.root(size))
        assert proof == inclusion_proof(index, size, made.tree.read)


def test_consistency_proofs_hold_and_are_ours_to_the_byte(made: GoLog) -> None:
    for (old, new), proof in zip(GROWTHS, made.proofs[1], strict=True):
        roots = {"old_root": made.tree.root(old), "new_root": made.tree.root(new)}
        verify_consistency(proof, old_size=old, new_size=new, **roots)
        assert proof == consistency_proof(old, new, made.tree.read)


def test_proofs_of_complete_subtrees_hold_and_are_ours_to_the_byte(made: GoLog) -> None:
    assert len(SUBTREES) > 300
    for (level, index, size), proof, subtree in zip(SUBTREES, made.proofs[2], made.subtrees, strict=True):
        start, end = index << level, (index + 1) << level
        root = made.tree.root(size)
        verify_subtree_consistency(proof, start=start, end=end, subtree=subtree, size=size, root=root)
        assert proof == subtree_consistency_proof(start, end, size, made.tree.read)


def test_proofs_that_were_changed_do_not_hold(made: GoLog) -> None:
    for (index, size), proof in list(zip(PLACES, made.proofs[0], strict=True))[::20]:
        about = {"index": index, "size": size, "leaf": made.tree.leaves[index], "root": made.tree.root(size)}
        _all_refused(lambda wrong, about=about: verify_inclusion(wrong, **about), proof)
    for (old, new), proof in list(zip(GROWTHS, made.proofs[1], strict=True))[::20]:
        sizes = {"old_size": old, "new_size": new}
        roots = {"old_root": made.tree.root(old), "new_root": made.tree.root(new)}
        _all_refused(lambda wrong, about={**sizes, **roots}: verify_consistency(wrong, **about), proof)


def _all_refused(verify: Callable[[list[bytes]], None], proof: list[bytes]) -> None:
    verify(proof)
    for wrong in ways_to_spoil(proof, seed=len(proof)):
        with pytest.raises(IntegrityError):
            verify(wrong)


# --- the directory ---------------------------------------------------------------------------------------------------


def test_they_publish_the_files_that_we_would_to_the_byte(made: GoLog) -> None:
    read = hash_reader(made.fetch, LARGEST)
    expected: dict[str, bytes] = {}
    for old, new in zip([0, *SIZES], SIZES, strict=False):
        for tile in tiles_between(old, new):
            first = tile.number << 8
            expected[tile.path] = b"".join(
                made.tree.read([(8 * tile.level, index) for index in range(first, first + tile.width)])
            )
        for bundle in bundles_between(old, new):
            expected[bundle.path] = encode_bundle(made.tree.entries[bundle.start : bundle.start + bundle.width])
    found = {path.relative_to(made.folder).as_posix() for path in (made.folder / "tile").rglob("*") if path.is_file()}
    assert found == set(expected)
    assert [path for path in sorted(expected) if (made.folder / path).read_bytes() != expected[path]] == []
    assert {parse_path(path).path for path in found} == found
    assert read([(0, 0), (16, 0)]) == made.tree.read([(0, 0), (16, 0)])


def test_every_tile_and_every_entry_is_authenticated(made: GoLog) -> None:
    head = made.checkpoint()
    tiles = authenticated(tiles_of(head.size), made.fetch, size=head.size, root=head.root)
    count = 0
    for bundle in bundles_of(head.size):
        entries = authenticated_entries(bundle, (made.folder / bundle.path).read_bytes(), tiles[bundle.tile])
        assert entries == made.tree.entries[bundle.start : bundle.start + bundle.width]
        count += len(entries)
    assert count == LARGEST


def test_the_whole_log_is_walked_and_nothing_is_wrong(made: GoLog) -> None:
    walk, read = _walk(made, {})
    assert walk.leads_to(made.checkpoint().root)
    assert (walk.findings.listed, walk.hashed, walk.unread) == ([], LARGEST, 0)
    assert digest_of(read) == digest_of(made.tree.entries)


@pytest.mark.parametrize(
    "path",
    [
        Tile(0, 0).path,
        Tile(0, 273, 112).path,
        Tile(1, 1, 17).path,
        Tile(2, 0, 1).path,
        Bundle(0).path,
        Bundle(273, 112).path,
    ],
)
def test_a_file_with_a_byte_changed_is_found_out(made: GoLog, path: str) -> None:
    data = (made.folder / path).read_bytes()
    for at in (0, len(data) // 2, len(data) - 1):
        walk, _ = _walk(made, {path: spoiled(data, at)})
        assert not walk.leads_to(made.checkpoint().root) or walk.findings.listed


def _walk(made: GoLog, instead: dict[str, bytes]) -> tuple[Walk, list[bytes]]:
    read: list[bytes] = []
    walk = Walk(
        lambda path: instead.get(path) or (made.folder / path).read_bytes(),
        LARGEST,
        Findings(),
        read_entry=lambda _, entry: read.append(entry),
    )
    return walk, read


# --- proofs in files, and policies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", IN_FILES)
def test_a_proof_in_a_file_holds_and_is_written_alike(made: GoLog, index: int) -> None:
    data = (made.folder / f"{index}.tlog-proof").read_bytes()
    proof = TlogProof.of_bytes(data)
    assert (proof.index, proof.extra, proof.checkpoint) == (index, EXTRA, made.notes[-1])
    assert proof.to_bytes() == data
    _must_hold(proof, made.tree.leaves[index], made)


def test_a_proof_in_a_file_with_any_byte_changed_is_refused_or_says_nothing_else(made: GoLog) -> None:
    index = IN_FILES[4]
    data = (made.folder / f"{index}.tlog-proof").read_bytes()
    unsigned = len(b"c2sp.org/tlog-proof@v1\n"), len(b"c2sp.org/tlog-proof@v1\nextra \n") + len(base64.b64encode(EXTRA))
    for at in range(len(data)):
        try:
            proof = TlogProof.of_bytes(spoiled(data, at))
            _must_hold(proof, made.tree.leaves[index], made)
        except KeepclearError:
            continue
        assert unsigned[0] <= at < unsigned[1], f"byte {at}"
        assert proof.extra != EXTRA


def _must_hold(proof: TlogProof, leaf: bytes, made: GoLog) -> None:
    head, note = open_checkpoint(proof.checkpoint, made.key)
    verify_inclusion(proof.hashes, index=proof.index, size=head.size, leaf=leaf, root=head.root)
    lines = [f"log {made.key.text}", *(f"witness {i} {key.text}" for i, key in enumerate(made.witnesses))]
    policy = parse_policy("\n".join([*lines, "group both all 0 1", "quorum both", ""]).encode(), file="policy")
    if not policy.quorum_met_by(one.key for one in cosignatures(note, policy.witness_keys)):
        raise IntegrityError("too few cosigners")
