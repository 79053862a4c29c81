"""`keepclear encounter --record`: agreements, batches and exported logs, offline; what is told of them is proved."""

from __future__ import annotations

import json
import shutil

import pytest

from keepclear.agreements.reading import read_agreement
from keepclear.cli.app import run
from keepclear.node.exporting import export_own
from keepclear.record.bodies.agreements import (
    AgreementChangedBody,
    AgreementProposedBody,
    AgreementSignedBody,
    AgreementText,
)
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerBody, AnswerGiven, AttachmentNote
from keepclear.record.bodies.watched import PositionsBody, PositionSource
from keepclear.record.names import KeyName, Purpose
from keepclear.times import to_text
from keepclear.watch.batches import batch_hash, coarsened, read_batch, written
from tests.unit.cli.two_folders import TwoFolders
from tests.unit.watch.encounters_made import HOUR, at, patrol

START = at("2020-05-27T06:00:00Z")
MET = START + 2 * HOUR
AFTER = MET + HOUR
RU_PATH = [(41.22, 37.05), (42.0, 37.2)]
US_PATH = [(41.95, 37.0), (42.0, 37.193)]  # they end 777 m apart
MAIN = """\
agreement: apart
title: Patrols keep apart
version: '1'
parties: [ru, us]
texts:
  - {language: en, authentic: true, file: text.md}
terms:
  - id: apart
    type: MIN_SEPARATION
    clause: c1
    horizontal: 1 km
    kinds: [patrol]
"""
TEXT = "# Protocol\n\n## 1. Distance {#c1}\nPatrols of the parties stay 1 km from each other.\n"
PATHS = {"ru": ("patrol-1", RU_PATH, START), "us": ("patrol-7", US_PATH, START + HOUR)}


def points(party):
    """Where its patrol was, a position every 36 s: time, longitude, latitude."""
    _, ((west, south), (east, north)), start_s = PATHS[party]
    count = round((MET - start_s) / 36.0)
    shares = [k / count for k in range(count + 1)]
    return [
        (start_s + (MET - start_s) * one, west + (east - west) * one, south + (north - south) * one) for one in shares
    ]


def csv(path, party):
    rows = [
        f"{PATHS[party][0]},patrol,ground,{to_text(time_s)},{lon:.6f},{lat:.6f}" for time_s, lon, lat in points(party)
    ]
    path.write_text("\n".join(["operation,kind,domain,time,lon,lat", *rows]) + "\n")
    return f"{path}@{party}"


def batch(party):
    """The same as a batch of its own."""
    lines = [
        json.dumps({"unit": PATHS[party][0], "time": to_text(time_s), "lon_deg": lon, "lat_deg": lat})
        for time_s, lon, lat in points(party)
    ]
    return written(read_batch("\n".join(lines).encode()))


