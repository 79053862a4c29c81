"""The client against real nodes: alarms that leave the machine, tests of a line, bundles, series, and two persons."""

from __future__ import annotations

import json
import sys

import pytest

from keepclear.client.client import Client
from keepclear.client.problems import RefusedError
from keepclear.node.roles import Role
from keepclear.times import to_text
from keepclear.values.alarms import AlarmChannelAsked, PostAsked
from keepclear.values.entries import MessageAsked
from keepclear.values.filings import RecurrenceAsked, SeriesAsked
from keepclear.values.users import UserAsked
from tests.pair_served import LINE, START_S, pair_served, patrol, wait_for

SIREN = "import sys; open(sys.argv[1], 'a').write(sys.stdin.readline().rstrip() + chr(10))"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with pair_served(tmp_path_factory.mktemp("pair")) as places:
        yield places


@pytest.fixture(scope="module")
def siren(pair, tmp_path_factory):
    """What TR's siren has sounded for: a command that writes what it is told."""
    _, tr = pair
    file = tmp_path_factory.mktemp("siren") / "sounded"
    settings = {"argv": [sys.executable, "-S", "-c", SIREN, str(file)]}
    told = tr.client.put_alarm_channel("siren", AlarmChannelAsked(kind="command", settings=settings))
    assert (told.name, told.worked, told.has_secret) == ("siren", True, False)
    post = PostAsked(role="duty officer", holder="Anna", channels=["siren"])
    roster = tr.client.put_roster([post], if_match=tr.client.roster().etag)
    assert [(one.role, one.channels) for one in roster.posts] == [("duty officer", ["siren"])]
    return file


def test_a_flash_of_the_other_party_makes_a_command_run(pair, siren):
    ru, _ = pair
    before = len(siren.read_text().splitlines())
    ru.client.say(MessageAsked(priority="flash", text="in plain words", line=LINE))
    wait_for(lambda: len(siren.read_text().splitlines()) > before)
    sounded = siren.read_text()
    assert "in plain words" not in sounded  # alarms leave the machine without what anybody said
    assert json.loads(sounded.splitlines()[-1])


def test_an_alarm_channel_is_tried_changed_and_dropped(pair, siren):
    _, tr = pair
    before = len(siren.read_text().splitlines())
    (tried,) = tr.client.try_alarm_channels("siren")
    assert (tried.channel, tried.worked) == ("siren", True)
    assert len(siren.read_text().splitlines()) > before
    broken = AlarmChannelAsked(kind="command", settings={"argv": [sys.executable, "-c", "raise SystemExit(3)"]})
    tr.client.put_alarm_channel("broken", broken)
    tagged = tr.client.alarm_channel("broken")
    assert tagged.value.worked is False
    with pytest.raises(RefusedError) as caught:
        tr.client.drop_alarm_channel("broken", if_match='"another"')
    assert caught.value.status == 412
    tr.client.drop_alarm_channel("broken", if_match=tagged.etag)
    assert [one.name for one in tr.client.alarm_channels()] == ["siren"]
    with pytest.raises(RefusedError, match="set up at the machine"):
        tr.with_scopes("keeper", "read", "rosters").put_alarm_channel("theirs", broken)


def test_an_alarm_is_acknowledged_by_a_person(pair):
    _, tr = pair
    tr.node.alarms.sound("disk", "The disk is nearly full.", key="a test")
    alarm = next(one for one in tr.client.alarms() if one.key == "a test")
    seen = tr.client.acknowledge(alarm.id, note="looked")
    assert (seen.note, seen.acknowledged is None) == ("looked", False)
    assert tr.client.alarm(alarm.id).acknowledged_by == seen.acknowledged_by != ""
    assert alarm.id not in [one.id for one in tr.client.alarms()]


