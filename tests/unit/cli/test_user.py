"""``keepclear user`` on a folder whose node does not run."""

from __future__ import annotations

import json

import pytest

from keepclear.cli.app import run
from keepclear.node.folder import NodeFolder
from keepclear.node.running import Node

PASSWORD = "harbour lantern seven mule"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "ru"
    NodeFolder.create(path, "RU")
    with Node.open(path):
        pass
    path.joinpath("password").write_text(PASSWORD + "\n")
    return path


@pytest.fixture
def user(folder, capfd):
    def command(name, *arguments):
        status = run(["user", name, str(folder), *arguments])
        told = capfd.readouterr()
        return status, told.out, told.err

    return command


def test_a_user_is_added_changed_and_shut_out(user, folder):
    status, out, _ = user(
        "add",
        "anna",
        "--role",
        "filer",
        "--role",
        "linguist",
        "--name",
        "Anna K",
        "--password-file",
        f"{folder}/password",
    )
    assert (status, out) == (0, "anna (Anna K) can sign in now as filer, linguist.\n")
    assert user("role", "anna", "--role", "duty-officer")[:2] == (0, "anna (Anna K): duty-officer.\n")
    assert user("disable", "anna")[:2] == (0, "anna (Anna K) is shut out; their sessions and tokens have ended.\n")
    assert user("list")[1].count("shut out since") == 1
    assert user("enable", "anna")[:2] == (0, "anna (Anna K) can sign in again.\n")
    status, out, _ = user("list", "--format", "json")
    (anna,) = json.loads(out)
    assert (anna["name"], anna["roles"], anna["disabled"], anna["must_change_password"]) == (
        "anna", ["duty-officer"], None, True,
    )  # fmt: skip
    with Node.open(folder) as node:
        assert node.access.sign_ins.sign_in("anna", PASSWORD, address="127.0.0.1").must_change
        assert [(act.user, act.via) for act in node.access.acts.before(limit=4, what="user add")] == [
            ("operator", "folder")
        ]


def test_a_token_is_shown_once_and_ended(user, folder):
    assert user("add", "robot", "--role", "filer", "--no-password")[0] == 0
    status, out, _ = user("token", "robot", "--label", "gateway", "--scope", "read", "--days", "7")
    assert status == 0
    token = out.splitlines()[0]
    assert user("tokens", "robot")[1].count(token.split("_")[1]) == 1
    with Node.open(folder) as node:
        assert node.access.sign_ins.actor_of_token(token, address="192.0.2.1").user == "robot"
    assert user("end-token", token.split("_")[1])[0] == 0
    assert user("end-token", token.split("_")[1])[0] == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["disable", "nobody"], "no such user (got 'nobody')"),
        (["add", "x", "--role", "king", "--no-password"], "none of that name (got 'king'); one of party-authority"),
        (["add", "Big", "--role", "filer", "--no-password"], "not a name that a user can have (got 'Big')"),
        (["token", "nobody", "--label", "x", "--scope", "read"], "no such user"),
        (["token", "a/../b", "--label", "x", "--scope", "read"], "USER: no such name (got 'a/../b')"),
        (["token", "robot", "--label", "x", "--scope", "read", "--days", "nan"], "--days: not for how long"),
        (["list", "--format", "xml"], "--format"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(user, arguments, says):
    status, out, err = user(*arguments)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_bad_password_is_refused_and_not_shown(user, folder):
    folder.joinpath("bad").write_text("bad-one\n")
    status, _, err = user("add", "weak", "--role", "filer", "--password-file", f"{folder}/bad")
    assert status == 2
    assert "fewer than 12" in err
    assert "bad-one" not in err
