"""What `agreement`, `joint`, `measure`, `incident` and `claim` refuse at a node: in words, and nothing is half done."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from keepclear.cli.app import run
from keepclear.node.agreeing import Signing
from keepclear.node.roles import Role
from keepclear.record.bodies.plans import OperationBody
from keepclear.values.agreements import AgreementProposalAsked
from tests.pair_served import LINE, START_S, pair_served, wait_for
from tests.unit.node.agreements_made import (
    AGREEMENT,
    BORDER,
    MAIN,
    PASSWORDS,
    TEXT,
    document,
    members,
    people,
    sign,
)
from tests.unit.node.watch_made import CHIEF, DEPUTY
from tests.unit.watch.encounters_made import patrol

pytestmark = pytest.mark.slow
SOUTH = "south"
AT = datetime.fromtimestamp(START_S, UTC).isoformat()
EARLIER = datetime.fromtimestamp(START_S - 3600.0, UTC).isoformat()
LATER = datetime.fromtimestamp(START_S + 3600.0, UTC).isoformat()
PLAN = {
    "id": "jp-1", "title": "Joint patrol", "start": AT, "end": LATER,
    "participants": [{"party": party, "role": f"patrol of {party}", "platforms": 2} for party in ("RU", "TR")],
    "operations": [
        OperationBody.of_model(
            patrol(party, f"joint-{party}", [(40.5, 36.95), (40.6, 36.95)], [START_S, START_S + 3000.0])
        ).members()["operation"]
        for party in ("RU", "TR")
    ],
}  # fmt: skip


class Desk:
    """A party's folder, beside files that its people have, with a node that others serve."""

    def __init__(self, place, path):
        self.place, self.path = place, path
        self.own = self.file("own", PASSWORDS[1])
        self.words = {"D": str(path / "RU"), "here": str(path), "own": self.own, "AT": AT, "EARLIER": EARLIER}
        self.words |= {"as_anna": f"--user anna --password-file {self.own} --yes"}

    def file(self, name, data):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    def agreement(self, name, **changed):
        """The folder of an agreement; `changed` puts one text in the place of another in its file."""
        main = MAIN.format(version=name, depth="10 km", more="").replace("agreement: sochi", f"agreement: {name}")
        for before, after in changed.get("main", ()):
            assert before in main
            main = main.replace(before, after)
        files = {"agreement.yaml": main, "text.md": TEXT.format(depth="10 km", apart="3 km")}
        for one, data in (files | {"border.geojson": json.dumps(BORDER)}).items():
            self.file(f"{name}/{one}", data)

    def state(self):
        """How much the party has said, and all that waits for a second person."""
        node = self.place.node
        said = []
        for origin in (origin for line in (LINE, SOUTH) for origin in node.records.own_origins(line)):
            with node.records.reading(origin) as log:
                said.append(log.size)
        return said, [(one.id, one.state) for one in node.access.two_persons.before(limit=100)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """An agreement in force, one that the other party proposed twice, and a joint plan that is on two lines."""
    path = tmp_path_factory.mktemp("desk")
    with pair_served(path) as (ru, tr):
        _in_force(ru, tr, people(ru, "anna", "boris"))
        draft = members(document())
        first, second = (draft | {"agreement": "other", "version": version} for version in ("1", "2"))
        said = tr.client.propose_agreement(AgreementProposalAsked(document=first))
        wait_for(lambda: _versions(tr, "other") == 1)
        tr.client.counter_agreement("other", AgreementProposalAsked(document=second, counters=said.id))
        _second_line(ru, tr)
        ru.node.folder.announce(ru.url)
        people(ru, "nadia", role=Role.DUTY_OFFICER)
        made = Desk(ru, path)
        for name, data in (
            ("nul", "a\0b"),
            ("latin", b"a: \xff\n"),
            ("list.json", "[1]"),
            ("half.json", '{"id": "p"}'),
        ):
            made.file(name, data)
        with (path / "big").open("wb") as file:
            file.truncate(100_000_000)
        made.agreement("good")
        made.agreement("parsecs", main=[("10 km", "10 parsecs")])
        made.agreement("bare", main=[("10 km", "10")])
        made.agreement("strangers", main=[("[RU, TR]", "[US, TR]")])
        made.file("plan.json", json.dumps(PLAN))
        made.file("times.json", json.dumps(PLAN | {"start": "11:00", "end": "yesterday"}))
        made.file("plans.json", json.dumps(PLAN | {"plans": 5}))
        made.file("operations.json", json.dumps(PLAN | {"operations": 5, "plans": ["plan.json"]}))
        made.file("nofile.json", json.dumps(PLAN | {"plans": ["none.geojson"]}))
        made.file("who.json", json.dumps(PLAN | {"participants": PLAN["participants"][:1]}))
        for line in (LINE, SOUTH):
            assert run(["joint", "propose", str(path / "RU"), str(path / "plan.json"), "--line", line]) == 0
        wait_for(lambda: len(list(tr.client.joint_plans())) == 2 and _versions(ru, "other") == 2)
        yield made


def _in_force(ru, tr, ours):
    """Two persons of each sign what the first has proposed."""
    made = document()
    ru.client.propose_agreement(AgreementProposalAsked(document=members(made)))
    for place in (ru, tr):
        wait_for(lambda place=place: _versions(place, AGREEMENT) == 1)
    sign(*ours, made)
    proposal = tr.node.agreeing.sign(Signing(line=LINE, agreement=AGREEMENT, document=made.hash), by=CHIEF)
    tr.node.access.two_persons.confirm(DEPUTY, proposal.id)
    wait_for(lambda: ru.client.agreement(AGREEMENT).state == "in force")


def _versions(place, name):
    return sum(len(place.client.agreement(name).versions) for one in place.client.agreements() if one.id == name)


def _second_line(ru, tr):
    ru.client.begin_line("South", line=SOUTH)
    _, invitation = ru.client.invite(SOUTH)
    tr.client.join(invitation, ru.words)
    wait_for(lambda: list(ru.client.acceptances(SOUTH)))
    ru.client.admit(SOUTH, "TR", tr.words)
    for place in (ru, tr):
        wait_for(lambda place=place: len(place.client.line(SOUTH).members) == 2)


AGREEMENTS = [
    ("sign {D} nosuch {as_anna}", "NAME: no such agreement (got 'nosuch'); one of: other, sochi"),
    ("sign {D} nosuch --line south {as_anna}", "no such agreement on south (got 'nosuch'); none was proposed on south"),
    ("sign {D} ../operations {as_anna}", "NAME: not what an agreement can be called (got '../operations')"),
    ("status {D} sochi/report", "NAME: not what an agreement can be called (got 'sochi/report')"),
    ("status {D} sochi?x=1", "NAME: not what an agreement can be called (got 'sochi?x=1')"),
    ("sign {D} sochi {as_anna}", "--document: your party has signed this document already"),
    ("sign {D} other {as_anna}", "--document: which document is meant is not said; six characters or more of one of: "),
    ("sign {D} other --document 12345678 {as_anna}", "no document of other begins so (got '12345678'); six characters"),
    ("sign {D} other --document {sochi} {as_anna}", "no document of other begins so (got '{sochi:.50}"),
    (
        "sign {D} other --document {other} --in-force 11:00 {as_anna}",
        "--in-force: not a time (got '11:00'); write it as",
    ),
    ("sign {D} other --yes", "Missing option '--user'"),
    ("sign {D}", "Missing argument 'NAME'"),
    ("sign {D} other --user nobody --password-file {own} --yes", "--user: name and password do not belong together"),
    ("sign {D} other --user nadia --password-file {own} --yes", "a user of yours with the role party-authority"),
    ("suspend {D} sochi --user nadia --password-file {own} --yes", "--user: may not sign for your party, nor suspend"),
    ("sign {D} other --user anna --password-file {here}/nul --yes", "{here}/nul: password: a control character"),
    ("sign {D} other --user anna --password-file {here}/latin --yes", "{here}/latin: not text in UTF-8; a file whose"),
    ("sign {D} other --user anna --password-file {here}/big --yes", "{here}/big: more than 10,000 bytes; a file whose"),
    ("sign {D} other --user anna --password-file {here}/none --yes", "{here}/none: cannot be read: No such file"),
    ("sign {D} other --document {other} --user anna --password-file {own}", "give --yes"),
    ("suspend {D} sochi --from yesterday {as_anna}", "--from: not a time (got 'yesterday'); write it as RFC 3339"),
    (
        "terminate {D} sochi --document ffffffff {as_anna}",
        "--document: no document of sochi begins so (got 'ffffffff')",
    ),
    ("resume {D} sochi {as_anna}", "to resume it would have no effect: nobody has suspended it; one that is suspended"),
    (
        "withdraw {D} sochi --yes",
        "to withdraw it would have no effect: it is in force; a document that is not in force",
    ),
    ("propose {D} {here}/nul --yes", "{here}/nul: not YAML: unacceptable character #x0000"),
    ("propose {D} {here}/latin --yes", "{here}/latin: not UTF-8 at byte 3; save it as UTF-8"),
    ("propose {D} {here}/big --yes", "{here}/big: more than 16,777,216 bytes; the folder of an agreement"),
    ("propose {D} {here}/none --yes", "{here}/none: cannot be read: No such file or directory; the folder of an"),
    ("propose {D} {here}/list.json --yes", "{here}/list.json: "),
    (
        "propose {D} {here}/parsecs --yes",
        "{here}/parsecs/agreement.yaml: line 8, term depth: max: parsecs is no unit of a",
    ),
    ("propose {D} {here}/bare --yes", "{here}/bare/agreement.yaml: line 8, term depth: max: "),
    (
        "propose {D} {here}/strangers --line north --yes",
        "is not on the line, so it can never sign (got 'US'); parties of the line: ",
    ),
    (
        "propose {D} {here}/good --line nowhere --yes",
        "line: there is no such line (got 'nowhere'); one of: north, south",
    ),
    ("propose {D} {here}/good --yes", "--line"),
    (
        "counter {D} {here}/good --line north --yes",
        "NAME: no such agreement on north (got 'good'); one of: other, sochi",
    ),
    ("counter {D} {here}/sochi.json --line north --yes", "--against: no other party has proposed anything of sochi"),
    (
        "counter {D} {here}/sochi.json --line north --against RU:north:0 --yes",
        "--against: no entry that proposes sochi",
    ),
    ("counter {D} {here}/sochi.json --line north --against rubbish --yes", "(got 'rubbish'); one of: RU:north:"),
    ("query {D} nosuch What?", "NAME: no such agreement (got 'nosuch'); one of: other, sochi"),
    ("query {D} sochi What? --term nosuch", "term: no such term (got 'nosuch'); one of: depth"),
    ("exempt {D} sochi --term depth --activity x --from {AT} --to {EARLIER}", "--to: the end is before the start"),
    ("exempt {D} sochi --term depth --activity x --from 11:00 --to 12:00", "--to: not a time (got '12:00')"),
    (
        "exempt {D} sochi --term none --activity x --from {EARLIER} --to {AT}",
        "no such term (got 'none'); one of: depth",
    ),
    ("deliver {D} sochi --term depth --what x --due 1.2.2035", "--due: not a time (got '1.2.2035'); write it as"),
    ("affiliate {D} sochi SY --stance maybe", "--stance: unknown choice (got 'maybe'); one of: asserts, confirms"),
    ("affiliate {D} sochi SY --by XX", "by: is not on the line (got 'XX'); one of: RU, TR"),
    ("report {D} sochi --from {AT} --to {EARLIER}", "--to: the end is before the start"),
    ("report {D} sochi --zone RU=Nowhere/Land", "zone: not a party's time zone (got 'RU=Nowhere/Land'); PARTY=ZONE"),
    ("read {D} sochi --document 12", "--document: no document of sochi begins so (got '12'); six characters or more"),
    ("read {D} sochi -o {here}", "{here}"),
]
OTHERS = [
    ("joint propose {D} {here}/nul --line north", "{here}/nul: not YAML: unacceptable character #x0000"),
    ("joint propose {D} {here}/latin --line north", "{here}/latin: not UTF-8 at byte 3; save it as UTF-8"),
    ("joint propose {D} {here}/big --line north", "{here}/big: more than 1,048,576 bytes; a plan as JSON or YAML"),
    ("joint propose {D} {here}/list.json --line north", "{here}/list.json: not a plan; a plan as JSON or YAML"),
    ("joint propose {D} {here}/half.json --line north", "{here}/half.json: participants: Field required; give it"),
    (
        "joint propose {D} {here}/times.json --line north",
        "{here}/times.json: start: not a time (got '11:00'); write it",
    ),
    ("joint propose {D} {here}/who.json --line north", "{here}/who.json: participants: "),
    ("joint propose {D} {here}/plan.json --line north", "this very plan was proposed before"),
    ("joint sign {D} nosuch {as_anna}", "PLAN: not what a plan is called (got 'nosuch'); a plan's hash"),
    ("joint sign {D} 0123456789abcdef {as_anna}", "plan: no such joint plan (got '0123456789abcdef'); the hash of one"),
    ("joint sign {D} RU:north:0 {as_anna}", "PLAN: no entry that proposes a plan (got 'RU:north:0')"),
    ("joint sign {D} {plan} {as_anna}", "line: this plan is on 2 lines: RU:north:"),
    ("joint file {D} {plan}", "say which line is meant"),
    ("joint status {D} {plan}", "line: this plan is on 2 lines: RU:north:"),
    ("joint sign {D} {plan} --line north --user nadia --password-file {own} --yes", "with the role party-authority"),
    ("measure {D} time apart RU:north:0", "ENTRY: one filing alone (got 'RU:north:0'); two or more, of both sides"),
    (
        "measure {D} sideways apart RU:north:0 TR:north:0",
        "MEASURE: unknown choice (got 'sideways'); one of: time, route",
    ),
    ("measure {D} time apart RU:north:99 TR:north:0", "no such entry (got 'RU:north:99'); one that this node has"),
    ("measure {D} time apart rubbish TR:north:0", "ENTRY: not the id of an entry (got 'rubbish'); PARTY:LINE:"),
    ("incident draft {D} 77", "no such draft (got '77'); one that keepclear incident draft shows"),
    ("incident report {D} --yes", "ENCOUNTER: nothing to report; an ENCOUNTER, or --file with an id"),
    ("incident report {D} 77 --yes", "encounter: no such draft of a report (got '77'); an encounter for which"),
    ("incident report {D} --file {here}/nul --yes", "{here}/nul: not JSON; a JSON object with members of an incident"),
    ("incident report {D} --file {here}/latin --yes", "{here}/latin: not JSON; a JSON object with members of"),
    ("incident report {D} --file {here}/big --yes", "{here}/big: more than 1,048,576 bytes; a JSON object"),
    ("incident report {D} --file {here}/list.json --yes", "{here}/list.json: not a JSON object; a JSON object"),
    ("incident report {D} --file {here}/half.json --line north", "give --yes"),
    ("incident reply {D} RU:north:0 --narrative x", "(got 'RU:north:0'); the entry of an incident report that another"),
    ("incident reply {D} rubbish --narrative x", "ENTRY: not the id of an entry (got 'rubbish'); PARTY:LINE:"),
    (
        "claim add {D} joint --party RU --from 11:00 --until 12:00 {said}",
        "--until: not a time (got '12:00'); write it as",
    ),
    ("claim add {D} joint --party RU --from {AT} --until {EARLIER} {said}", "--until at or after --from"),
    ("claim add {D} maybe --party RU --from {EARLIER} --until {AT} --line north {said}", "(got 'maybe'); 'joint', 'co"),
    ("claim add {D} participants --took-part RU=x --party RU --from {EARLIER} --until {AT} {said}", "PARTY=NUMBER"),
    ("claim weigh --record {D} --line north --claim {here}/nul", "{here}/nul: not JSON: Expecting value at line 1"),
    (
        "claim weigh --record {D} --line north --claim {here}/big",
        "{here}/big: more than 1,048,576 bytes; a JSON object",
    ),
    ("claim weigh --record {D} --line north --claim {here}/half.json", "{here}/half.json: subject: missing"),
    ("claim weigh --record {D}", "--line: logs of 2 lines are held; one of: north, south"),
    ("claim weigh --claim {here}/half.json", "--record: a claim is weighed against a record; --record DIR"),
    ("encounter --agreement sochi {here}/plan.json", "--agreement: it is of a record; --record DIR besides"),
    (
        "encounter --record {D} --line north --agreement nosuch",
        "--agreement: no such agreement (got 'nosuch'); one of: ",
    ),
    ("encounter --record {D} --line nowhere", "--line: no such line is held (got 'nowhere'); one of: north, south"),
    ("joint propose {D} {here}/plans.json --line north", "{here}/plans.json: plans: not the names of files (got '5')"),
    ("joint propose {D} {here}/operations.json --line north", "{here}/operations.json: operations: not a list"),
    ("joint propose {D} {here}/nofile.json --line north", "{here}/none.geojson: "),
    (
        "positions share {D} nosuch --from 2020-01-01T00:00:00Z --line north",
        "unit: no such position of this unit then (got",
    ),
    ("positions share {D} nosuch --every 1 --line north", "every_s: "),
    ("positions share {D} nosuch --from 11:00 --line north", "--from: not a time (got '11:00'); write it as RFC 3339"),
    ("positions share {D} nosuch --from {EARLIER} --grid 7 --line north", "--grid"),
    ("positions prove {D} RU:north:0", "entry: no such positions that were shared (got 'RU:north:0')"),
    ("positions prove {D} rubbish", "ENTRY: not the id of an entry (got 'rubbish'); PARTY:LINE:"),
    ("positions stop {D} 9", "number: no such sharing that goes on (got '9')"),
    ("positions bind {D}", "--callsign: which positions are meant is not said; one of --callsign, --uid, --icao"),
    ("positions bind {D} --callsign x --domain space", "domain: not what belongs here (got 'space'); one of 'ground'"),
    ("positions post {D} {here}/nul --source gps", "{here}/nul: no format that keepclear knows"),
    ("positions post {D} {here}/none --source gps", "{here}/none: "),
    ("encounters {D} 77", "number: no such encounter (got '77')"),
]


@pytest.fixture
def words(desk):
    client = desk.place.client
    versions = client.agreement("other").versions
    (plan, _) = client.joint_plans()
    sochi = client.agreement(AGREEMENT).document
    desk.file("sochi.json", document().canonical())
    return desk.words | {
        "other": versions[0].document, "sochi": sochi, "plan": plan.hash,
        "said": f"--said-by x --said-at {AT} --where y --words z",
    }  # fmt: skip


@pytest.mark.parametrize(("given", "says"), [(f"agreement {given}", says) for given, says in AGREEMENTS] + OTHERS)
def test_what_is_wrong_is_told_with_what_would_be_right_and_nothing_is_said(desk, words, capfd, given, says):
    before = desk.state()
    status = run(given.format(**words).split())
    out, err = capfd.readouterr()
    assert (status, "Traceback" in err, out) == (2, False, "")
    assert says.format(**words) in err
    assert desk.state() == before


def test_the_first_person_cannot_confirm_and_a_signature_does_not_count_for_another_version(desk, words, capfd):
    as_anna = words["as_anna"].split()
    newest, older = desk.place.client.agreement("other").versions
    sign = ["agreement", "sign", words["D"], "other", "--document"]
    assert run([*sign, older.document, *as_anna]) == 0
    assert "Nothing is said yet" in capfd.readouterr().out
    said, _ = desk.state()
    assert run([*sign, older.document, *as_anna]) == 2
    assert "--user: you have proposed it yourself" in capfd.readouterr().err
    boris = ["--user", "boris", "--password-file", words["own"], "--yes"]
    assert run([*sign, newest.document, *boris]) == 0  # another document: that is no confirmation of the first
    assert "Nothing is said yet" in capfd.readouterr().out
    assert desk.state()[0] == said
    assert run([*sign, older.document, *boris]) == 0
    assert "Done by anna and boris" in capfd.readouterr().out
    by_hash = {one.document: one for one in desk.place.client.agreement("other").versions}
    assert (by_hash[older.document].signed_by, by_hash[newest.document].signed_by) == (["RU"], [])


def test_a_plan_on_two_lines_is_signed_on_the_line_that_is_said_and_on_no_other(desk, words, capfd):
    sign = ["joint", "sign", words["D"], words["plan"], "--line", SOUTH]
    assert run([*sign, *words["as_anna"].split()]) == 0
    boris = ["--user", "boris", "--password-file", words["own"], "--yes"]
    assert run(["joint", "sign", words["D"], words["plan"], "--line", LINE, *boris]) == 0
    assert "Nothing is signed yet" in capfd.readouterr().out.splitlines()[-1]  # on the other line: no confirmation
    assert run([*sign, *boris]) == 0
    assert "Signed by anna and boris." in capfd.readouterr().out
    signed = {one.line: [each.party for each in one.signatures] for one in desk.place.client.joint_plans()}
    assert signed == {LINE: [], SOUTH: ["RU"]}
    (entry,) = [one.id for one in desk.place.client.joint_plans(line=SOUTH)]
    assert run(["joint", "status", words["D"], entry, "--format", "json"]) == 0
    (told,) = json.loads(capfd.readouterr().out)
    assert (told["line"], told["hash"]) == (SOUTH, words["plan"])
