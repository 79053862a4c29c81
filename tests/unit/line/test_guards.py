"""What the line refuses to carry, and what it must never refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.line.folding import folded, readings
from keepclear.line.guards import NO_SHARING, Outcome, guard_body, guard_members, guard_text
from keepclear.line.places import places_in
from keepclear.model.extents import Volume
from keepclear.model.footprints import Circle
from keepclear.model.kinds import OperationKind
from keepclear.model.operations import Operation
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.talk import MessageBody, Priority

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "line" / "guards.json").read_text(encoding="utf-8"))
HELD_OUT = json.loads(
    (Path(__file__).parents[2] / "vectors" / "line" / "guards_held_out.json").read_text(encoding="utf-8")
)
POSITIONS = VECTORS["positions"]
PHRASES = [
    (outcome, phrase)
    for name, outcome in (("refuse", Outcome.REFUSE), ("flag", Outcome.FLAG), ("pass", Outcome.PASS))
    for phrases in VECTORS[name].values()
    for phrase in phrases
]
ORDER = f"Strike the house at {POSITIONS[0]}"
every_phrase = pytest.mark.parametrize(("outcome", "phrase"), PHRASES)


def _with(phrase: str, position: str) -> str:
    return phrase.replace("{p}", position)


def test_there_are_enough_phrasings_and_none_is_there_twice():
    counts = [sum(outcome is one for one, _ in PHRASES) for outcome in Outcome]
    assert counts[Outcome.REFUSE] >= 150
    assert counts[Outcome.PASS] >= 250
    assert len(set(PHRASES)) == len(PHRASES)


@pytest.mark.parametrize("position", POSITIONS)
def test_the_way_a_position_is_written_changes_no_verdict(position):
    wrong = [phrase for outcome, phrase in PHRASES if guard_text(_with(phrase, position)).outcome is not outcome]
    assert wrong == []


@pytest.mark.parametrize("name", list(HELD_OUT["right"]))
def test_phrasings_for_which_no_pattern_was_made_are_judged_as_well_as_is_reported(name):
    allowed = {"not_refused": {Outcome.PASS, Outcome.FLAG}}.get(name) or {Outcome[name.upper()]}
    phrases = [_with(phrase, POSITIONS[0]) for phrases in HELD_OUT[name].values() for phrase in phrases]
    right = [phrase for phrase in phrases if guard_text(phrase).outcome in allowed]
    assert len(right) >= HELD_OUT["right"][name]


def test_what_is_held_out_is_not_among_the_phrasings_that_patterns_are_made_for():
    held_out = {phrase for name in HELD_OUT["right"] for phrases in HELD_OUT[name].values() for phrase in phrases}
    assert held_out.isdisjoint(phrase for _, phrase in PHRASES)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("We are pinned at 35.28 40.15, need fire support", Outcome.FLAG),
        ("We are pinned at 35.28 40.15. Strike the house at 35.30 40.20", Outcome.REFUSE),
        ("Our base at 35.28 40.15 is surrounded, shell the ridge at 35.30 40.20", Outcome.REFUSE),
        ("They are pinned at 35.28 40.15, destroy them", Outcome.REFUSE),
        ("We have them surrounded at 35.28 40.15, request air strike", Outcome.REFUSE),
        ("We are under fire from 35.28 40.15, hit it now", Outcome.REFUSE),
    ],
)
def test_who_calls_for_help_may_say_where_they_are_and_not_whom_to_hit(text, outcome):
    assert guard_text(text).outcome is outcome


@every_phrase
def test_case_and_spacing_change_no_verdict(outcome, phrase):
    text = _with(phrase, POSITIONS[0])
    for other in (text, text.upper(), text.lower(), text.replace(" ", "  "), text.replace(" ", "\u00a0"), f" {text}\n"):
        assert guard_text(other).outcome is outcome, other


@every_phrase
def test_without_a_position_nothing_is_refused(outcome, phrase):
    assert guard_text(_with(phrase, "the agreed place")).outcome is Outcome.PASS


@pytest.mark.parametrize("position", POSITIONS)
def test_a_position_is_found_and_is_no_fault(position):
    for text in (position, f"We meet at {position}, as agreed.", f"({position})", position.upper(), position.lower()):
        assert any(places_in(reading) for reading in readings(folded(text))), text
        assert guard_text(text).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "text",
    [
        "10:00-12:00Z",
        "from 08.00 to 10.30",
        "40 km/h",
        "FL150",
        "2019-11-01T09:00:00Z",
        "3 vehicles 12 people",
        "243.0",
    ],
)
def test_what_is_no_position_is_not_taken_for_one(text):
    assert not any(places_in(reading) for reading in readings(folded(text)))


def test_the_spans_point_at_the_words_and_the_sentence_repeats_nothing():
    text = "Good morning. Ѕtrіke  the house at ٣٥٫٢٨١٢ ٤٠٫١٥١٢, please"
    verdict = guard_text(text, member="remarks")
    words, place = (text[span.start : span.end] for span in verdict.spans)
    assert (words.strip(" ."), place) == ("Ѕtrіke", "٣٥٫٢٨١٢ ٤٠٫١٥١٢")
    assert {span.member for span in verdict.spans} == {"remarks"}
    assert verdict.guard == NO_SHARING
    for word in ("35", "40", "٣٥", "trike", "Ѕtrіke", "house"):
        assert word not in verdict.sentence


def test_flash_is_flagged_and_never_refused():
    assert guard_body(MessageBody(text=ORDER, priority=Priority.IMMEDIATE)).outcome is Outcome.REFUSE
    assert guard_body(MessageBody(text=ORDER, priority=Priority.FLASH)).outcome is Outcome.FLAG
    help_ = f"We are being hit at {POSITIONS[0]}"
    assert guard_body(MessageBody(text=help_, priority=Priority.FLASH)).outcome is Outcome.PASS
    for outcome, phrase in PHRASES:
        flash = guard_members({"text": _with(phrase, POSITIONS[0])}, is_flash=True)
        assert flash.outcome is not Outcome.REFUSE
        assert (flash.outcome is Outcome.PASS) == (outcome is Outcome.PASS)


def _operation(name: str = "", remarks: str | None = None) -> OperationBody:
    volume = Volume(Circle(40.15, 35.28, 40_000.0), start_s=0.0, end_s=3600.0)
    return OperationBody.of_model(Operation("A", "1", OperationKind.FLIGHT, (volume,), name=name), remarks=remarks)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (_operation(remarks=ORDER), Outcome.REFUSE),
        (_operation(name=ORDER), Outcome.REFUSE),
        (_operation(name=POSITIONS[0], remarks="Strike it at dawn"), Outcome.REFUSE),
        (_operation(remarks="The target is at the centre"), Outcome.REFUSE),
        (_operation(remarks="We will bomb them"), Outcome.FLAG),
        (_operation(name="Flight 12", remarks="Survey, returns at 10:00Z"), Outcome.PASS),
    ],
)
def test_every_text_of_a_body_is_judged_with_its_geometry(body, outcome):
    assert guard_body(body).outcome is outcome


@pytest.mark.parametrize(
    "members",
    [
        {"anything": [{"deep": ORDER}]},
        {"a": "Strike the house at", "b": POSITIONS[0]},
        {ORDER: 1},
        {"attachments": [{"name": f"target {POSITIONS[0]}.png"}]},
        {"list": [1, 2, ORDER]},
    ],
)
def test_types_that_are_not_known_are_judged_as_well(members):
    assert guard_members(members).outcome is Outcome.REFUSE


def test_what_is_far_from_the_position_is_not_about_it():
    filler = "The elders met, tea was served, and the road was measured. " * 20
    assert guard_text(f"Strike it. {filler} Patrol passes {POSITIONS[0]}").outcome is Outcome.PASS


@pytest.mark.parametrize("unit", ["strike ", "1 ", "do not ", "we are ", "a", ".", "35.28 40.15 ", "N 35 17 "])
def test_long_texts_are_judged_in_bounded_time(unit):
    guard_text((unit * 20_000)[:20_000] + " 35.28 40.15")
