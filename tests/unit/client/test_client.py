"""The client against real nodes: what one party files, says and answers, the other sees."""

from __future__ import annotations

import io
import threading
import zipfile
from datetime import UTC, datetime

import pytest

from keepclear.client.problems import RefusedError
from keepclear.errors import InputError, StoreError
from keepclear.times import to_text
from keepclear.values.entries import AnswerAsked, MessageAsked, ReadBackAsked
from keepclear.values.filings import CheckAsked, DraftAsked
from tests.pair_served import LINE, START_S, pair_served, patrol, wait_for


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with pair_served(tmp_path_factory.mktemp("pair")) as places:
        yield places


def test_a_filing_arrives_conflicts_and_is_answered(pair):
    ru, tr = pair
    filed = ru.client.file(patrol("RU", "p-1"))
    assert filed.found_after.answer == "possible"
    assert "nothing could be compared" in filed.found_after.sentence
    wait_for(lambda: [one.id for one in tr.client.operations(party="RU")] == [filed.id])
    there = wait_for(lambda: (one := tr.client.operation(filed.id).value) and not one.problem and one)
    assert there.thing["id"] == "p-1"
    assert there.starts == datetime.fromtimestamp(START_S, UTC)

    tried = tr.client.check(CheckAsked(operation=patrol("TR", "t-1").operation, line=LINE))
    assert tried.warnings == []
    to_file = CheckAsked(operation=patrol("TR", "t-1").operation, line=LINE, to_file=True, recipients=["RU"])
    assert tr.client.check(to_file).conflicts == tried.conflicts
    with pytest.raises(InputError, match="recipients"):
        tr.client.check(to_file.model_copy(update={"recipients": ["nobody"]}))
    assert tried.answer == "conflict"
    assert tried.conflicts[0].a.party == "TR"
    assert {tried.conflicts[0].a.entry, tried.conflicts[0].b.entry} == {None, filed.id}
    assert not list(tr.client.operations(party="TR"))

    second = tr.client.file(patrol("TR", "t-1"))
    assert second.found_before.answer == "conflict"
    (conflict,) = wait_for(lambda: list(ru.client.conflicts(own=True)))
    assert conflict.answer == "conflict"
    assert {conflict.found.a.entry, conflict.found.b.entry} == {filed.id, second.id}

    item = wait_for(lambda: [one for one in ru.client.inbox().to_answer if one.id == second.id])[0]
    assert item.party == "TR"
    assert not item.overdue
    ru.client.answer(second.id, AnswerAsked(answer="seen"))
    thread = wait_for(lambda: (t := tr.client.thread(second.id)).standings[0].seen and t)
    assert thread.standings[0].answers[0].answer == "seen"
    assert [one.answer for one in tr.client.answers(second.id)] == ["seen"]

    tagged = tr.client.operation(second.id)
    amended = tr.client.amend(second.id, patrol("TR", "t-1", minutes=600), if_match=tagged.etag)
    assert amended.found_after.answer == "clear"
    assert amended.found_after.sentence == "no conflict found in what is known; not a permission"
    wait_for(lambda: [one.state for one in ru.client.conflicts()] == ["resolved"])
    with pytest.raises(RefusedError, match="changed since you read it") as caught:
        tr.client.amend(second.id, patrol("TR", "t-1", minutes=900), if_match=tagged.etag)
    assert caught.value.status == 412


def test_a_read_back_that_differs_is_refused_by_how_much_and_one_that_agrees_is_taken(pair):
    ru, tr = pair
    filed = ru.client.file(patrol("RU", "read-back", lon_deg=41.5))
    wait_for(lambda: [one for one in tr.client.inbox().to_answer if one.id == filed.id])
    wrong = AnswerAsked(
        answer="read back", read_back=ReadBackAsked(place="37.0000N 41.6000E", time=to_text(START_S), datum="WGS 84")
    )
    with pytest.raises(RefusedError, match="km") as caught:
        tr.client.answer(filed.id, wrong)
    assert caught.value.status == 422
    right = AnswerAsked(
        answer="read back", read_back=ReadBackAsked(place="37.0000N 41.5000E", time=to_text(START_S), datum="WGS 84")
    )
    tr.client.answer(filed.id, right)
    answers = wait_for(lambda: list(ru.client.answers(filed.id)))
    assert [(one.answer, one.void) for one in answers] == [("read back", None)]


def test_a_message_goes_over_and_flash_goes_empty(pair):
    ru, tr = pair
    said = ru.client.say(MessageAsked(line=LINE, text="\u2028 من يسمع؟", language="ar"))
    there = wait_for(lambda: [one for one in tr.client.messages() if one.id == said.id and one.body])[0]
    assert there.body["text"] == "\u2028 من يسمع؟"
    flash = ru.client.say(MessageAsked(priority="flash"))
    wait_for(lambda: [one.id for one in tr.client.messages()][:1] == [flash.id])
    with pytest.raises(RefusedError, match="text"):
        ru.client.say(MessageAsked(line=LINE))


