import pytest

from keepclear.errors import InputError, StoreError
from keepclear.node.actors import SYSTEM
from keepclear.node.guarding import RefusedError
from keepclear.node.refusals import NotAllowedError, NotFoundError, StaleError
from keepclear.node.talking import FLASH_TEXT, Attached
from keepclear.record.bodies.talk import CancelBody, Priority
from tests.unit.node.officers_made import CALM, LINE, OFFICER, ORDER, READER, asked, patrol, share, together


@pytest.fixture
def three(tmp_path):
    with together(tmp_path, "A", "B", "C") as made:
        yield made


def test_a_message_reaches_those_it_names_with_what_goes_with_it(three):
    a, b, c = three
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    said = a.talking.say(
        LINE, CALM, by=OFFICER, priority=Priority.SHORT, recipients=["B"], language="en", about=[filed.ref],
        attachments=[Attached("route.txt", "text/plain", b"along the river")],
    )  # fmt: skip
    share(a, b, c)
    body, entry = b.body(said.ref), b.records.entry(said.ref)
    assert (body.text, body.priority, body.language) == (CALM, Priority.SHORT, "en")
    assert body.about[0].ref() == filed.ref
    assert entry.attachments[0].data == b"along the river"
    assert c.body(said.ref) is None
    assert said.warnings == ()
    assert a.did() == ["say", "file"]


def test_who_names_nobody_tells_all(three):
    a, _, _ = three
    said = a.talking.say(None, CALM, by=OFFICER)
    assert a.records.entry(said.ref).leaf.recipients == ("B", "C")


def test_flash_goes_with_nothing_filled_in(three):
    a, b, c = three
    said = a.talking.say(None, by=OFFICER, priority=Priority.FLASH)
    share(a, b, c)
    for node in (b, c):
        assert (node.body(said.ref).text, node.body(said.ref).priority) == (FLASH_TEXT, Priority.FLASH)
    with pytest.raises(InputError):
        a.talking.say(None, by=OFFICER)


def test_flash_is_flagged_where_anything_else_is_refused(three):
    a, _, _ = three
    with pytest.raises(RefusedError):
        a.talking.say(LINE, ORDER, by=OFFICER)
    said = a.talking.say(LINE, ORDER, by=OFFICER, priority=Priority.FLASH)
    assert any("flagged" in one for one in said.warnings)
    (noted,) = a.guards.noted_of(said.ref.origin, said.ref.index)
    assert noted.outcome == "flag"


def test_flash_is_said_before_it_is_judged_and_whatever_the_guard_does(three, monkeypatch):
    a, _, _ = three
    order = []
    say, judge = a.records.say, a.guards.judge
    monkeypatch.setattr(a.records, "say", lambda *told: order.append("say") or say(*told))
    monkeypatch.setattr(a.guards, "judge", lambda *told, **more: order.append("judge") or judge(*told, **more))
    a.talking.say(LINE, "we are being hit", by=OFFICER, priority=Priority.FLASH)
    assert order == ["say", "judge"]


def test_flash_goes_beside_a_log_that_cannot_speak_and_to_those_who_do_not_take_it(three):
    a, _, _ = three
    sent = []
    a.talking.beside = lambda line, body, parties: (
        sent.append((line, body.text, tuple(parties))) or dict.fromkeys(parties, "sent")
    )
    a.stopped["C"] = "its log has forked"
    said = a.talking.say(LINE, "help", by=OFFICER, priority=Priority.FLASH)
    assert said.ref is not None
    assert a.records.entry(said.ref).leaf.recipients == ("B", "C")
    assert sent == [(LINE, "help", ("C",))]
    a.records.stop_saying(LINE, "restored from a copy")
    said = a.talking.say(LINE, "help", by=OFFICER, priority=Priority.FLASH)
    assert said.ref is None
    assert said.beside == {"B": "sent", "C": "sent"}
    assert any("not in the record" in one for one in said.warnings)
    with pytest.raises((InputError, StoreError), match="restored"):
        a.talking.say(LINE, CALM, by=OFFICER)


def test_who_may_not_say_it_does_not(three):
    a, _, _ = three
    for actor, priority in ((READER, Priority.ROUTINE), (READER, Priority.FLASH)):
        with pytest.raises(NotAllowedError):
            a.talking.say(LINE, CALM, by=actor, priority=priority)
    assert a.talking.say(LINE, CALM, by=SYSTEM).ref is not None


def test_what_it_is_about_must_be_here_and_of_the_line(three):
    a, b, _ = three
    filed = b.filing.file(asked(patrol("B")), by=OFFICER)
    with pytest.raises(InputError) as caught:
        a.talking.say(LINE, CALM, by=OFFICER, about=[filed.ref])
    assert caught.value.faults[0].field == "about[0]"


def test_an_attachment_that_a_machine_could_run_is_not_sent(three):
    a, _, _ = three
    with pytest.raises(RefusedError) as caught:
        a.talking.say(LINE, CALM, by=OFFICER, attachments=[Attached("map.exe", "application/x-exe", b"MZ")])
    assert caught.value.guard == "ATTACHMENT_TYPE"


def test_what_was_said_is_taken_back_once(three):
    a, b, c = three
    said = a.talking.say(LINE, CALM, by=OFFICER, recipients=["B"])
    taken = a.talking.withdraw(said.ref, "wrong day", by=OFFICER)
    share(a, b, c)
    assert isinstance(b.body(taken), CancelBody)
    assert c.body(taken) is None
    with pytest.raises(StaleError):
        a.talking.withdraw(said.ref, by=OFFICER)
    with pytest.raises(NotFoundError):
        b.talking.withdraw(said.ref, by=OFFICER)
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    with pytest.raises(NotFoundError):
        a.talking.withdraw(filed.ref, by=OFFICER)


def test_nothing_that_is_optional_keeps_a_flash_from_going(three):
    a, b, _ = three
    unknown = b.filing.file(asked(patrol("B")), by=OFFICER).ref
    for more in (
        {"about": [unknown]},
        {"recipients": ["X"]},
        {"language": "not a language"},
        {"attachments": [Attached("../x", "text", b"")]},
    ):
        with pytest.raises(InputError):
            a.talking.say(LINE, CALM, by=OFFICER, **more)
        said = a.talking.say(LINE, CALM, by=OFFICER, priority=Priority.FLASH, **more)
        assert a.records.entry(said.ref).leaf.recipients == ("B", "C")
        assert any("words alone" in one for one in said.warnings)
