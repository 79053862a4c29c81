"""Entries, their files, and commitments."""

from __future__ import annotations

import base64
import dataclasses
import json

import pytest

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.record.bodies.committed import CommitmentBody, OpeningBody
from keepclear.record.bodies.talk import MessageBody
from keepclear.record.canonical import DEEPEST, canonical
from keepclear.record.commitments import check_opening, commitment, opening
from keepclear.record.entries import MOST_ATTACHMENT_BYTES, MOST_BODY_BYTES, Attachment, Entry, EntryRef, body_hash
from keepclear.record.entry_files import read_lines
from tests.fuzz.record_entries import SALT, bodies, entry, operation

MESSAGE = MessageBody(text="Have you seen our patrol?")
PLAN = next(body for body in bodies() if body.TYPE == "operation")


def test_an_entry_is_made_of_what_is_said():
    said = entry(MESSAGE, recipients={"south", "east"}, exercise=True)
    said.check()
    assert (said.leaf.type, said.leaf.version, said.leaf.exercise) == ("message", 1, True)
    assert said.leaf.recipients == ("east", "south")
    assert said.leaf.body_hash == body_hash(SALT, MESSAGE.to_bytes())


def test_an_erased_body_leaves_the_leaf():
    said = entry(MESSAGE)
    left = Entry.of_json(said.without_body().to_json())
    assert left.leaf == said.leaf
    assert left.salt is None
    assert left.body is None
    left.check()
    left.leaf.check_body(SALT, MESSAGE.to_bytes())  # who still has it can still prove it


def test_what_does_not_belong_together_is_no_entry():
    said = entry(MESSAGE, attachments=[Attachment(SALT, b"a")])
    for change in (
        {"salt": None}, {"body": None}, {"salt": b"short"}, {"attachments": (None, None)},
        {"body": bytes(MOST_BODY_BYTES + 1)},
    ):  # fmt: skip
        with pytest.raises(InputError):
            dataclasses.replace(said, **change)
    with pytest.raises(InputError, match="attachment has"):
        Attachment(SALT, bytes(MOST_ATTACHMENT_BYTES + 1))
    with pytest.raises(InputError, match="not a salt"):
        Attachment(b"", b"")


def test_a_changed_body_or_attachment_is_found_out():
    said = entry(MESSAGE, attachments=[Attachment(SALT, b"a"), Attachment(SALT, b"b")])
    said.check()
    dataclasses.replace(said, attachments=(None, said.attachments[1])).check()
    with pytest.raises(IntegrityError, match="not the body"):
        dataclasses.replace(said, body=MESSAGE.to_bytes().replace(b"patrol", b"convoy")).check()
    with pytest.raises(IntegrityError, match="not attachment 0"):
        dataclasses.replace(said, attachments=said.attachments[::-1]).check()


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_one_json_object_on_one_line():
    said = entry(PLAN)
    text = said.to_json()
    assert b"\n" not in text
    members = json.loads(text)
    assert members.keys() == {"keepclear", "leaf", "salt", "body"}
    assert members["keepclear"] == "entry/1"
    assert members["leaf"]["party"] == "north"
    assert members["body"]["operation"]["id"] == "patrol-7"
    assert Entry.of_json(text) == said


def test_a_file_that_a_person_laid_out_is_the_same_entry():
    said = entry(PLAN)
    again = Entry.of_json(json.dumps(json.loads(said.to_json()), indent=2).encode())
    again.check()
    assert again == said


@pytest.mark.parametrize(
    "body", [b"", b"\xff\x00", b"not json", b'{"a": 1}', b"[" * DEEPEST + b"]" * DEEPEST, b"null", b"1.0"]
)
def test_any_body_of_an_unknown_type_comes_back_as_it_was(body):
    said = Entry.said(
        "greeting", 3, line="border", party="north", time_s=0.0, recipients=(), exercise=False, body=body, salt=SALT
    )
    again = Entry.of_json(said.to_json())
    assert again == said
    assert not again.leaf.known
    again.check()


def test_attachments_that_are_not_held_are_null():
    said = entry(MESSAGE, attachments=[Attachment(SALT, b"a"), Attachment(SALT, b"\xff")])
    assert Entry.of_json(said.to_json()) == said
    part = dataclasses.replace(said, attachments=(None, said.attachments[1]))
    assert json.loads(part.to_json())["attachments"][0] is None
    assert Entry.of_json(part.to_json()) == part


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"keepclear": "entry/2"}, "no JSON object with"),
        ({"keepclear": None}, "no JSON object with"),
        ({"leaf": None}, "no leaf"),
        ({"leaf": {}}, "not a leaf"),
        ({"leaf": {"pad": "x" * 70_000}}, "more than 65535"),
        ({"leaf": {"pad": 1e20}}, "beyond"),
        ({"salt": "AA=="}, "salt: base64 of 32 bytes"),
        ({"salt": None}, "salt: base64 of 32 bytes"),
        ({"body": ...}, "salt and body belong together"),
        ({"salt": ...}, "salt and body belong together"),
        ({"body_base64": ""}, "the body twice"),
        ({"body": ..., "body_base64": "AA"}, "body_base64: not base64"),
        ({"body": ..., "body_base64": "AB=="}, "body_base64: not base64"),
        ({"body": ..., "body_base64": 1}, "body_base64: not base64"),
        ({"attachments": {}}, "attachments: a list"),
        ({"attachments": [1]}, "an attachment has salt"),
        ({"attachments": [{"salt": "x", "data": ""}]}, "an attachment has salt"),
        ({"attachments": [None]}, "1 attachments, and 0 in the leaf"),
        ({"target": 1}, "no member is called 'target'"),
        ({"\x1b[2J": 1}, r"no member is called '\\x1b\[2J'"),
    ],
)
def test_what_is_no_entry_file_is_refused(change, problem):
    members = json.loads(entry(MESSAGE).to_json()) | change
    text = json.dumps({name: value for name, value in members.items() if value is not ...})
    with pytest.raises(PeerError, match=problem):
        Entry.of_json(text.encode())