class Said(TwoFolders):
    """Two parties that filed what they would do, and saw it."""

    def __init__(self, place):
        super().__init__(place / "parties", ("ru", "us"), START - 30 * HOUR)
        self.place = place / "parties"
        said = START - 26 * HOUR
        for party, (unit, path, start_s) in PATHS.items():
            plan = OperationBody.of_model(patrol(party, unit, path, [start_s, MET], late_s=600.0))
            ref = self.say(party, plan, said, had_s=said + 60.0)
            seen = AnswerBody(to=EntryRefValue.of(ref), answer=AnswerGiven.SEEN)
            self.say(self.other(party), seen, said + 600.0, had_s=said + 660.0)

    def propose(self, at_s, main=MAIN):
        document = read_agreement({"agreement.yaml": main.encode(), "text.md": TEXT.encode()})
        texts = [
            AgreementText(language=one.language, authentic=one.authentic, sha256=one.sha256) for one in document.texts
        ]
        data = document.canonical()
        body = AgreementProposedBody(
            agreement=document.id, title=document.title, parties=list(document.parties), document=document.hash,
            texts=texts, attachments=[
                AttachmentNote(name="agreement.json", media_type="application/json", size_bytes=len(data))
            ],
        )  # fmt: skip
        return document, self.say("ru", body, at_s, had_s=at_s + 60.0, files=[data])

    def sign(self, party, document, proposal, at_s):
        body = AgreementSignedBody(
            agreement=document.id, document=document.hash, text=document.text_hash, persons=["anna", "boris"],
            proposal=EntryRefValue.of(proposal),
        )  # fmt: skip
        return self.say(party, body, at_s, had_s=at_s + 60.0)

    def agree(self, at_s=START - 28 * HOUR, main=MAIN):
        """Both sign it."""
        document, proposal = self.propose(at_s, main)
        for party in self.parties:
            self.sign(party, document, proposal, at_s + 600.0)
        return document

    def share(self, party, data, *, at_s=AFTER, to=None, accuracy_m=5.0, sent=None, **changed):
        """Share a batch, or other bytes in its place; `to` nobody: commit to it alone."""
        pieces = read_batch(data)
        first, last = (f(float(one.time_s[k]) for one in pieces) for f, k in ((min, 0), (max, -1)))
        members = {
            "batch": batch_hash(data), "unit": PATHS[party][0], "kind": "patrol", "domain": "ground", "from_s": first,
            "to_s": last, "count": sum(map(len, pieces)),
        }  # fmt: skip
        source = PositionSource(name="gps", owner=party, accuracy_m=accuracy_m, max_age_s=300.0)
        noted = AttachmentNote(name="positions.ndjson", media_type="application/x-ndjson", size_bytes=len(data))
        body = PositionsBody(**members | changed, source=source, attachments=[noted])
        return self.say(party, body, at_s, had_s=at_s + 60.0, files=[data if sent is None else sent], to=to)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Both have signed, and both share exactly where they were."""
    said = Said(tmp_path_factory.mktemp("signed"))
    said.agree()
    for party in said.parties:
        said.share(party, batch(party))
    return said


@pytest.fixture
def ask(capsys):
    def asked(*arguments):
        status = run(["encounter", *map(str, arguments)])
        told = capsys.readouterr()
        return status, json.loads(told.out) if told.out.startswith("{") else told.out, told.err

    return asked


def proved(place, ref, folder, capsys):
    """Whether `keepclear verify` proves an entry that was told."""
    files = [folder / f"entry.{kind}" for kind in ("tlog-proof", "json", "policy")]
    which = ["--log", ref["origin"]]
    proof, entry, policy = map(str, files)
    for one in files:
        one.unlink(missing_ok=True)
    assert run(["log", "proof", str(place), str(ref["index"]), "-o", proof, "--entry", entry, *which]) == 0
    assert run(["log", "policy", str(place), "-o", policy, *which]) == 0
    capsys.readouterr()
    status = run(["verify", proof, "--entry", entry, "--policy", policy, "--format", "json"])
    return status == 0 and json.loads(capsys.readouterr().out)["proved"]


def test_a_term_that_was_broken_is_told_with_its_clause_and_every_entry_is_proved(ask, made, tmp_path, capsys):
    tracks = [csv(tmp_path / f"{party}.csv", party) for party in made.parties]
    status, told, err = ask(*tracks, "--record", made.place / "ru", "--agreement", "apart", "--json")
    (encounter,) = told["encounters"]
    assert (status, encounter["label"], err) == (1, "deconflicted", "")
    assert "term-breach" in encounter["flags"]
    assert encounter["minima"]["horizontal_m"] == 1000.0
    terms = [one for one in encounter["terms"] if one["result"] == "breached"]
    assert {(one["agreement"], one["clause"]) for one in terms} == {("apart", "c1")}
    (by_tracks,) = [one["sentence"] for one in terms if "by their tracks" in one["sentence"]]
    assert "ru patrol-1 and us patrol-7 come within 777 m of each other" in by_tracks
    assert "at least 1 km is asked" in by_tracks
    (agreement,) = told["agreements"]
    refs = [*agreement["entries"], *(one["entry"] for one in encounter["evidence"] if one["entry"])]
    assert len(agreement["entries"]) == 3  # the proposal, and two signatures
    assert len(refs) == 7
    assert all(proved(made.place / "ru", ref, tmp_path, capsys) for ref in refs)


def test_the_same_is_told_in_words_by_either_folder(ask, made, tmp_path):
    tracks = [csv(tmp_path / f"{party}.csv", party) for party in made.parties]
    _, first, _ = ask(*tracks, "--record", made.place / "ru")
    _, second, _ = ask(*tracks, "--record", made.place / "us")
    assert first == second
    assert "ru patrol-1 and us patrol-7: DECONFLICTED; term-breach, unsafe" in first
    assert "  BREACHED: Clause c1 (MIN_SEPARATION)" in first
    assert "(apart, document " in first
    assert "Note: what us shared of patrol-7 agrees with the track that was given of it" in first


def test_what_was_shared_is_a_track_without_any_file_and_its_entry_is_proved(ask, made, tmp_path, capsys):
    status, told, _ = ask("--record", made.place / "us", "--json")
    (encounter,) = told["encounters"]
    assert (status, encounter["basis"], encounter["label"]) == (1, "tracks", "deconflicted")
    assert "term-breach" in encounter["flags"]
    assert {(one["party"], one["unit"]) for one in told["batches"]} == {("ru", "patrol-1"), ("us", "patrol-7")}
    assert {one["batch"] for one in told["batches"]} == {batch_hash(batch(party)) for party in made.parties}
    assert all(proved(made.place / "us", one["entry"], tmp_path, capsys) for one in told["batches"])


def test_a_batch_that_was_committed_to_alone_is_told_and_proved_once_its_bytes_are_handed_in(ask, tmp_path):
    said = Said(tmp_path)
    said.share("ru", batch("ru"))
    hidden = said.share("us", batch("us"), to=[])
    status, told, _ = ask("--record", said.place / "ru", "--minima", "1000,100")
    assert status in (1, 3)
    assert f"Note: positions of us (entry {hidden.index} of us/border/log) are left out: " in told
    assert "ru patrol-1 and us patrol-7: DECONFLICTED (basis: plans)" in told  # of the two, one alone was seen
    file = tmp_path / "patrol-7.ndjson"
    file.write_bytes(batch("us"))
    status, told, _ = ask(file, "--record", said.place / "us", "--json", "--minima", "1000,100")
    assert status == 1
    assert f"{file} is the batch that us committed to (entry {hidden.index} of us/border/log)" in told["warnings"]
    assert {one["unit"] for one in told["batches"]} == {"patrol-1", "patrol-7"}
    status, _, err = ask(f"{file}@ru", "--record", said.place / "us")
    assert status == 2
    assert "us has committed to this batch" in err
    file.write_bytes(batch("us").replace(b'"lon_deg":41.95,', b'"lon_deg":41.951,'))
    status, told, _ = ask(f"{file}@us", "--record", said.place / "us", "--json")
    assert any("nothing proves when it was made" in one for one in told["warnings"])


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"sent": b"{}\n"}, "the batch does not have the hash that was said"),
        ({"count": 3}, "and 3 were said"),
        ({"to_s": MET - HOUR}, "the batch has positions of other times than were said"),
        ({"at_s": MET - HOUR}, "it has positions of a time after it was told"),
    ],
)
def test_a_batch_that_is_not_what_was_said_is_told_and_never_used(ask, tmp_path, changed, why):
    said = Said(tmp_path)
    said.share("ru", batch("ru"))
    ref = said.share("us", batch("us"), **changed)
    status, told, _ = ask("--record", said.place / "ru", "--json", "--minima", "1000,100")
    assert status in (1, 3)
    assert ([one["basis"] for one in told["encounters"]], told["tracks"]) == (["plans"], 1)
    (problem,) = [one for one in told["warnings"] if f"(entry {ref.index} of us/border/log) are left out" in one]
    assert why in problem


def test_a_track_that_contradicts_what_was_shared_does_not_hide_it(ask, made, tmp_path):
    false = tmp_path / "us.csv"
    rows = [f"patrol-7,patrol,ground,{to_text(time_s)},{lon:.6f},{lat - 1.0:.6f}" for time_s, lon, lat in points("us")]
    false.write_text("\n".join(["operation,kind,domain,time,lon,lat", *rows]) + "\n")
    status, told, _ = ask(f"{false}@us", "--record", made.place / "ru")
    assert status == 1
    assert "ru patrol-1 and us patrol-7 as shared: " in told
    assert "is not the track that was given of it: each is looked at" in told


def test_what_was_shared_roughly_is_possible_and_an_exact_track_of_it_makes_it_certain(ask, tmp_path):
    said = Said(tmp_path)
    said.share("ru", batch("ru"))
    said.share("us", written([coarsened(one, 5) for one in read_batch(batch("us"))]))
    status, told, _ = ask("--record", said.place / "ru", "--minima", "1000,100")
    assert (status, "0 certain, 1 possible." in told) == (3, True)
    exact = csv(tmp_path / "us.csv", "us")
    status, told, _ = ask(exact, "--record", said.place / "ru", "--minima", "1000,100")
    assert (status, "1 certain, 0 possible." in told) == (1, True)


def test_terms_count_for_as_long_as_they_bound_and_looser_ones_loosen_nothing(ask, tmp_path):
    tracks = [csv(tmp_path / f"{party}.csv", party) for party in ("ru", "us")]
    ended = Said(tmp_path / "a")
    document = ended.agree()
    end = AgreementChangedBody(
        agreement="apart", document=document.hash, change="terminate", persons=["anna", "boris"], reason="over"
    )
    ended.say("ru", end, AFTER, had_s=AFTER + 60.0)
    _, told, _ = ask(*tracks, "--record", ended.place / "us", "--json")
    assert "term-breach" in told["encounters"][0]["flags"]  # it bound them then, though it has ended since
    assert told["agreements"][0]["to"] == to_text(AFTER + 60.0)
    later = Said(tmp_path / "b")
    later.agree(AFTER)
    status, told, _ = ask(*tracks, "--record", later.place / "us", "--json", "--agreement", "apart")
    assert (status, told["encounters"], told["agreements"]) == (0, [], [])
    assert any("no term of it bound anybody" in one for one in told["warnings"])
    looser = Said(tmp_path / "c")
    looser.agree(main=MAIN.replace("1 km", "100 m"))
    status, told, _ = ask(*tracks, "--record", looser.place / "us", "--json", "--accuracy", "150")
    assert (status, told["encounters"][0]["minima"]["horizontal_m"]) == (3, 500.0)


def test_a_document_that_one_party_alone_signed_binds_nobody(ask, tmp_path):
    said = Said(tmp_path)
    document, proposal = said.propose(START - 28 * HOUR)
    said.sign("ru", document, proposal, START - 27 * HOUR)
    tracks = [csv(tmp_path / f"{party}.csv", party) for party in said.parties]
    status, told, _ = ask(*tracks, "--record", said.place / "ru", "--json")
    assert (status, told["encounters"], told["agreements"]) == (0, [], [])


# --- exported logs ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(made, tmp_path_factory):
    """What each of both has said, as `keepclear export` writes it, and the keys."""
    place = tmp_path_factory.mktemp("exported")
    keys = {}
    for party in made.parties:
        folder = made.folders[party]
        with folder.store(readonly=True) as store:
            export_own(store, place / "logs")
        keys[party] = folder.signing_key(KeyName(party, Purpose.MIRROR, "border")).verifier.text
    for party in made.parties:
        cosigner = keys[made.other(party)]
        wanted = ["--cosigner", cosigner, "-o", str(place / f"{party}.policy")]
        assert run(["log", "policy", str(made.place / party), *wanted]) == 0
    return place


def test_exported_logs_of_both_are_a_record_that_says_the_same_as_a_folder(ask, made, exported, tmp_path):
    tracks = [csv(tmp_path / f"{party}.csv", party) for party in made.parties]
    policies = [text for party in made.parties for text in ("--policy", exported / f"{party}.policy")]
    status, told, err = ask(*tracks, "--record", exported / "logs", *policies, "--json")
    _, known, _ = ask(*tracks, "--record", made.place / "ru", "--json")
    assert (status, err) == (1, "")
    assert told["encounters"] == known["encounters"]
    assert told["agreements"] == known["agreements"]
    assert told["batches"] == known["batches"]


def test_exported_logs_are_not_believed_without_a_policy_or_of_a_cosigner_that_none_names(
    ask, made, exported, tmp_path
):
    assert "whose keys are believed is not said" in ask("--record", exported / "logs")[2]
    status, _, err = ask("--record", exported / "logs", "--policy", exported / "ru.policy")
    assert (status, "no policy names the log us/border/log" in err) == (2, True)
    bare = tmp_path / "bare.policy"
    assert run(["log", "policy", str(made.place / "ru"), "-o", str(bare)]) == 0
    status, told, _ = ask("--record", exported / "logs" / "ru.border.log", "--policy", bare)
    assert status == 0
    assert "Note: ru/border/log: no cosigner that a policy names has cosigned it, so nothing in it counts" in told
    status, _, err = ask("--record", made.place / "ru", "--policy", bare)
    assert (status, "not for a party's folder" in err) == (2, True)
    status, _, err = ask("--record", tmp_path)
    assert (status, "there are no logs here" in err) == (2, True)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("entries.jsonl", lambda data: data.replace(b"patrol-1", b"patrol-2"), "body"),
        ("entries.jsonl", lambda data: data + data.splitlines(keepends=True)[0], "not in the log at that place"),
        ("receipts.jsonl", lambda _: b'{"checkpoint":"no note"}\n', "note"),
        ("receipts.jsonl", lambda _: b"\x00\xff\n", "UTF-8"),
        ("checkpoint", lambda _: b"", "note"),
    ],
)
def test_an_export_that_was_changed_is_refused(ask, exported, tmp_path, name, change, says):
    shutil.copytree(exported / "logs" / "ru.border.log", tmp_path / "log")
    file = tmp_path / "log" / name
    file.chmod(0o600)
    file.write_bytes(change(file.read_bytes()))
    status, told, err = ask("--record", tmp_path / "log", "--policy", exported / "ru.policy")
    assert status in (1, 2)
    assert (told, says.casefold() in err.casefold(), "Traceback" in err) == ("", True, False), err
