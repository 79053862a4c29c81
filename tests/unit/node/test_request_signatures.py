"""Signed requests: what holds, what does not, and that each is taken once within bounded memory."""

from __future__ import annotations

import pytest

from keepclear.errors import PeerError
from keepclear.node.request_signatures import (
    ACCEPTED_AGE_S,
    NonceRepeatedError,
    Nonces,
    RequestSigner,
    RequestVerifier,
    key_id_text,
)
from keepclear.record.keys import SignatureKind, SigningKey

KEY = SigningKey.of_seed("NORTH/transport", SignatureKind.ED25519, b"n" * 32)
OTHER = SigningKey.of_seed("NORTH/transport", SignatureKind.ED25519, b"o" * 32)
NOW_S = 1.7e9
PATH = "/line/v1/add-entries"


def signed(body: bytes = b"hello", *, at_s: float = NOW_S, key: SigningKey = KEY, to: str = "SOUTH") -> dict[str, str]:
    return RequestSigner(key, lambda: at_s).headers("POST", PATH, to=to, body=body)


def verified(headers, *, now_s: float = NOW_S, target: str = PATH, known=(KEY,)):
    keys = {key_id_text(key.verifier): key.verifier for key in known}
    verifier = RequestVerifier("SOUTH", keys.get, lambda: now_s)
    return verifier.verified("POST", target, headers.items() if isinstance(headers, dict) else headers)


def test_a_head_holds_and_its_body_is_checked() -> None:
    head = verified(signed())
    assert (head.party, head.created_s, head.key) == ("NORTH", int(NOW_S), KEY.verifier)
    head.digest.feed(b"hel")
    head.digest.feed(b"lo")
    head.digest.check()
    with pytest.raises(PeerError, match="not the one that was signed"):
        verified(signed()).digest.check()


def test_the_private_key_is_in_no_header() -> None:
    assert KEY.seed().hex() not in str(signed())
    assert len({signed()["signature-input"] for _ in range(50)}) == 50  # another nonce each time


@pytest.mark.parametrize("off_s", [-ACCEPTED_AGE_S + 1, -600, 0, 600, ACCEPTED_AGE_S - 1])
def test_clocks_may_be_off(off_s: float) -> None:
    assert verified(signed(at_s=NOW_S + off_s)).created_s == int(NOW_S + off_s)


@pytest.mark.parametrize("off_s", [-ACCEPTED_AGE_S - 2, ACCEPTED_AGE_S + 2, -1e9, 1e9])
def test_by_an_hour_and_no_more(off_s: float) -> None:
    with pytest.raises(PeerError, match="more than an hour ago"):
        verified(signed(at_s=NOW_S + off_s))


def test_an_unknown_key_is_nobody() -> None:
    with pytest.raises(PeerError, match="not signed"):
        verified(signed(key=OTHER))
    assert verified(signed(key=OTHER), known=(KEY, OTHER)).key == OTHER.verifier


@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest", "keepclear-to"])
def test_every_header_is_needed_and_stands_once(name: str) -> None:
    headers = signed()
    with pytest.raises(PeerError):
        verified({key: value for key, value in headers.items() if key != name})
    with pytest.raises(PeerError):
        verified([*headers.items(), (name, headers[name])])


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("signature-input", '"@path" ', ""),
        ("signature-input", ' "content-digest"', ""),
        ("signature-input", ' "keepclear-to"', ""),
        ("signature-input", "created=", "created=1"),
        ("signature-input", "created=1700000000;", ""),
        ("signature-input", 'nonce="', 'nonce="x'),
        ("signature-input", 'tag="keepclear-line"', 'tag="other"'),
        ("signature-input", 'alg="ed25519"', 'alg="hmac-sha256"'),
        ("signature-input", "line=", "lime="),
        ("signature", ":", "::"),
        ("content-digest", "sha-256", "sha-512"),
        ("content-digest", "sha-256=", "sha-256=1, md5="),
        ("keepclear-to", "SOUTH", "NORTH"),
    ],
)
def test_nothing_of_it_can_be_left_out_or_changed(name: str, old: str, new: str) -> None:
    headers = signed()
    assert old in headers[name]
    with pytest.raises(PeerError):
        verified({**headers, name: headers[name].replace(old, new)})


@pytest.mark.parametrize(
    "value", ["", "x", "line=()", "line=(" + '"@path" ' * 5000 + ")", "\xff", "line=:AAAA:", "a=1," * 9000]
)
def test_nonsense_is_refused(value: str) -> None:
    for name in ("signature", "signature-input", "content-digest"):
        with pytest.raises(PeerError):
            verified({**signed(), name: value})


def test_another_target_is_another_request() -> None:
    for target in (PATH + "?x", PATH + "/", "/line/v1/add-bodies", PATH.upper()):
        with pytest.raises(PeerError):
            verified(signed(), target=target)


def test_a_request_is_taken_once() -> None:
    nonces = Nonces(lambda: NOW_S)
    head = verified(signed())
    nonces.must_be_new(head)
    nonces.take(head)
    for again in (nonces.must_be_new, nonces.take):
        with pytest.raises(NonceRepeatedError):
            again(head)
    nonces.take(verified(signed()))


def test_where_there_is_no_room_for_more_the_oldest_are_refused_and_never_taken_twice() -> None:
    nonces = Nonces(lambda: NOW_S, most=3)
    heads = [verified(signed(at_s=NOW_S + n)) for n in range(6)]
    for head in heads:
        nonces.take(head)
    for head in heads:
        with pytest.raises(NonceRepeatedError):
            nonces.take(head)
    with pytest.raises(NonceRepeatedError):
        nonces.take(verified(signed(at_s=NOW_S)))  # never seen, but as old as what was forgotten
    nonces.take(verified(signed(at_s=NOW_S + 6)))
    other = verified(signed(at_s=NOW_S, key=OTHER), known=(OTHER,))
    nonces.take(other)  # each key has its own room


def test_what_is_too_old_to_be_taken_is_forgotten() -> None:
    now_s = [NOW_S]
    nonces = Nonces(lambda: now_s[0])
    for _ in range(5):
        nonces.take(verified(signed()))
    now_s[0] += ACCEPTED_AGE_S + 1
    nonces.take(verified(signed(at_s=now_s[0]), now_s=now_s[0]))
    (seen,) = nonces._seen.values()
    assert len(seen.nonces) == 1