def test_a_line_is_tested_and_the_test_comes_back(pair):
    ru, tr = pair
    said = ru.client.test_line(LINE)
    wait_for(lambda: [one for one in tr.client.entries(types=["line-test"], party="RU") if one.id == said.id])
    wait_for(lambda: list(ru.client.entries(types=["line-test"], party="TR")))
    assert not ru.client.status(LINE).channels[0].test_failed


def test_what_is_carried_both_ways_is_taken_once(pair):
    ru, tr = pair
    said = ru.client.say(MessageAsked(line=LINE, text="on a stick"))
    bundle = ru.client.write_bundle(LINE, "TR")
    taken = tr.client.read_bundle(LINE, bundle)
    assert (taken.party, taken.troubles) == ("RU", [])
    wait_for(lambda: [one for one in tr.client.messages(party="RU") if one.id == said.id and one.body])
    assert not any(tr.client.read_bundle(LINE, bundle).entries.values())
    back = ru.client.read_bundle(LINE, tr.client.write_bundle(LINE, "RU"))
    assert (back.party, back.troubles) == ("TR", [])
    more = ru.client.say(MessageAsked(line=LINE, text="on another stick"))
    cut_off = tr.client.read_bundle(LINE, ru.client.write_bundle(LINE, "TR")[:-20])
    assert cut_off.troubles
    wait_for(lambda: [one for one in tr.client.messages(party="RU") if one.id == more.id and one.body])


def test_a_series_is_filed_in_its_time_and_cancelled_day_by_day(pair):
    ru, tr = pair
    first = patrol("RU", "nightly", lon_deg=20.0)
    members = first.model_dump(mode="json", exclude_unset=True)
    until = to_text(START_S + 3.5 * 86_400.0)
    comes = RecurrenceAsked(days=[1, 2, 3, 4, 5, 6, 7], until=until)
    series = ru.client.begin_series(SeriesAsked.model_validate(members | {"recurrence": comes.model_dump(mode="json")}))
    days = wait_for(lambda: (d := list(ru.client.series_days(series.id))) and all(o.state == "filed" for o in d) and d)
    assert len(days) == 4
    wait_for(lambda: {one.entry for one in days} <= {one.id for one in tr.client.operations(party="RU")})
    ru.client.cancel_series_day(series.id, days[1].day, reason="a holiday")
    assert [one.state for one in ru.client.series_days(series.id)] == ["filed", "cancelled", "filed", "filed"]
    ru.client.cancel_series(series.id)
    gone = {one.entry for one in days}
    wait_for(lambda: gone <= {one.id for one in tr.client.operations(party="RU", states=["cancelled"])})
    assert ru.client.series(series.id).cancelled is not None
    assert series.id in [one.id for one in ru.client.all_series()]


def test_what_takes_two_persons_is_done_when_another_confirms_it(pair):
    ru, _ = pair
    anna, boris = _signed_in(ru, "anna"), _signed_in(ru, "boris")
    try:
        proposed = anna.add_user(UserAsked(name="keys", roles=["key-custodian"])).proposal
        assert (proposed.state, [one.id for one in boris.proposals()]) == ("open", [proposed.id])
        with pytest.raises(RefusedError):
            anna.confirm(proposed.id)  # her own
        assert boris.confirm(proposed.id).state == "done"
        assert boris.user("keys").value.roles == ["key-custodian"]
        other = boris.add_user(UserAsked(name="more-keys", roles=["key-custodian"])).proposal
        assert anna.refuse(other.id).state == "refused"
        assert "more-keys" not in [one.name for one in anna.users()]
    finally:
        anna.close()
        boris.close()


def _signed_in(place, name):
    """A client of a person of the party's authority."""
    from keepclear.node.actors import OPERATOR

    given, own = "harbour lantern seven mule", "quiet copper window of march"
    place.node.access.users.add(OPERATOR, name, roles=[Role.PARTY_AUTHORITY], password=given)
    client = Client(place.url)
    client.sign_in(name, given)
    client.change_password(given, own)
    client.sign_in(name, own)
    return client
