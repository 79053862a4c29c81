import threading

import pytest
from sqlalchemy import text

from keepclear.errors import InputError, StoreError
from keepclear.line.coarsening import Precision
from keepclear.line.operation_states import OperationState
from keepclear.model.extents import Volume
from keepclear.model.findings import Answer
from keepclear.model.footprints import Circle, Polygon
from keepclear.model.kinds import ZoneKind
from keepclear.model.operations import Operation
from keepclear.node.entry_ids import EntryId
from keepclear.node.guarding import RefusedError
from keepclear.node.refusals import ClashError, NotAllowedError, NotFoundError, StaleError
from keepclear.node.searching import NOTHING_COMPARED
from keepclear.record.bodies.committed import CommitmentBody
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.bodies.talk import CancelBody
from keepclear.store.node.filings import FilingState, filing_of
from tests.unit.node.officers_made import (
    LINE,
    NOON_S,
    OFFICER,
    ORDER,
    READER,
    START_S,
    asked,
    patrol,
    share,
    site,
    together,
)  # fmt: skip


def elsewhere(node, *others):
    """Something far away that others know: an answer can be clear of it."""
    node.filing.file(asked(patrol(node.party, id="elsewhere", lat=10.0)), by=OFFICER)
    share(node, *others)


@pytest.fixture
def two(tmp_path):
    with together(tmp_path, "A", "B") as made:
        yield made


@pytest.fixture
def three(tmp_path):
    with together(tmp_path, "A", "B", "C") as made:
        yield made


def size(node):
    return node.records.size(node.records.own_origin(LINE))


def state(node, ref):
    with node.database.reading() as conn:
        return filing_of(conn, ref).state


def test_what_is_filed_is_shown_its_conflicts_before_and_after_and_reaches_the_other(two):
    a, b = two
    filed = a.filing.file(asked(patrol(), remarks="two vehicles"), by=OFFICER)
    assert filed.found_before.answer is Answer.POSSIBLE
    assert filed.found_before.reasons == (NOTHING_COMPARED,)
    assert filed.committed is None
    assert a.body(filed.ref).remarks == "two vehicles"
    share(a, b)
    assert b.body(filed.ref).to_model().id == "patrol-1"
    theirs = b.filing.file(asked(patrol("B", id="convoy", lon=40.652)), by=OFFICER)
    assert theirs.found_before.answer is Answer.CONFLICT
    assert theirs.found_before.conflicts[0].filing.ref == filed.ref
    assert theirs.found_after.answer is Answer.CONFLICT
    assert a.did() == ["file"]


def test_a_dry_run_tells_nobody_and_keeps_nothing(two):
    a, b = two
    elsewhere(a, b)
    a.filing.file(asked(patrol(id="drill"), exercise=True), by=OFFICER)
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    share(a, b)
    before = size(b)
    assert b.filing.check(patrol("B", id="x"), by=READER).answer is Answer.CONFLICT
    assert b.filing.check(asked(patrol("B", id="x")), by=READER, leaving_out=[filed.ref]).answer is Answer.CLEAR
    drill = asked(patrol("B", id="x", lat=38.0), exercise=True)
    assert b.filing.check(drill, by=READER).answer is Answer.CLEAR
    with pytest.raises(InputError, match="not ours"):
        b.filing.check(patrol("A", id="x"), by=READER)
    assert size(b) == before
    assert b.did() == []


def test_what_filing_would_refuse_is_refused_when_it_is_tried_out(two):
    a, _ = two
    before = size(a)
    assert a.filing.try_out(asked(patrol()), by=OFFICER) == a.filing.file(asked(patrol()), by=OFFICER).warnings
    after = size(a)
    assert after > before
    with pytest.raises(ClashError, match="filed already"):
        a.filing.try_out(asked(patrol()), by=OFFICER)
    (ref,) = a.filing.standing(a.records.ref(a.records.own_origin(LINE), after - 1))
    a.filing.try_out(asked(patrol()), by=OFFICER, instead_of=[ref])
    with pytest.raises(InputError, match="is not on the line"):
        a.filing.try_out(asked(patrol(id="p2"), recipients=("Z",)), by=OFFICER)
    with pytest.raises(NotAllowedError):
        a.filing.try_out(asked(patrol(id="p2")), by=READER)
    assert size(a) == after


