import io
import zipfile

import pytest
from typer.testing import CliRunner

from keepclear.cli.app import app
from keepclear.node.refusals import NotAllowedError
from keepclear.record.entry_files import read_entry
from keepclear.record.policies import parse_policy
from keepclear.record.tlog_proofs import TlogProof
from keepclear.record.verifying import verify_entry
from tests.unit.node.officers_made import AUDITOR, OFFICER, READER, START_S, asked, patrol, share, together


@pytest.fixture
def two(tmp_path):
    with together(tmp_path, "A", "B") as made:
        yield made


def verified(files, now_s):
    policy = parse_policy(files.policy, file="policy")
    return verify_entry(TlogProof.of_bytes(files.proof), read_entry(files.entry), policy, now_s=now_s)


def test_a_proof_is_verified_without_us_and_names_who_had_it(two):
    a, b = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    share(a, b)
    files = a.proofs.of(filed.ref, by=OFFICER)
    assert files.receipts == ("B/north/mirror",)
    proved = verified(files, START_S + 3600.0)
    assert [one.key.name for one in proved.held] == ["B/north/mirror"]
    assert b"patrol-1" in files.entry


def test_before_a_receipt_it_says_that_there_is_none_and_that_this_proves_nothing(two):
    a, _ = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    files = a.proofs.of(filed.ref, by=OFFICER)
    assert files.receipts == ()
    assert "proves nothing" in files.sentence
    assert verified(files, START_S + 3600.0).held == ()


def test_the_command_takes_the_files_as_they_are(two, tmp_path, monkeypatch):
    a, b = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    share(a, b)
    files = b.proofs.of(filed.ref, by=OFFICER)
    with zipfile.ZipFile(io.BytesIO(files.zipped())) as packed:
        packed.extractall(tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out")
    assert files.name == f"A-north-{filed.ref.index}"
    arguments = files.sentence.removeprefix("Check it with: keepclear ").split(". ")[0].rstrip(".").split()
    done = CliRunner().invoke(app(), arguments)
    assert done.exit_code == 0, done.output


def test_a_proof_of_anothers_plan_counts_as_reading_it_and_can_do_without_the_body(two):
    a, b = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    share(a, b)
    bare = b.proofs.of(filed.ref, by=READER, with_body=False)
    assert b"patrol-1" not in bare.entry
    assert b.readings.log(by=AUDITOR) == []
    verified(bare, START_S + 3600.0)
    b.proofs.of(filed.ref, by=READER)
    assert [one.by for one in b.readings.log(by=AUDITOR)] == ["mona"]
    assert b.did() == ["proof", "proof"]


def test_who_has_no_right_to_proofs_gets_none(two):
    a, _ = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    from keepclear.node.actors import SYSTEM

    with pytest.raises(NotAllowedError):
        a.proofs.of(filed.ref, by=SYSTEM)