def test_lines_are_read_one_by_one():
    entries = [entry(body) for body in bodies()]
    lines = b"\n".join(one.to_json() for one in entries) + b"\n\n"
    assert list(read_lines(lines.splitlines())) == entries
    found = read_lines([entries[0].to_json(), b"", b"{}"])
    assert next(found) == entries[0]
    with pytest.raises(PeerError, match="line 3: not an entry file"):
        next(found)


# --- commitments -----------------------------------------------------------------------------------------------------


def committed(body=PLAN, salt=SALT):
    made = commitment(body, line="border", party="north", time_s=1772442000.0, exercise=False, salt=salt)
    return made, EntryRef("north/border/log", 7, made.leaf.hash)


def test_a_commitment_tells_nothing_and_its_opening_proves_it():
    made, ref = committed()
    assert made.leaf.recipients == ()
    assert made.leaf.type == "commitment"
    assert made.leaf.body_hash == body_hash(SALT, canonical({"type": "operation", "v": 1, "body": PLAN.members()}))
    opened = OpeningBody.of_bytes(opening(made, ref).to_bytes())
    check_opening(made.leaf, opened)
    assert opened.content.body["operation"]["id"] == operation().id


def test_the_same_body_makes_different_commitments():
    first, second = committed()[0], committed(salt=bytes(32))[0]
    assert first.leaf.body_hash != second.leaf.body_hash


def _changed(opened, *path, put):
    members = json.loads(opened.to_bytes())
    holder = members
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = put
    return OpeningBody.of_members(members)


@pytest.mark.parametrize(
    ("path", "put", "problem"),
    [
        (("content", "body", "operation", "id"), "patrol-8", "a wrong opening"),
        (("content", "body", "operation", "volumes", 0, "start_s"), 1772442000.1234570, "a wrong opening"),
        (("content", "v"), 2, "a wrong opening"),
        (("content", "type"), "greeting", "a wrong opening"),
        (("salt",), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "a wrong opening"),
        (("entry", "leaf"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "another entry"),
        (("entry", "origin"), "south/border/log", "not that of the leaf's party and line"),
        (("entry", "origin"), "north/coast/log", "not that of the leaf's party and line"),
    ],
)
def test_a_wrong_opening_is_refused(path, put, problem):
    made, ref = committed()
    opened = opening(made, ref)
    with pytest.raises(IntegrityError, match=problem):
        check_opening(made.leaf, _changed(opened, *path, put=put))


def test_what_is_no_commitment_cannot_be_opened():
    said = entry(MESSAGE)
    ref = EntryRef("north/border/log", 7, said.leaf.hash)
    with pytest.raises(InputError, match="cannot be opened"):
        opening(said, ref)
    made, right = committed()
    for wrong in (made.without_body(), said):
        with pytest.raises(InputError, match="cannot be opened"):
            opening(wrong, right)
    with pytest.raises(InputError, match="another entry"):
        opening(made, ref)
    with pytest.raises(IntegrityError, match="no commitment but a message"):
        check_opening(said.leaf, _changed(opening(made, right), "entry", "leaf", put=_b64(said.leaf.hash)))
    other = CommitmentBody(type="message", v=1, body=MESSAGE.members()).to_bytes()
    with pytest.raises(IntegrityError, match="a wrong opening"):
        opening(dataclasses.replace(made, body=other), right)


def _b64(data):
    return base64.b64encode(data).decode()


def test_a_commitment_to_a_commitment_is_refused():
    made, ref = committed()
    for body in (CommitmentBody.of_bytes(made.body), opening(made, ref)):
        with pytest.raises(InputError, match="a commitment to a commitment"):
            committed(body)


def test_what_is_committed_to_must_be_a_body_where_its_type_is_known():
    with pytest.raises(InputError, match=r"body\.text: missing"):
        CommitmentBody(type="message", v=1, body={})
    unknown = CommitmentBody(type="greeting", v=1, body={"a": None, "b": [None, {"c": None}]})
    assert CommitmentBody.of_bytes(unknown.to_bytes()) == unknown
    assert b'"a":null' in unknown.to_bytes()