def test_the_same_key_says_something_once(pair):
    ru, _ = pair
    first = ru.client.say(MessageAsked(line=LINE, text="once"), key="the-same")
    again = ru.client.say(MessageAsked(line=LINE, text="once"), key="the-same")
    assert first.id == again.id
    with pytest.raises(RefusedError):
        ru.client.say(MessageAsked(line=LINE, text="something else"), key="the-same")


def test_lists_are_read_to_their_end_in_order_without_doubles(pair):
    ru, _ = pair
    said = [ru.client.say(MessageAsked(line=LINE, text=f"number {n}")).id for n in range(7)]
    page = ru.client.requests.get("/messages", limit=3)
    assert [one["id"] for one in page["items"]] == said[:-4:-1]
    found, cursor = [], None
    while True:
        page = ru.client.requests.get("/entries", limit=3, cursor=cursor)
        found += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(set(found)) == len(found)
    assert found == [one.id for one in ru.client.entries()]
    sizes = sum(ru.node.records.size(origin) for origin in ru.node.records.origins(LINE))
    assert len(found) == sizes
    assert {one.type for one in ru.client.entries(types=["message"])} == {"message"}
    assert {one.party for one in ru.client.entries(party="TR")} == {"TR"}


@pytest.mark.parametrize(
    ("area", "is_there"),
    [
        ((179.0, -1.0, -179.0, 1.0), True),
        ((-180.0, -90.0, 180.0, 90.0), True),
        ((170.0, -1.0, 179.0, 1.0), False),
        ((-179.0, -1.0, 179.0, 1.0), False),
    ],
)
def test_areas_go_across_the_antimeridian(pair, area, is_there):
    ru, _ = pair
    asked = patrol("RU", "far-east", lon_deg=180.0)
    members = asked.model_dump(mode="json", exclude_unset=True)
    members["operation"]["volumes"][0]["footprint"]["lat_deg"] = 0.0
    if not [one for one in ru.client.operations() if one.thing_id == "far-east"]:
        ru.client.file(type(asked).model_validate(members))
    found = [one.thing_id for one in ru.client.operations(area=area)]
    assert ("far-east" in found) is is_there


def test_filters_by_time_have_1970_and_9999_and_refuse_naive_ones(pair):
    ru, _ = pair
    ru.client.file(patrol("RU", "timed", lon_deg=30.0))
    first, last = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert "timed" in [one.thing_id for one in ru.client.operations(from_=first, to=last)]
    assert "timed" not in [one.thing_id for one in ru.client.operations(from_=first, to=first)]
    assert "timed" not in [one.thing_id for one in ru.client.operations(from_=last)]
    with pytest.raises(InputError, match="no zone"):
        list(ru.client.operations(from_=datetime(2026, 1, 1)))  # noqa: DTZ001  # that it is naive is the point
    for text in ("2026-01-01T00:00:00", "yesterday", "2026-02-30T00:00:00Z", "10000-01-01T00:00:00Z"):
        with pytest.raises(RefusedError) as caught:
            ru.client.requests.get("/operations", **{"from": text})
        assert caught.value.status == 422
        assert caught.value.faults[0].field == "from"


def test_many_are_filed_in_one_request_and_what_is_wrong_with_one_is_told_of_it(pair):
    ru, tr = pair
    asked = [patrol("RU", "many-1"), patrol("RU", "many-1"), patrol("TR", "many-2"), patrol("RU", "many-3")]
    done = ru.client.file_all(asked, key="these-four")
    assert [one.filed is not None for one in done] == [True, False, False, True]
    assert [one.problem.status for one in done[1:3]] == [409, 422]
    assert ru.client.file_all(asked, key="these-four") == done
    wait_for(lambda: {done[0].filed.id, done[3].filed.id} <= {one.id for one in tr.client.operations(party="RU")})
    with pytest.raises(RefusedError, match=r"filings\[1\]"):
        ru.client.file_all([patrol("RU", "many-4"), patrol("TR", "many-5")], all_or_none=True)
    assert not [one for one in ru.client.operations() if one.thing_id == "many-4"]


