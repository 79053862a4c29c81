"""Passphrases, recipients and public keys as people give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepclear.cli import folders
from keepclear.cli.folders import new_passphrase, public_key, recipients_of, told_key, unsealed
from keepclear.errors import InputError
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.store.party_folder import PartyFolder

KEY = SigningKey.of_seed("north/identity", SignatureKind.ED25519, bytes(32)).verifier


@pytest.fixture
def folder(tmp_path: Path) -> PartyFolder:
    return PartyFolder.create(tmp_path, "north", sealed_with=None)


@pytest.mark.parametrize("text", ["open sesame\n", "open sesame\r\nmore\n", "open sesame"])
def test_a_passphrase_is_the_first_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_bytes(text.encode())
    assert new_passphrase(str(tmp_path / "secret")) == "open sesame"


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"", "empty"), (b"\n", "empty"), (b"\xff", "not text"), (b"x" * 10_001, "more than"), (None, "cannot be read")],
)
def test_what_is_no_passphrase(tmp_path: Path, data: bytes | None, told: str) -> None:
    if data is not None:
        (tmp_path / "secret").write_bytes(data)
    with pytest.raises(InputError, match=told):
        new_passphrase(str(tmp_path / "secret"))


def test_no_option_no_passphrase() -> None:
    assert new_passphrase(None) is None
    assert unsealed("secret", "It is") == []
    assert "not sealed" in unsealed(None, "It is")[0]


def test_nobody_is_asked_where_nobody_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "is_attended", lambda: False)
    with pytest.raises(InputError, match="nobody at a terminal"):
        new_passphrase("-")


def test_recipients_are_each_told_once(folder: PartyFolder) -> None:
    assert recipients_of(folder, None) == recipients_of(folder, []) == ()
    assert recipients_of(folder, ["south", "east", "south"]) == ("south", "east")
    with pytest.raises(InputError) as error:
        recipients_of(folder, ["north", "a b", "", "east"])
    assert len(error.value.faults) == 3


def test_a_public_key_is_read_and_shown(folder: PartyFolder) -> None:
    assert public_key(f" {KEY.text}\n") == KEY
    text, words = told_key(folder.identity)
    assert (text, len(words.split())) == (f"{folder.identity.text}\n", 12)
    for wrong in ("", "x", KEY.text[:-1], KEY.text.replace("north", "south"), "a+b+c"):
        with pytest.raises(InputError, match="as `keepclear key show` gives it"):
            public_key(wrong)
