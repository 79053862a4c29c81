"""Reports: what they say of findings, on whose clocks, and that nothing in them is taken for markup."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from keepclear.agreements.facts import Evidence, Finding, Result
from keepclear.agreements.report_pages import html_page, markdown_page
from keepclear.agreements.reporting import Happening, Kind, Report, clocks, entry_name, parse_zones, rows_of
from keepclear.errors import InputError
from keepclear.record.entries import EntryRef
from keepclear.times import parse_time

DUE_S = parse_time("2019-10-29T15:00:00Z")
HOSTILE = "<script>alert(1)</script> | [x](y) `z`\n# no heading"


def ref(index, party="RU"):
    return EntryRef(f"{party}/border/log", index, bytes([index]) * 32)


def finding(result, term="depth", **more):
    return Finding(term, "c2", result, more.pop("sentence", f"it is {result}"), **more)


FINDINGS = [
    finding(Result.MET),
    finding(Result.MET),
    finding(Result.MET, "notice", due_s=DUE_S, party="RU", about=ref(3)),
    finding(Result.BREACHED, party="RU", about=ref(4), from_s=DUE_S, to_s=DUE_S + 3600.0),
    finding(Result.BREACHED, "withdraw", due_s=DUE_S, party="TR", evidence=(Evidence(ref=ref(5, "TR")),)),
    finding(Result.NOT_YET, "review", due_s=DUE_S + 86_400.0),
    finding(Result.POSSIBLE, about=ref(6), sentence=HOSTILE, disputed_by=("TR",)),
    finding(Result.NO_DATA, "channel"),
]


def report(**more):
    rows, within = rows_of(FINDINGS, {"depth": "DEPTH_BAND"})
    given = {
        "agreement": "sochi", "title": "Patrols", "line": "border", "document": "9f" * 32, "parties": ("RU", "TR"),
        "state": "in force", "since_s": DUE_S - 86_400.0, "from_s": DUE_S - 86_400.0, "to_s": DUE_S + 7200.0,
        "made_s": DUE_S + 10_000.0, "rows": rows, "within": within, "judged": 5,
        "zones": {"RU": "Europe/Moscow", "TR": "Europe/Istanbul"},
        "happenings": (Happening(DUE_S - 3600.0, HOSTILE, ref(2)),), "notes": ("one was not read",),
    }  # fmt: skip
    return Report(**given | more)


def test_rows_are_sorted_by_gravity_and_what_is_within_is_counted():
    rows, within = rows_of(FINDINGS, {})
    assert [row.kind for row in rows] == [
        Kind.BREACHED, Kind.LATE, Kind.POSSIBLE, Kind.DUE, Kind.DONE, Kind.NO_DATA,
    ]  # fmt: skip
    assert within == {"depth": 2}
    assert report().counts == {
        "breached": 1, "late": 1, "possible": 1, "due": 1, "done": 1, "within": 2, "no data": 1, "disputed": 1,
    }  # fmt: skip


def test_what_is_within_and_disputed_is_listed():
    rows, within = rows_of([finding(Result.MET, disputed_by=("TR",))], {})
    assert [(row.kind, row.disputed) for row in rows] == [(Kind.WITHIN, True)]
    assert within == {}


def test_times_are_those_of_utc_and_of_each_party_across_the_end_of_summer_time():
    zones = {"RU": "Europe/Moscow", "SY": "Asia/Damascus"}
    assert clocks(parse_time("2019-10-24T20:00:00Z"), zones) == "2019-10-24 20:00Z (RU 23:00, SY 23:00)"
    assert clocks(parse_time("2019-10-24T21:30:00Z"), zones) == (
        "2019-10-24 21:30Z (RU 2019-10-25 00:30, SY 23:30)"
    )  # Syrian summer time ended at midnight
    assert clocks(DUE_S, {"RU": "Europe/Moscow", "TR": "Europe/Istanbul"}) == "2019-10-29 15:00Z (RU 18:00, TR 18:00)"
    assert clocks(None, zones) == clocks(float("inf"), zones) == ""


@pytest.mark.parametrize("text", ["RU", "RU=", "=Europe/Moscow", "RU=Moskva", "RU=../../etc/passwd", "RU=/etc/passwd"])
def test_zones_that_are_none_are_refused(text):
    with pytest.raises(InputError) as refused:
        parse_zones(f"TR=Europe/Istanbul,{text}")
    assert [fault.value for fault in refused.value.faults] == [text]


def test_zones_are_read():
    assert parse_zones("") == {}
    assert parse_zones(" RU = Europe/Moscow ,TR=UTC,") == {"RU": "Europe/Moscow", "TR": "UTC"}


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert all(name not in {"src", "href", "onclick"} for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


def test_the_page_shows_what_was_written_as_text_and_loads_nothing():
    page, tags = html_page(report()), Tags()
    tags.feed(page)
    assert "script" not in tags.tags
    assert "<script>alert(1)</script>" in tags.text
    assert "Breached (1)" in tags.text
    assert "due 2019-10-29 15:00Z (RU 18:00, TR 18:00)" in tags.text
    assert "permits nothing" in tags.text
    assert "allowed" not in page.lower()
    assert "approved" not in page.lower()


def test_markdown_has_no_markup_but_its_own():
    lines = markdown_page(report()).splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# Patrols: 2019-10-28 15:00Z to 2019-10-29 17:00Z", "## Breached (1)", "## Late, or due and not done (1)",
        "## Not decided by what is known (1)", "## Still due (1)", "## Done in time (1)", "## Nothing to judge by (1)",
        "## Within the terms", "## Said of the agreement", "## Not known here",
    ]  # fmt: skip
    table = [line for line in lines if line.startswith("| c2")]
    assert all(line.replace("\\|", "").count("|") == 6 for line in table)
    assert not any("<script>" in line for line in lines)
    assert "RU:border:4" in "".join(table)
    assert "TR:border:5" in "".join(table)


def test_json_has_all_findings_with_their_entries():
    told = json.loads(report().to_json())
    assert told["counts"]["disputed"] == 1
    assert told["findings"][0] == {
        "kind": "breached", "result": "breached", "term": "depth", "type": "DEPTH_BAND", "clause": "c2", "party": "RU",
        "sentence": "it is breached", "entry": "RU:border:4", "from": "2019-10-29T15:00:00.000Z",
        "to": "2019-10-29T16:00:00.000Z",
    }  # fmt: skip
    assert told["said"][0]["entry"] == "RU:border:2"


def test_an_entry_is_named_as_people_write_it():
    assert entry_name(ref(7)) == "RU:border:7"
    assert entry_name(EntryRef("RU/border/log/2", 7, bytes(32))) == "RU:border:2:7"
    assert entry_name(None) == ""
