"""Proofs: what somebody needs to check, without us and without a network, what was said and who had it by when.

Three files, as ``keepclear verify`` takes them: the proof (C2SP tlog-proof), the entry, and a policy that names the log
and those who have cosigned it. The policy says whose keys we believe; who does not believe us writes his own.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field

from keepclear.errors import IntegrityError, PeerError
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.entry_ids import EntryId
from keepclear.node.readings import Readings
from keepclear.node.records import Records
from keepclear.node.roles import Scope
from keepclear.record.entries import EntryRef
from keepclear.record.keys import VerifierKey
from keepclear.record.policies import LogTrust, Policy, WitnessTrust, policy_text
from keepclear.record.tlog_proofs import TlogProof

__all__ = ["ProofFiles", "Proofs"]

_NO_RECEIPT = "Nobody else is known to have it yet, which proves nothing: ask again when a receipt has come."


@dataclass(frozen=True, slots=True)
class ProofFiles:
    """What proves an entry.

    Attributes
    ----------
    name
        What to call the files: ``<name>.tlog-proof``, ``<name>.entry.json``, ``<name>.policy``.
    proof, entry, policy
        Their contents.
    receipts
        The names of the keys of those who have cosigned it.
    sentence
        How it is checked, and what is still missing.
    """

    name: str
    proof: bytes = field(repr=False)
    entry: bytes = field(repr=False)
    policy: bytes = field(repr=False)
    receipts: tuple[str, ...]
    sentence: str

    def files(self) -> dict[str, bytes]:
        """Names and contents."""
        return {
            f"{self.name}.tlog-proof": self.proof,
            f"{self.name}.entry.json": self.entry,
            f"{self.name}.policy": self.policy,
        }

    def zipped(self) -> bytes:
        """All of them in one file."""
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in self.files().items():
                # A fixed time: the same files are the same archive.
                packed.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
        return data.getvalue()


class Proofs:
    """Gives proofs.

    Parameters
    ----------
    records, acts
        The node's.
    readings
        Logs who was given another's plan.
    """

    def __init__(self, records: Records, readings: Readings, acts: Acts) -> None:
        self._records, self._readings, self._acts = records, readings, acts

    def of(self, ref: EntryRef, *, by: Actor, with_body: bool = True) -> ProofFiles:
        """The proof of one entry, with the receipts that most of those who have it gave.

        Parameters
        ----------
        with_body
            Give what it says too, where we hold it. The leaf alone proves that something was said, when and to whom,
            and is nobody's secret on the line.

        Raises
        ------
        InputError
            If there is no such entry.
        """
        by.must(Scope.PROOFS)
        # Who is given the body reads it, and is logged as any reader; what has expired is given without.
        entry = self._readings.read(ref, by=by) if with_body else self._records.entry(ref).without_body()
        proof = self._records.proof(ref)
        with self._records.reading(ref.origin) as log:
            key = log.key
        cosigners = self._cosigners(ref, proof)
        policy = Policy((LogTrust(key),), {one.name: WitnessTrust(one) for one in cosigners})
        place = EntryId.of(ref)
        name = str(place).replace(":", "-")
        self._acts.note(by, "proof", ref=str(place), detail={"with_body": entry.body is not None})
        check = f"keepclear verify {name}.tlog-proof --entry {name}.entry.json --policy {name}.policy"
        sentence = f"Check it with: {check}." + ("" if cosigners else f" {_NO_RECEIPT}")
        receipts = tuple(one.name for one in cosigners)
        return ProofFiles(name, proof.to_bytes(), entry.to_json(), policy_text(policy), receipts, sentence)

    def _cosigners(self, ref: EntryRef, proof: TlogProof) -> list[VerifierKey]:
        """Those who have cosigned the proof's checkpoint, by keys that were known when it was taken in."""
        known = [VerifierKey.of_text(text) for text, _ in self._records.cosigned_by(ref.origin, ref.index)]
        found: dict[bytes, VerifierKey] = {}
        for key in known:
            try:
                signed = any(line.is_by(key) for line in proof.note.signatures)
            except (PeerError, IntegrityError):
                continue
            if signed:
                found.setdefault(key.public, key)
        return sorted(found.values(), key=lambda one: one.name)
