"""`keepclear encounter` and `keepclear claim weigh` on folders and files: what is told, and that it can be proved."""

from __future__ import annotations

import json

import pytest

from keepclear.cli.app import run
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.bodies.talk import AnswerBody, AnswerGiven
from keepclear.record.bodies.watched import ClaimBody
from keepclear.times import to_text
from tests.unit.cli.two_folders import TwoFolders
from tests.unit.watch.encounters_made import HOUR, at, patrol

START = at("2020-05-27T06:00:00Z")
RU_PATH = [(41.22, 37.05), (42.0, 37.2)]
US_PATH = [(41.95, 37.0), (42.00068, 37.2)]
MET = START + 2 * HOUR


def _csv(path, unit, points, start_s, end_s):
    steps = 200
    rows = ["operation,kind,domain,time,lon,lat"]
    for k in range(steps + 1):
        lon, lat = (a + (b - a) * k / steps for a, b in zip(*points, strict=True))
        moment = to_text(start_s + (end_s - start_s) * k / steps)
        rows.append(f"{unit},patrol,ground,{moment},{lon:.6f},{lat:.6f}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def tracks(tmp_path):
    ours = _csv(tmp_path / "ru.csv", "patrol-1", RU_PATH, START, MET)
    theirs = _csv(tmp_path / "us.csv", "patrol-7", US_PATH, START + HOUR, MET)
    return [f"{ours}@ru", f"{theirs}@us"]


@pytest.fixture
def folders(tmp_path):
    """Both filed 26 h ahead and saw what the other filed."""
    pair = TwoFolders(tmp_path / "parties", ("ru", "us"), START - 30 * HOUR)
    said = START - 26 * HOUR
    plans = {
        "ru": patrol("ru", "patrol-1", RU_PATH, [START, MET], late_s=600.0),
        "us": patrol("us", "patrol-7", US_PATH, [START + HOUR, MET], late_s=600.0),
    }
    pair.refs = {
        party: pair.say(party, OperationBody.of_model(plan), said, had_s=said + 60.0) for party, plan in plans.items()
    }
    for party, ref in pair.refs.items():
        body = AnswerBody(to=EntryRefValue.of(ref), answer=AnswerGiven.SEEN)
        pair.say(pair.other(party), body, said + 600.0, had_s=said + 660.0)
    return pair


def _ran(capsys, *arguments):
    status = run([str(one) for one in arguments])
    return status, capsys.readouterr()


def test_two_filed_patrols_that_met_are_deconflicted_and_the_answer_says_why(capsys, tmp_path, tracks, folders):
    status, told = _ran(capsys, "encounter", *tracks, "--record", tmp_path / "parties" / "ru")
    assert status == 1, told.err
    assert "ru patrol-1 and us patrol-7: DECONFLICTED; unsafe" in told.out
    assert "It would be COORDINATED if both had concurred in a measure" in told.out
    assert "1 certain, 0 possible." in told.out


def test_both_parties_folders_tell_the_same(capsys, tmp_path, tracks, folders):
    _, first = _ran(capsys, "encounter", *tracks, "--record", tmp_path / "parties" / "ru", "--json")
    _, second = _ran(capsys, "encounter", *tracks, "--record", tmp_path / "parties" / "us", "--json")
    assert json.loads(first.out)["encounters"] == json.loads(second.out)["encounters"]


def test_every_entry_of_the_evidence_is_proved_by_verify(capsys, tmp_path, tracks, folders):
    place = tmp_path / "parties" / "us"
    _, told = _ran(capsys, "encounter", *tracks, "--record", place, "--json")
    (encounter,) = json.loads(told.out)["encounters"]
    refs = [one["entry"] for one in encounter["evidence"] if one["entry"]]
    assert len(refs) == 4  # two filings, two answers
    for number, ref in enumerate(refs):
        proof, entry, policy = (tmp_path / f"{number}.{kind}" for kind in ("tlog-proof", "json", "policy"))
        which = ("--log", ref["origin"])
        assert _ran(capsys, "log", "proof", place, ref["index"], "-o", proof, "--entry", entry, *which)[0] == 0
        assert _ran(capsys, "log", "policy", place, "-o", policy, *which)[0] == 0
        status, proved = _ran(capsys, "verify", proof, "--entry", entry, "--policy", policy, "--format", "json")
        assert status == 0
        assert json.loads(proved.out)["proved"] is True
    assert {one["track"] for one in encounter["evidence"] if one["track"]} == {"ru patrol-1", "us patrol-7"}


def test_what_counted_only_after_the_beginning_is_no_notice(capsys, tmp_path, tracks):
    pair = TwoFolders(tmp_path / "parties", ("ru", "us"), START - 30 * HOUR)
    plan = patrol("ru", "patrol-1", RU_PATH, [START, MET])
    pair.say("ru", OperationBody.of_model(plan), START - 26 * HOUR, had_s=MET + HOUR)  # dated back, or held back
    status, told = _ran(capsys, "encounter", *tracks, "--record", tmp_path / "parties" / "ru", "--json")
    (encounter,) = json.loads(told.out)["encounters"]
    assert (status, encounter["label"], encounter["flags"]) == (1, "coincidental", ["late", "unsafe"])


def test_without_tracks_the_label_is_about_the_plans(capsys, tmp_path, folders):
    status, told = _ran(capsys, "encounter", "--record", tmp_path / "parties" / "ru", "--json")
    (encounter,) = json.loads(told.out)["encounters"]
    assert (status, encounter["basis"], encounter["label"]) == (1, "plans", "deconflicted")


def test_without_a_record_nothing_is_said_of_what_it_was(capsys, tracks):
    status, told = _ran(capsys, "encounter", *tracks, "--json")
    (encounter,) = json.loads(told.out)["encounters"]
    assert (status, encounter["label"], encounter["certain"]) == (1, None, True)
    status, told = _ran(capsys, "encounter", *tracks)
    assert "within the minima" in told.out
    assert "No record was given" in told.out


def test_the_answer_as_geojson_has_the_tracks_and_the_closest_approach(capsys, tracks):
    _, told = _ran(capsys, "encounter", *tracks, "--geojson")
    features = json.loads(told.out)["features"]
    assert [one["geometry"]["type"] for one in features] == ["LineString"] * 3
    assert features[0]["geometry"]["coordinates"][0] == pytest.approx([42.0, 37.2], abs=1e-3)


def test_tracks_that_stay_apart_are_no_encounter(capsys, tmp_path):
    ours = _csv(tmp_path / "ru.csv", "patrol-1", RU_PATH, START, MET)
    theirs = _csv(tmp_path / "us.csv", "patrol-7", [(41.95, 36.0), (42.0, 36.2)], START, MET)
    status, told = _ran(capsys, "encounter", f"{ours}@ru", f"{theirs}@us")
    assert status == 0
    assert "NO ENCOUNTER FOUND in what is known" in told.out


def test_uncertain_positions_make_it_only_possible(capsys, tmp_path, tracks, folders):
    status, told = _ran(capsys, "encounter", *tracks, "--record", tmp_path / "parties" / "ru", "--accuracy", "15000")
    assert status == 3
    assert "UNDETERMINED" in told.out
    assert "If the positions as reported were exact, it would be DECONFLICTED." in told.out


def test_tracks_that_cannot_be_true_are_refused_with_file_unit_and_position(capsys, tmp_path, tracks):
    status, told = _ran(capsys, "encounter", *tracks, "--now", to_text(START + HOUR))
    assert status == 2
    assert "us.csv: us patrol-7, position 2: time: a position from the future, and 199 more" in told.err
    assert "ru.csv: ru patrol-1, position 102: time: a position from the future" in told.err
    fast = _csv(tmp_path / "fast.csv", "patrol-1", [(41.22, 37.05), (41.4, 37.05)], START, START + 60.0)
    status, told = _ran(capsys, "encounter", f"{fast}@ru")
    assert status == 2  # 80 m at a time, and within what a receiver may be off; but it goes on
    assert "m from position 1 in 30.0 s, 267 m/s" in told.err
    far = tmp_path / "far.csv"
    far.write_text(
        "operation,kind,domain,time,lon,lat\n"
        "p,patrol,ground,2020-05-27T06:00:00Z,41.22,37.05\np,patrol,ground,2020-05-27T06:00:10Z,41.32,37.05\n"
    )
    status, told = _ran(capsys, "encounter", f"{far}@ru")
    assert status == 2
    assert "far.csv: ru p, position 2: time: 8,895 m" in told.err
    assert "m/s" in told.err


def test_plans_are_no_tracks_and_a_folder_without_logs_is_no_record(capsys, tmp_path, tracks):
    assert _ran(capsys, "encounter", *tracks, "--record", tmp_path)[0] == 2
    status, told = _ran(capsys, "encounter")
    assert (status, "nothing to look at" in told.err) == (2, True)


def test_claims_on_the_record_and_in_files_are_weighed(capsys, tmp_path, tracks, folders):
    subject = {"parties": ["ru", "us"], "from_s": START, "to_s": MET}
    members = {
        "subject": subject, "said_by": "a spokesman", "said_s": MET + HOUR, "where": "https://example.org/",
        "words_ref": "first joint patrol",
    }  # fmt: skip
    folders.say("ru", ClaimBody(**members, asserts="joint"), MET + HOUR, had_s=MET + 2 * HOUR)
    place = tmp_path / "parties" / "us"
    status, told = _ran(capsys, "claim", "weigh", *tracks, "--record", place)
    assert status == 1, told.err
    assert told.out.startswith(
        "CONTRADICTED: joint, said by a spokesman at 2020-05-27 09:00:00Z (entry 4 of ru/border/log"
    )
    other = tmp_path / "claim.json"
    other.write_text(json.dumps(members | {"asserts": "not-joint"}))
    status, told = _ran(capsys, "claim", "weigh", *tracks, "--record", place, "--claim", other, "--json")
    assert status == 0, told.err
    (claim,) = json.loads(told.out)["claims"]
    assert claim["weight"] == "supported"
    assert {one["entry"]["origin"] for one in claim["evidence"] if one["entry"]} == {"ru/border/log", "us/border/log"}
