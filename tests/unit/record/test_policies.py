"""Policies: quorums as the specification counts them, and every fault with its line."""

from __future__ import annotations

import json
from itertools import chain, combinations
from pathlib import Path

import pytest

from keepclear.errors import InputError
from keepclear.record.keys import SignatureKind, SigningKey, VerifierKey
from keepclear.record.policies import Policy, UnverifiableKey, WitnessTrust, parse_policy, policy_text, shown

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/record/notes.json").read_text(encoding="utf-8"))
ML_DSA = VECTORS["vkeys"]["ml_dsa_44"]


def key(name, seed, kind=SignatureKind.COSIGNATURE) -> VerifierKey:
    return SigningKey.of_seed(name, kind, bytes([seed]) * 32).verifier


LOG = key("a/north/log", 1, SignatureKind.ED25519)
W = [key(f"w{n}.example", 10 + n) for n in range(6)]


def policy(text) -> Policy:
    return parse_policy(text if isinstance(text, bytes) else text.encode(), file="p.policy")


def faults(text) -> list[str]:
    with pytest.raises(InputError) as refused:
        policy(text)
    assert all(fault.file == "p.policy" for fault in refused.value.faults)
    return [str(fault) for fault in refused.value.faults]


EXAMPLE = f"""log {LOG.text}

witness X1 {W[0].text}
witness X2 {W[1].text}
witness X3 {W[2].text}
group X-witnesses 2 X1 X2 X3

witness Y1 {W[3].text}
witness Y2 {W[4].text}
witness Y3 {W[5].text}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_the_example_of_the_specification_counts_as_it_says():
    read = policy(EXAMPLE)
    names = list(read.witnesses)
    for some in chain.from_iterable(combinations(names, n) for n in range(7)):
        enough = sum(name[0] == "X" for name in some) >= 2 and any(name[0] == "Y" for name in some)
        assert read.quorum_met(some) is enough
        assert read.quorum_met_by(read.witnesses[name].key for name in some) is enough
    assert not read.quorum_met(["X-and-Y", "X-witnesses", "Y-witnesses"])
    assert read.log_keys == (LOG,)
    assert read.witness_keys == tuple(W)


def test_a_policy_is_written_as_it_is_read():
    read = policy(EXAMPLE)
    assert policy(policy_text(read)) == read
    assert policy(policy_text(Policy())) == Policy()
    assert policy_text(Policy()) == b"quorum none\n"


def test_spaces_tabs_comments_and_urls_are_as_specified():
    read = policy(
        f"\t# a comment é\n \t\n  log\t{LOG.text} \t https://x.example/é \nwitness w {W[0].text} u\n quorum\tw \n"
    )
    assert read.logs[0].url == "https://x.example/é"
    assert read.witnesses == {"w": WitnessTrust(W[0], "u")}
    assert read.quorum == "w"
    assert policy(policy_text(read)) == read


def test_names_are_octets():
    text = f"witness K {W[0].text}\nwitness \u212a {W[1].text}\n".encode()
    text += b"witness \xff " + W[2].text.encode() + b"\nwitness a\xc2\xa0b " + W[3].text.encode() + b"\n"
    text += b"group g all K \xe2\x84\xaa \xff a\xc2\xa0b\nquorum g\n"
    read = policy(text)
    assert len(read.witnesses) == 4
    assert policy(policy_text(read)) == read
    assert [shown(name) for name in read.witnesses] == ["K", "\u212a", "\\xff", "a\u00a0b"]


def test_nobody_needs_to_cosign_under_quorum_none():
    assert policy("quorum none\n").quorum_met([])


def test_a_key_that_cannot_be_verified_never_counts():
    read = policy(f"log {ML_DSA}\nwitness m {ML_DSA}\nwitness w {W[0].text}\ngroup g any m w\nquorum g\n")
    assert isinstance(read.witnesses["m"].key, UnverifiableKey)
    assert not read.quorum_met(["m"])
    assert read.quorum_met(["m", "w"])
    assert read.log_keys == ()
    assert policy(policy_text(read)) == read
    (fault,) = faults(f"witness m {VECTORS['vkeys']['ml_dsa_44_of_another_key_id']}\nquorum none\n")
    assert "1,312 bytes" in fault


def test_a_log_may_sign_by_cosignature():
    own = key("x.example/log", 30)
    assert policy(f"log {own.text}\nquorum none\n").log_keys == (own,)


D = f"witness a {W[0].text}\nwitness b {W[1].text}\n"  # two lines


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", "", "no quorum line"),
        (D, "", "no quorum line"),
        ("quorum none", "line 1", "does not end in a newline"),
        ("quorum none\r\n", "line 1", "carriage return"),
        ("quorum none\n#\x00\n", "line 2", "control character"),
        ("quorum none\n#\x7f\n", "line 2", "control character"),
        ("quorum none\n#\x0b\n", "line 2", "control character"),
        ("quorum none\nquorum none\n", "line 2", "keep one of it and line 1"),
        ("quorum x\n", "line 1", "not defined on a line before"),
        (f"quorum a\n{D}", "line 1", "not defined on a line before"),
        (f"{D}quorum\n", "line 3", "too few"),
        (f"{D}quorum a b\n", "line 3", "too many"),
        (f"{D}Quorum a\nquorum none\n", "line 3", "says what no policy says"),
        (f"{D}group g all a c\nquorum g\n", "line 3", "not defined on a line before"),
        (f"{D}group g all g\nquorum g\n", "line 3", "not defined on a line before"),
        (f"{D}group g all a none\nquorum g\n", "line 3", "none cannot be a member"),
        (f"{D}group g all a a\nquorum g\n", "line 3", "already a member, by line 3"),
        (f"{D}group g all a\ngroup h any a b\nquorum g\n", "line 4", "already a member, by line 3"),
        (f"{D}group g all\nquorum a\n", "line 3", "too few"),
        (f"{D}group g 0 a\nquorum a\n", "line 3", "a number from 1 to 1"),
        (f"{D}group g 3 a b\nquorum a\n", "line 3", "a number from 1 to 2"),
        (f"{D}group g -1 a b\nquorum a\n", "line 3", "a number from 1 to 2"),
        (f"{D}group g 01 a b\nquorum a\n", "line 3", "a number from 1 to 2"),
        (f"{D}group g most a b\nquorum a\n", "line 3", "a number from 1 to 2"),
        (f"{D}group g ALL a b\nquorum a\n", "line 3", "a number from 1 to 2"),
        (f"{D}group a all b\nquorum a\n", "line 3", "already defined on line 1"),
        (f"{D}group none all b\nquorum a\n", "line 3", "name none is taken"),
        (f"{D}witness none {W[2].text}\nquorum a\n", "line 3", "name none is taken"),
        (f"{D}witness a {W[2].text}\nquorum a\n", "line 3", "already defined on line 1"),
        (f"{D}witness c {W[0].text}\nquorum a\n", "line 3", "same public key as on line 1"),
        (f"{D}witness c {key('other', 10).text}\nquorum a\n", "line 3", "same public key as on line 1"),
        (f"{D}witness c {W[2].text} url more\nquorum a\n", "line 3", "too many"),
        (f"{D}witness c\nquorum a\n", "line 3", "too few"),
        (f"{D}witness c {LOG.text}\nquorum a\n", "line 3", "the key of a witness is of type 4"),
        (f"{D}witness c x\nquorum a\n", "line 3", "not a vkey"),
        (f"log {LOG.text}\nlog {LOG.text} url\nquorum none\n", "line 2", "same public key as on line 1"),
        (f"log\n{D}quorum a\n", "line 1", "too few"),
        (f"log {LOG.text}x\nquorum none\n", "line 1", "base64"),
        (f"log {LOG.text.replace('a/north', 'b/north')}\nquorum none\n", "line 1", "should be"),
        (b"log \xff+00000000+AQAA\nquorum none\n", "line 1", "not a vkey"),
        (D.encode() + b"quorum \xff\n", "line 3", "\\xff"),
    ],
)
def test_one_fault_is_one_line_that_says_where(text, line, said):
    (fault,) = faults(text)
    assert fault.startswith(f"p.policy: {line}")
    assert said in fault.replace("\\\\", "\\")
    fault.encode()


def test_all_faults_are_named_at_once():
    found = faults(f"log x\nwitness a {LOG.text}\ngroup g 9 a b\nquorum g\nquorum g\n\rx\n")
    assert [fault.split(": ")[1] for fault in found] == [f"line {n}" for n in (1, 2, 3, 3, 5, 6)]


def test_a_file_of_nothing_but_faults_is_not_read_to_its_end():
    assert len(faults("x\n" * 5000)) == 1001
    assert "1,000,000 bytes" in faults("#" * 2_000_000)[0]


@pytest.mark.parametrize(
    "odd",
    [
        Policy(witnesses={"a b": WitnessTrust(W[0])}),
        Policy(witnesses={"": WitnessTrust(W[0])}),
        Policy(witnesses={"a\n": WitnessTrust(W[0])}),
        Policy(witnesses={"a": WitnessTrust(W[0], "u v")}),
        Policy(witnesses={"\ud800": WitnessTrust(W[0])}),
        Policy(quorum="nobody"),
    ],
)
def test_a_policy_that_no_file_can_say_is_not_written(odd):
    with pytest.raises(InputError):
        policy_text(odd)


def test_as_many_as_the_specification_recommends_are_read():
    keys = [key(f"k{n}", 100 + n) for n in range(32)]
    logs = [key(f"l{n}", 50 + n, SignatureKind.ED25519) for n in range(32)]
    text = "".join(f"log {one.text}\n" for one in logs)
    text += "".join(f"witness w{n} {one.text}\ngroup g{n} all w{n}\n" for n, one in enumerate(keys))
    text += "group all all " + " ".join(f"g{n}" for n in range(32)) + "\nquorum all\n"
    read = policy(text)
    assert read.quorum_met_by(keys)
    assert not read.quorum_met_by(keys[1:])