def test_who_is_alone_on_a_line_is_told_so(tmp_path):
    with together(tmp_path, "A") as (a,):
        (told,) = [one for one in a.filing.file(asked(patrol()), by=OFFICER).warnings if "alone" in one]
        assert told == (
            "You are alone on this line, so nobody is told: it is only committed to, which proves later that it was "
            "planned now. When others have joined, cancel it and file it anew."
        )


def test_who_may_not_file_does_not(two):
    a, _ = two
    for attempt in (
        lambda: a.filing.file(asked(patrol()), by=READER),
        lambda: a.filing.amend(a.newest(), asked(patrol()), by=READER),
        lambda: a.filing.cancel(a.newest(), by=READER),
    ):
        with pytest.raises(NotAllowedError):
            attempt()


def test_an_id_is_filed_once_until_it_is_cancelled(two):
    a, _ = two
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    with pytest.raises(ClashError, match=f"A:north:{filed.ref.index}"):
        a.filing.file(asked(patrol(hours=2.0)), by=OFFICER)
    a.filing.cancel(filed.ref, by=OFFICER)
    a.filing.file(asked(patrol(hours=2.0)), by=OFFICER)


def test_of_many_who_file_the_same_id_at_once_one_does(two):
    a, _ = two
    outcomes = []

    def file():
        try:
            outcomes.append(a.filing.file(asked(patrol()), by=OFFICER).ref)
        except ClashError:
            outcomes.append(None)

    threads = [threading.Thread(target=file) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(outcomes) == 8
    assert sum(one is not None for one in outcomes) == 1


def test_an_amendment_takes_the_place_of_the_newest_and_of_no_other(two):
    a, b = two
    first = a.filing.file(asked(patrol()), by=OFFICER)
    share(a, b)
    second = a.filing.amend(first.ref, asked(patrol(lat=37.5)), by=OFFICER)
    assert a.body(second.ref).supersedes.ref() == first.ref
    assert a.filing.newest(first.ref) == second.ref
    with pytest.raises(StaleError, match=f"A:north:{second.ref.index}"):
        a.filing.amend(first.ref, asked(patrol(lat=37.6)), by=OFFICER)
    with pytest.raises(StaleError):
        a.filing.cancel(first.ref, by=OFFICER)
    share(a, b)
    assert state(b, first.ref) is FilingState.AMENDED
    assert state(b, second.ref) is FilingState.ACTIVE
    assert a.did() == ["amend", "file"]


def test_of_many_who_amend_at_once_one_does(two):
    a, _ = two
    first = a.filing.file(asked(patrol()), by=OFFICER)
    done, told = [], []

    def amend(number):
        try:
            done.append(a.filing.amend(first.ref, asked(patrol(lat=37.1 + number / 100.0)), by=OFFICER).ref)
        except (StaleError, ClashError) as error:
            told.append(str(error))

    threads = [threading.Thread(target=amend, args=[n]) for n in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (len(done), len(told)) == (1, 5)
    thread = a.projector.thread(first.ref)
    assert thread.superseded_by == done[0]
    assert not thread.odd


def test_a_claim_left_by_a_crash_after_it_was_said_is_found_in_the_log(two, monkeypatch):
    a, _ = two
    first = a.filing.file(asked(patrol()), by=OFFICER)
    say = a.records.say

    def killed(line, outgoing):
        say(line, outgoing)
        raise KeyboardInterrupt  # said, and nobody knows

    monkeypatch.setattr(a.records, "say", killed)
    monkeypatch.setattr("keepclear.node.changing.release", lambda *_: None)  # nor is the claim given up
    with pytest.raises(KeyboardInterrupt):
        a.filing.cancel(first.ref, by=OFFICER)
    monkeypatch.undo()
    cancelled = a.newest()
    with pytest.raises(StaleError):
        a.changing.say(LINE, [], changes=[first.ref], by=OFFICER, what="amend")
    assert a.newest() == cancelled


def test_a_claim_left_by_a_crash_before_it_was_said_is_taken_over_in_time(two, monkeypatch):
    a, _ = two
    first = a.filing.file(asked(patrol()), by=OFFICER)
    monkeypatch.setattr(a.records, "say", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr("keepclear.node.changing.release", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        a.filing.cancel(first.ref, by=OFFICER)
    monkeypatch.undo()
    with pytest.raises(ClashError, match="anna"):
        a.filing.cancel(first.ref, by=OFFICER)
    a.now_s += 61.0
    a.filing.cancel(first.ref, by=OFFICER)
    assert isinstance(a.body(a.newest()), CancelBody)


def test_what_could_not_be_said_can_be_tried_again_at_once(two, monkeypatch):
    a, _ = two
    first = a.filing.file(asked(patrol()), by=OFFICER)

    def full(*_):
        raise StoreError("the disk is full")

    for name in ("say", "say_each"):
        monkeypatch.setattr(a.records, name, full)
    with pytest.raises(StoreError):
        a.filing.amend(first.ref, asked(patrol(lat=37.2)), by=OFFICER)
    with pytest.raises(StoreError):
        a.filing.file(asked(patrol(id="other")), by=OFFICER)
    monkeypatch.undo()
    a.filing.amend(first.ref, asked(patrol(lat=37.2)), by=OFFICER)
    a.filing.file(asked(patrol(id="other")), by=OFFICER)


def test_an_amendment_is_of_the_same_filing(two):
    a, b = two
    first = a.filing.file(asked(patrol()), by=OFFICER)
    for wrong in (
        asked(patrol(id="other")),
        asked(patrol(), exercise=True),
        asked(patrol(), line="south"),
        asked(site(id="patrol-1")),
    ):
        with pytest.raises(InputError):
            a.filing.amend(first.ref, wrong, by=OFFICER)
    share(a, b)
    with pytest.raises(NotFoundError):
        b.filing.amend(first.ref, asked(patrol("B")), by=OFFICER)
    with pytest.raises(NotFoundError):
        b.filing.cancel(first.ref, by=OFFICER)


def test_a_cancelled_filing_leaves_the_search_of_both_at_once(two):
    a, b = two
    elsewhere(a, b)
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    share(a, b)
    (said,) = a.filing.cancel(filed.ref, "the weather", by=OFFICER)
    assert a.body(said).reason == "the weather"
    share(a, b)
    assert b.filing.check(patrol("B", id="x"), by=READER).answer is Answer.CLEAR
    assert a.projector.thread(filed.ref).state is OperationState.CANCELLED
    with pytest.raises(StaleError):
        a.filing.cancel(filed.ref, by=OFFICER)


def test_each_is_told_as_exactly_as_the_filer_chose(three):
    a, b, c = three
    request = asked(patrol(), precision=Precision(10), precision_for={"B": None})
    filed = a.filing.file(request, by=OFFICER)
    share(a, b, c)
    exact, coarse = filed.refs
    assert filed.committed is None  # B has it exactly
    assert (a.records.entry(exact).leaf.recipients, a.records.entry(coarse).leaf.recipients) == (("B",), ("C",))
    assert b.body(exact).precision is None
    assert c.body(coarse).precision.grid_km == 10
    assert b.body(coarse) is None
    assert c.body(exact) is None
    assert all(isinstance(one.footprint, Polygon) for one in c.body(coarse).to_model().volumes)
    assert (b.body(exact).one_of.place, c.body(coarse).one_of.place, c.body(coarse).one_of.of) == (0, 1, 2)
    assert coarse.index == exact.index + 1
    assert b.body(exact).to_model().id == c.body(coarse).to_model().id == "patrol-1"
    # 12 km away: clear of the exact one, and nobody who has the coarse one is told so.
    found = b.filing.check(patrol("B", id="x", lat=37.165), by=READER)
    assert (found.answer, found.notes) == (Answer.CLEAR, ())
    assert state(b, coarse) is state(c, exact) is FilingState.COVERED
    assert c.filing.check(patrol("C", id="x", lat=37.165), by=READER).answer is not Answer.CLEAR


def test_where_nobody_is_told_exactly_the_plan_is_committed_to_and_named(two):
    a, b = two
    filed = a.filing.file(asked(patrol(), precision=Precision(5)), by=OFFICER)
    commitment = a.body(filed.committed)
    assert isinstance(commitment, CommitmentBody)
    assert commitment.body["operation"]["volumes"][0]["footprint"]["radius_m"] == 500.0
    share(a, b)
    assert b.body(filed.ref).committed.ref() == filed.committed
    assert b.body(filed.committed) is None
    away = b.filing.check(patrol("B", id="x", lat=38.5), by=READER)
    assert away.answer is Answer.CLEAR, away.reasons


def test_an_amendment_reaches_all_who_had_any_version_and_no_other(three):
    a, b, c = three
    first = a.filing.file(asked(patrol(), precision=Precision(10), precision_for={"B": None}), by=OFFICER)
    share(a, b, c)
    # C is told no more, B only roughly.
    second = a.filing.amend(first.ref, asked(patrol(lat=37.5), recipients=("B",), precision=Precision(5)), by=OFFICER)
    share(a, b, c)
    for old in first.refs:
        assert state(a, old) is not FilingState.ACTIVE
    assert state(b, first.refs[0]) is FilingState.AMENDED
    assert state(c, first.refs[1]) is FilingState.CANCELLED
    assert b.body(second.ref).precision.grid_km == 5
    assert c.body(second.ref) is None
    assert a.filing.standing(second.ref) == (second.ref,)
    a.filing.cancel(second.ref, by=OFFICER)
    share(a, b, c)
    assert state(b, second.ref) is FilingState.CANCELLED


def test_recipients_that_are_not_named_stay_as_they_were(three):
    a, b, c = three
    first = a.filing.file(asked(patrol(), recipients=("B",)), by=OFFICER)
    second = a.filing.amend(first.ref, asked(patrol(lat=37.5)), by=OFFICER)
    assert a.records.entry(second.ref).leaf.recipients == ("B",)
    share(a, b, c)
    assert c.body(second.ref) is None


def test_who_moves_to_another_precision_is_left_with_nothing_that_stands_no_more(three):
    a, b, c = three
    first = a.filing.file(asked(patrol(), precision=Precision(10), precision_for={"B": None}), by=OFFICER)
    share(a, b, c)
    a.filing.amend(first.ref, asked(patrol(lat=37.5), precision=Precision(10), precision_for={"C": None}), by=OFFICER)
    share(a, b, c)
    for node in (b, c):
        for old in first.refs:
            if node.body(old) is not None:
                assert state(node, old) is not FilingState.ACTIVE
        mine = node.party
        assert node.filing.check(patrol(mine, id="x", lat=37.5), by=READER).answer is not Answer.CLEAR
        assert node.filing.check(patrol(mine, id="x", lat=10.0), by=READER).answer is Answer.CLEAR
        assert node.filing.check(patrol(mine, id="x", lat=37.06), by=READER).conflicts == ()


def test_a_plan_that_nobody_is_told_is_only_committed_to(two):
    a, _ = two
    filed = a.filing.file(asked(patrol(), recipients=()), by=OFFICER)
    assert filed.ref == filed.committed
    assert any("only committed" in one for one in filed.warnings)
    with pytest.raises(InputError, match="said to nobody"):
        a.filing.file(asked(patrol(id="p2"), recipients=(), commit_exact=False), by=OFFICER)


def test_a_commitment_that_nothing_came_of_is_taken_back(two, monkeypatch):
    a, b = two
    elsewhere(a, b)
    say, said = a.records.say_each, []

    def second_fails(line, wanted):
        said.append(wanted)
        if len(said) == 2:
            return [StoreError("the disk is full") for _ in wanted]
        return say(line, wanted)

    monkeypatch.setattr(a.records, "say_each", second_fails)
    with pytest.raises(StoreError):
        a.filing.file(asked(patrol(), precision=Precision(5)), by=OFFICER)
    share(a, b)
    assert isinstance(b.body(a.newest()), CancelBody)
    assert b.filing.check(patrol("B", id="x"), by=READER).answer is Answer.CLEAR


def test_what_was_only_committed_to_is_cancelled_for_all_to_see(two):
    a, b = two
    elsewhere(a, b)
    filed = a.filing.file(asked(patrol(), recipients=()), by=OFFICER)
    share(a, b)
    found = b.filing.check(patrol("B", id="x"), by=READER)
    # What is kept back is not known: the answer is of what is, and says so.
    assert (found.answer, len(found.notes)) == (Answer.CLEAR, 1)
    a.filing.cancel(filed.ref, by=OFFICER)
    share(a, b)
    found = b.filing.check(patrol("B", id="x"), by=READER)
    assert (found.answer, found.notes) == (Answer.CLEAR, ())


def test_a_hazard_area_is_told_wide_and_rounded_and_its_middle_to_nobody(two):
    a, b = two
    filed = a.filing.file(asked(site(kind=ZoneKind.HAZARD_AREA, radius_m=80.0), precision=Precision(10)), by=OFFICER)
    share(a, b)
    assert filed.committed is None
    assert any("hazard" in one for one in filed.warnings)
    origin = a.records.own_origin(LINE)
    for entry in a.records.entries(origin, 0, a.records.size(origin)):
        assert entry.body is None or (
            b"80.0" not in entry.body and b":80," not in entry.body and b"37.06," not in entry.body
        )
    assert b.body(filed.ref).to_model().kind is ZoneKind.HAZARD_AREA


def test_words_that_a_guard_refuses_are_not_filed(two):
    a, _ = two
    before = size(a)
    with pytest.raises(RefusedError):
        a.filing.file(asked(patrol(), remarks=ORDER), by=OFFICER)
    with pytest.raises(RefusedError):
        a.filing.file(asked(patrol(), precision=Precision(10), remarks=ORDER), by=OFFICER)
    assert size(a) == before
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    with pytest.raises(RefusedError):
        a.filing.cancel(filed.ref, ORDER, by=OFFICER)
    assert a.filing.standing(filed.ref)


def test_what_cannot_be_filed_is_told_with_all_that_is_wrong(two):
    a, _ = two
    before = size(a)
    volumes = (
        Volume(Circle(40.0, 37.0, 500.0), start_s=NOON_S, end_s=NOON_S + 400 * 86_400.0),
        Volume(Circle(40.0, 37.0, 3_000_000.0), start_s=NOON_S, end_s=NOON_S + 60.0),
    )
    with pytest.raises(InputError) as caught:
        a.filing.file(asked(Operation("B", "x", None, volumes)), by=OFFICER)
    assert [one.field for one in caught.value.faults] == [
        "operation.party",
        "operation.volumes[0]",
        "operation.volumes[1]",
    ]
    for start_s, problems in (
        (0.0, ["it is over", "an operation is not planned so long ago"]),
        (START_S - 7200.0, ["it is over"]),
        (START_S + 4000 * 86_400.0, ["an operation is not planned so far ahead"]),
        (253_402_290_000.0, ["an operation is not planned so far ahead"]),
    ):
        with pytest.raises(InputError) as caught:
            a.filing.file(asked(patrol(start_s=start_s)), by=OFFICER)
        assert [one.problem for one in caught.value.faults] == problems
    for recipients in (("A",), ("X",)):
        with pytest.raises(InputError) as caught:
            a.filing.file(asked(patrol(), recipients=recipients), by=OFFICER)
        assert caught.value.faults[0].field == "recipients"
    with pytest.raises(InputError, match="no such line"):
        a.filing.file(asked(patrol(), line="south"), by=OFFICER)
    assert size(a) == before


def test_what_is_late_is_said_to_be_and_filed(two):
    a, b = two
    filed = a.filing.file(asked(patrol(start_s=START_S + 3600.0)), by=OFFICER)
    assert any("late" in one and "reason_if_late" in one for one in filed.warnings)
    again = a.filing.file(
        asked(patrol(id="p2", start_s=START_S + 3600.0), reason_if_late="ordered just now"), by=OFFICER
    )
    assert any("late" in one and "reason_if_late" not in one for one in again.warnings)
    share(a, b)
    assert b.body(again.ref).reason_if_late == "ordered just now"
    in_time = a.filing.file(asked(patrol(id="p3"), on_behalf_of="AF"), by=OFFICER)
    assert not any("late" in one for one in in_time.warnings)
    assert a.body(in_time.ref).on_behalf_of == "AF"


def test_an_exercise_is_marked_and_kept_apart(two):
    a, b = two
    elsewhere(a, b)
    filed = a.filing.file(asked(patrol(), exercise=True), by=OFFICER)
    assert a.records.entry(filed.ref).leaf.exercise
    share(a, b)
    assert b.filing.check(patrol("B", id="x"), by=READER).answer is Answer.CLEAR
    assert b.filing.check(patrol("B", id="x"), by=READER, exercise=True).answer is Answer.CONFLICT


def test_nothing_ordinary_goes_to_a_party_whose_log_has_forked(three):
    a, _, _ = three
    a.stopped["B"] = "its log has forked"
    filed = a.filing.file(asked(patrol()), by=OFFICER)
    assert a.records.entry(filed.ref).leaf.recipients == ("C",)
    assert any("forked" in one for one in filed.warnings)
    with pytest.raises(InputError, match="forked"):
        a.filing.file(asked(patrol(id="p2"), recipients=("B",)), by=OFFICER)


def test_no_word_of_a_filing_says_that_it_was_approved(two):
    a, b = two
    filed = a.filing.file(asked(patrol(start_s=START_S + 600.0)), by=OFFICER)
    share(a, b)
    told = " ".join([*filed.warnings, *filed.found_before.reasons]).lower()
    assert "approv" not in told
    assert "permi" not in told.replace("not a permission", "")
    assert isinstance(a.body(filed.ref), OperationBody)


def test_each_of_many_filings_at_once_is_recorded_as_an_act_once(two):
    a, _ = two
    filed = []

    def file(number):
        for one in range(4):
            done = a.filing.file(asked(patrol(id=f"p-{number}-{one}", lat=30.0 + number + one / 10)), by=OFFICER)
            filed.append(done.ref)

    threads = [threading.Thread(target=file, args=[n]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acts = [act for act in a.acts.before(limit=1000) if act.what == "file"]
    assert sorted(act.ref for act in acts) == sorted(str(EntryId.of(ref)) for ref in filed)
    assert {act.user for act in acts} == {OFFICER.user}
    assert len(filed) == 24
    assert not a.projector.besides.any


def test_an_act_that_is_not_written_beside_its_entry_is_written_by_itself(two):
    a, _ = two
    with a.database.writing() as conn:
        conn.execute(text("DROP TABLE cell"))  # the step that takes the entry up fails, and with it what goes beside it
    a.filing.file(asked(patrol(id="p")), by=OFFICER)
    assert a.did().count("file") == 1
