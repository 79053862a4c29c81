"""Leaves: what they must be, and what of them is kept."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError, IntegrityError, PeerError
from keepclear.record.canonical import canonical
from keepclear.record.entries import Entry, EntryRef, Leaf, attachment_hash, body_hash
from keepclear.record.leaves import CLOCK_TOLERANCE_S, MOST_LEAF_BYTES
from keepclear.times import EARLIEST_S, LATEST_S, parse_time, to_text

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "record" / "leaf.json").read_text(encoding="utf-8"))
HASH = base64.b64encode(bytes(range(32))).decode()
MEMBERS = {
    "type": "operation", "v": 1, "line": "border", "party": "north", "time": "2026-03-02T08:00:00.125Z",
    "recipients": ["east", "south"], "exercise": False, "body": HASH,
}  # fmt: skip


def leaf_of(**changes):
    members = {name: value for name, value in (MEMBERS | changes).items() if value is not ...}
    return Leaf.of_bytes(canonical(members))


def test_a_leaf_is_what_it_says():
    leaf = leaf_of(attachments=[HASH])
    assert leaf == Leaf(
        "operation", 1, "border", "north", parse_time(MEMBERS["time"]), ("east", "south"), False, bytes(range(32)),
        (bytes(range(32)),),
    )  # fmt: skip
    assert leaf.known
    assert leaf.raw == leaf.to_bytes() == canonical(MEMBERS | {"attachments": [HASH]})
    assert leaf.hash == hashlib.sha256(b"\x00" + leaf.raw).digest()


@pytest.mark.parametrize("vector", VECTORS["entries"], ids=lambda vector: vector["what"])
def test_our_own_vectors(vector):
    # The vectors are bytes that others were told; that the same code made them is not the point.
    leaf = Leaf.of_bytes(vector["leaf"].encode())
    assert leaf.known is vector["known"]
    assert leaf.hash.hex() == vector["leaf_hash"]
    salt, body = bytes.fromhex(vector["salt"]), vector["body"].encode()
    assert hashlib.sha256(b"keepclear body v1\n" + salt + body).digest() == leaf.body_hash
    leaf.check_body(salt, body)
    for number, one in enumerate(vector["attachments"]):
        leaf.check_attachment(number, bytes.fromhex(one["salt"]), one["data"].encode())
    assert len(leaf.attachments) == len(vector["attachments"])


@pytest.mark.parametrize(
    ("changes", "known"),
    [({}, True), ({"v": 2}, False), ({"type": "greeting"}, False), ({"later": {"a": [1.5, None, "€"]}}, False)],
)
def test_what_is_not_known_is_kept_byte_for_byte(changes, known):
    leaf = leaf_of(**changes)
    assert leaf.known is known
    assert leaf.raw == canonical(MEMBERS | changes)
    assert Leaf.of_bytes(leaf.raw) == leaf
    assert Entry.of_json(Entry(leaf).to_json()).leaf == leaf


@pytest.mark.parametrize("name", MEMBERS)
def test_a_missing_member_is_refused(name):
    with pytest.raises(PeerError, match=f"not a leaf: {name}: missing"):
        leaf_of(**{name: ...})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("type", ["", "Operation", "-a", "a b", "a" * 64, 1, None, "é"]),
        ("v", [0, -1, "1", True, 1.5, 65_536, None]),
        ("line", ["", "a/b", "-a", "a b", "a" * 64, "é", "a\n", "..", 1, None]),
        ("party", ["", "a/b", ".a", "a+b", "a" * 64, "а", ["north"], None]),
        (
            "time",
            [
                "2026-03-02T08:00:00Z", "2026-03-02T08:00:00.125", "2026-03-02T08:00:00.125+00:00",
                "2026-03-02T08:00:00.1250Z", "2026-03-02 08:00:00.125Z", "2026-03-02t08:00:00.125z",
                "2026-02-30T08:00:00.125Z", "2026-03-02T24:00:00.000Z", "2026-06-30T23:59:60.000Z",
                "+12026-03-02T08:00:00.125Z", "0000-03-02T08:00:00.125Z", "2026-03-02T08:00:00.125Z\n",
                "٢٠٢٦-03-02T08:00:00.125Z", "2026-W10-1T08:00:00.125Z", 1772438400, None,
            ],
        ),
        ("recipients", [["south", "east"], ["east", "east"], [""], [1], "east", None, [["east"]], ["a/b"]]),
        ("exercise", [0, 1, "false", None]),
        (
            "body",
            [
                "", HASH[:-1], HASH + "=", HASH[:-2] + "9=", HASH.replace("+", "-"), HASH[:20] + "\n" + HASH[21:],
                base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode(), HASH[:-1] + "A", None,
                [HASH],
            ],
        ),
        ("attachments", [[], None, HASH, [None], [HASH, "x"]]),
    ],
)  # fmt: skip
def test_a_wrong_member_is_refused(name, wrong):
    for value in wrong:
        if value == MEMBERS.get(name) and type(value) is type(MEMBERS.get(name)):
            continue  # a replacement that changed nothing
        with pytest.raises(PeerError, match=f"not a leaf: {name}: not right") as refused:
            leaf_of(**{name: value})
        assert str(refused.value).isprintable()


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(PeerError) as refused:
        Leaf.of_bytes(b'{"exercise":1,"time":"now"}')
    for name in MEMBERS:
        assert f"{name}: " in str(refused.value)


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b'"leaf"'])
def test_what_is_no_object_is_no_leaf(data):
    with pytest.raises(PeerError, match="not a leaf: not a JSON object"):
        Leaf.of_bytes(data)


def test_another_text_of_a_leaf_is_no_leaf():
    raw = canonical(MEMBERS)
    for other in (raw + b"\n", raw.replace(b":", b": ", 1), json.dumps(MEMBERS).encode(), b'{"v":1,' + raw[1:]):
        with pytest.raises(PeerError):
            Leaf.of_bytes(other)


def test_a_leaf_has_at_most_as_many_bytes_as_a_bundle_can_hold():
    room = MOST_LEAF_BYTES - len(canonical(MEMBERS | {"pad": ""}))
    largest = leaf_of(pad="x" * room)
    assert len(largest.raw) == MOST_LEAF_BYTES
    with pytest.raises(PeerError, match="more than the 65535"):
        leaf_of(pad="x" * (room + 1))
    parties = tuple(f"{number:062}x" for number in range(1000))
    with pytest.raises(InputError, match="fewer recipients"):
        Leaf("operation", 1, "border", "north", 0.0, parties, False, bytes(32))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "Operation"), ("version", 0), ("line", "a line"), ("party", ""), ("recipients", ("b", "a")),
        ("recipients", ("a", "a")), ("body_hash", b"short"), ("attachments", (b"short",)), ("time_s", float("nan")),
        ("time_s", 1e18), ("exercise", 1),
    ],
)  # fmt: skip
def test_a_wrong_value_of_ours_is_refused(field, value):
    right = {
        "type": "operation", "version": 1, "line": "border", "party": "north", "time_s": 0.0, "recipients": ("south",),
        "exercise": False, "body_hash": bytes(32),
    }  # fmt: skip
    assert Leaf(**right)
    with pytest.raises(InputError):
        Leaf(**(right | {field: value}))


@pytest.mark.parametrize("time_s", [EARLIEST_S, LATEST_S, 0.0, -0.0005, 0.9996, 1772442000.1234567, -62135596799.999])
def test_times_are_kept_to_the_millisecond(time_s):
    leaf = Leaf("message", 1, "border", "north", time_s, (), False, bytes(32))
    assert leaf.time_s == parse_time(to_text(time_s))
    assert Leaf.of_bytes(leaf.raw) == leaf


def test_a_leaf_from_the_future_is_refused():
    leaf = leaf_of()
    leaf.check_time(leaf.time_s)
    leaf.check_time(leaf.time_s - CLOCK_TOLERANCE_S)
    leaf.check_time(leaf.time_s + 1e9)
    with pytest.raises(PeerError, match=r"the leaf says 2026-03-02T08:00:00\.125Z, more than 60 s after now"):
        leaf.check_time(leaf.time_s - CLOCK_TOLERANCE_S - 0.5)
    with pytest.raises(PeerError, match="more than 0 s"):
        leaf.check_time(leaf.time_s - 0.001, tolerance_s=0.0)


def test_a_body_is_proved_by_leaf_and_salt():
    salt, body = bytes(range(32)), b'{"text":"hello"}'
    leaf = Leaf("message", 1, "border", "north", 0.0, (), False, body_hash(salt, body))
    leaf.check_body(salt, body)
    wrong = [
        (salt, body + b" "), (salt, b""), (bytes(32), body), (salt + body[:1], body[1:]), (salt[:-1], salt[-1:] + body),
        (b"", salt + body),
    ]  # fmt: skip
    for one, other in wrong:
        with pytest.raises(IntegrityError, match="not the body"):
            leaf.check_body(one, other)


def test_an_attachment_is_no_body_and_a_body_no_attachment():
    salt, data = bytes(range(32)), b"same"
    assert body_hash(salt, data) != attachment_hash(salt, data)
    leaf = Leaf("message", 1, "border", "north", 0.0, (), False, bytes(32), (attachment_hash(salt, data),))
    leaf.check_attachment(0, salt, data)
    for number, one, other in (
        (0, salt, b"other"),
        (0, bytes(32), data),
        (0, b"", data),
        (1, salt, data),
        (-1, salt, data),
    ):
        with pytest.raises(IntegrityError):
            leaf.check_attachment(number, one, other)


def test_a_salt_has_32_bytes():
    for hash_of in (body_hash, attachment_hash):
        with pytest.raises(InputError, match="not a salt"):
            hash_of(b"short", b"")


@pytest.mark.parametrize(
    ("origin", "index", "leaf_hash"),
    [("north", 0, bytes(32)), ("north/border", 0, bytes(32)), ("north/border/log", -1, bytes(32)),
     ("north/border/log", 2**53, bytes(32)), ("north/border/log", 0, b"")],
)  # fmt: skip
def test_a_reference_names_a_log_a_place_and_a_hash(origin, index, leaf_hash):
    assert EntryRef("north/border/log", 0, bytes(32))
    with pytest.raises(InputError):
        EntryRef(origin, index, leaf_hash)


_NAMES = st.sampled_from(["a", "north", "South.2", "x_1", "-a", "a" * 63, "a" * 64, "é", "a b", ""])


@st.composite
def _nearly_leaves(draw):
    """Leaves that are right, nearly right or wrong, in bytes that are canonical JSON or not."""
    members = MEMBERS | {
        "line": draw(_NAMES), "party": draw(_NAMES), "recipients": draw(st.lists(_NAMES, max_size=3)),
        "exercise": draw(st.sampled_from([True, False, 1])),
        "v": draw(st.sampled_from([1, 2, 0, 65_535, 65_536, 99_999, 1.5])),
        "type": draw(st.sampled_from(["operation", "message", "Unknown", "unknown-1", ""])),
        "time": draw(st.sampled_from([MEMBERS["time"], "2026-02-30T08:00:00.125Z", "0000-01-01T00:00:00.000Z"])),
        "body": draw(st.sampled_from([HASH, HASH[:-2] + "9=", HASH[:-1], ""])),
    } | draw(st.sampled_from([{}, {"attachments": [HASH]}, {"more": 1}]))  # fmt: skip
    data = bytearray(canonical(members))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data)


@given(_nearly_leaves())
@settings(max_examples=400)
def test_what_one_look_tells_of_a_leaf_is_what_looking_closely_tells(data):
    def read(how):
        try:
            return how(data)
        except PeerError as error:
            return str(error)

    assert read(Leaf.of_bytes) == read(Leaf._of_any)


def test_a_plain_leaf_is_read_by_one_look(monkeypatch):
    monkeypatch.setattr(Leaf, "_of_any", None)
    assert leaf_of().recipients == ("east", "south")
    assert leaf_of(recipients=[]).recipients == ()
    assert leaf_of(exercise=True, type="of-no-kind", v=65_535).known is False