def test_a_draft_is_private_until_it_is_filed(pair):
    ru, tr = pair
    plan = patrol("RU", "drafted", lon_deg=35.0)
    far = tr.client.file(patrol("TR", "far-away", lon_deg=-120.0))  # something to compare with
    wait_for(lambda: far.id in [one.id for one in ru.client.operations()])
    draft = ru.client.keep_draft(DraftAsked(line=LINE, operation=plan.operation))
    found = ru.client.check_draft(draft.id)
    assert (found.answer, found.conflicts) == ("clear", [])
    tagged = ru.client.draft(draft.id)
    changed = ru.client.change_draft(
        draft.id, DraftAsked(line=LINE, operation=plan.operation, remarks="x"), if_match=tagged.etag
    )
    assert changed.version == 2
    with pytest.raises(RefusedError) as caught:
        ru.client.drop_draft(draft.id, if_match=tagged.etag)
    assert caught.value.status == 412
    filed = ru.client.file_draft(draft.id)
    wait_for(lambda: filed.id in [one.id for one in tr.client.operations()])
    with pytest.raises(RefusedError) as caught:
        ru.client.draft(draft.id)
    assert caught.value.status == 404


def test_a_cancelled_filing_is_cancelled_there_too(pair):
    ru, tr = pair
    filed = ru.client.file(patrol("RU", "cancelled", lon_deg=33.0))
    ru.client.cancel_operation(filed.id, if_match=ru.client.operation(filed.id).etag, reason="weather")
    wait_for(lambda: filed.id in [one.id for one in tr.client.operations(states=["cancelled"])])
    assert ru.client.operation(filed.id).value.state == "cancelled"


def test_a_proof_is_a_zip_of_files_for_verify(pair):
    ru, _ = pair
    said = ru.client.say(MessageAsked(line=LINE, text="to be proved"))
    names = zipfile.ZipFile(io.BytesIO(ru.client.proof(said.id))).namelist()
    assert {name.partition(".")[2] for name in names} == {"tlog-proof", "entry.json", "policy"}


def test_events_are_followed_and_resumed(pair):
    ru, tr = pair
    stop, got = threading.Event(), []

    def read():
        for event in tr.client.events(types=["message"], stop=stop):
            got.append(event)
            if stop.is_set():
                return

    reader = threading.Thread(target=read)
    reader.start()
    wait_for(lambda: "keepclear_event_streams 1.0" in _metrics(tr))
    said = [ru.client.say(MessageAsked(line=LINE, text=f"event {n}")).id for n in range(3)]
    wait_for(lambda: said[-1] in [one.entry for one in got])
    stop.set()
    ru.client.say(MessageAsked(line=LINE, text="the last, for which the reader waits"))
    reader.join(20)
    told = [one.entry for one in got]
    assert [one for one in dict.fromkeys(told) if one in said] == said
    assert [one.id for one in got] == sorted({one.id for one in got})
    following = tr.client.events(after=got[0].id, types=["message"])
    assert [next(following) for _ in got[1:]] == got[1:]


def test_events_so_far_are_given_and_then_it_ends(pair):
    ru, tr = pair
    filed = ru.client.file(patrol("RU", "so-far"))
    wait_for(lambda: filed.id in [one.id for one in tr.client.operations(party="RU")])
    for node in pair:
        told = [one for one in node.client.events(after=0, types=["filing"], wait=False) if one.entry == filed.id]
        assert {one.type for one in told} == {"filing"}
    assert next(ru.client.events(after=0, types=["filing"])).type == "filing"
    assert list(ru.client.events(wait=False)) == []
    with pytest.raises(RefusedError, match=r"no event is of this type .*one of: .*filing"):
        next(ru.client.events(after=0, types=["filings"]))


def test_events_of_a_node_that_is_not_there_are_not_waited_for(pair):
    from keepclear.client.client import Client

    with Client("http://127.0.0.1:9", token="kc_wrong_wrong") as client, pytest.raises(StoreError, match="not answer"):
        next(client.events())


def test_wrong_credentials_are_told_as_such(pair):
    from keepclear.client.client import Client

    ru, _ = pair
    with Client(ru.url, token="kc_wrong_wrong") as client, pytest.raises(RefusedError) as caught:
        client.inbox()
    assert caught.value.status == 401
    with Client(ru.url) as client, pytest.raises(RefusedError) as caught:
        next(client.events())
    assert caught.value.status == 401


def test_health_and_numbers(pair):
    ru, _ = pair
    assert ru.client.is_alive().alive
    assert ru.client.readiness().ready
    told = _metrics(ru)
    assert f'keepclear_channel_state{{line="{LINE}",party="TR",state="up"}} 1.0' in told
    assert f'keepclear_log_entries{{line="{LINE}",log="RU/{LINE}/log"}}' in told
    assert 'keepclear_requests_total{method="GET",route="/api/v1/lines/{line}",status="200"}' in told


def test_a_node_that_is_not_there_is_told_as_such():
    from keepclear.client.client import Client
    from keepclear.errors import StoreError
    from tests.nodes import free_port

    with (
        Client(f"http://127.0.0.1:{free_port()}", token="x") as client,
        pytest.raises(StoreError, match="does not answer"),
    ):
        client.inbox()


def _metrics(place):
    return place.client.requests.http.get("/metrics").text
