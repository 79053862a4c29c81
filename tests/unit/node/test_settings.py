from __future__ import annotations

from dataclasses import asdict

import pytest

from keepclear.errors import InputError
from keepclear.node.settings import FILE, Settings, rows, write_settings


def faults(call):
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.faults


def test_nothing_said_gives_the_defaults(tmp_path):
    assert Settings.read(tmp_path) == Settings()


def test_options_count_more_than_the_environment_and_that_more_than_the_file(tmp_path):
    (tmp_path / FILE).write_text('port = 1\nheartbeat_s = 2\nname = "of the file"\n')
    environment = {"KEEPCLEAR_PORT": "2", "KEEPCLEAR_HEARTBEAT_S": "3.5", "PATH": "/bin"}
    settings = Settings.read(tmp_path, environment=environment, options={"port": 3, "host": None})
    assert (settings.port, settings.heartbeat_s, settings.name) == (3, 3.5, "of the file")
    assert settings.host == Settings().host


def test_all_that_cannot_be_is_told_at_once_with_place_name_value_and_what_would_be_right(tmp_path):
    (tmp_path / FILE).write_text('port = 70000\nporrt = 1\nadvisories = "maybe"\nworkers = 1.5\nname = 3\n')
    told = faults(lambda: Settings.read(tmp_path, environment={"KEEPCLEAR_HEARTBEAT_S": "nan", "KEEPCLEAR_X": "1"}))
    by_field = {fault.field: fault for fault in told}
    assert set(by_field) == {"port", "porrt", "advisories", "workers", "name", "heartbeat_s", "KEEPCLEAR_X"}
    assert by_field["port"].file == str(tmp_path / FILE)
    assert by_field["port"].value == "70000"
    assert by_field["port"].right == "a whole number from 0 to 65535"
    assert by_field["advisories"].right == "one of: automatic, ask"
    assert by_field["heartbeat_s"].file == "environment"
    assert "heartbeat_s" in by_field["porrt"].right


@pytest.mark.parametrize("text", ["port =", "\x00", "port = 1\nport = 2", "\udce4"])
def test_a_file_that_is_no_toml_is_refused_by_its_name(tmp_path, text):
    (tmp_path / FILE).write_bytes(text.encode(errors="surrogateescape"))
    (fault,) = faults(lambda: Settings.read(tmp_path))
    assert fault.file == str(tmp_path / FILE)


@pytest.mark.parametrize("value", [True, "true", "yes", None.__class__, [1]])
def test_whether_a_number_is_a_number(tmp_path, value):
    assert [fault.field for fault in faults(lambda: Settings.read(tmp_path, options={"port": value}))] == ["port"]


def test_what_is_written_is_read_again_whatever_stands_in_it(tmp_path):
    hostile = 'a "name" with \\ and \u202e and \U0001f6d1 and\ttab'
    write_settings(tmp_path, {"name": hostile, "port": 0, "heartbeat_s": 1.5})
    write_settings(tmp_path, {"port": 9, "heartbeat_s": None})
    settings = Settings.read(tmp_path)
    assert (settings.name, settings.port, settings.heartbeat_s) == (hostile, 9, Settings().heartbeat_s)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_what_cannot_be_is_not_written(tmp_path):
    write_settings(tmp_path, {"port": 9})
    before = (tmp_path / FILE).read_bytes()
    assert faults(lambda: write_settings(tmp_path, {"port": -1, "colour": "red"}))
    assert (tmp_path / FILE).read_bytes() == before


def test_every_setting_has_a_sentence_and_its_default_can_be_said(tmp_path):
    assert {name for name, *_ in rows()} == set(asdict(Settings()))
    for name, right, default, sentence in rows():
        assert right, name
        assert sentence.endswith("."), name
        assert asdict(Settings.read(tmp_path, options={name: default}))[name] == default
