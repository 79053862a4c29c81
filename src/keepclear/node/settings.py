"""The settings of a node, in one table: what each is called, what it is when nobody says, and what it means.

A setting is said in ``settings.toml`` in the node's folder, by an environment variable (``KEEPCLEAR_`` and the name in
capitals), or by an option of ``keepclear serve``; the later of these counts. A value that cannot be is refused, with
all others that cannot be.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from keepclear.errors import Fault, InputError, StoreError
from keepclear.store.files import write_whole

__all__ = ["FILE", "PREFIX", "Settings", "rows", "write_settings"]

FILE = "settings.toml"
PREFIX = "KEEPCLEAR_"


def _text(default: str, sentence: str, *, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"kind": "text", "sentence": sentence, "choices": choices})


def _whole(default: int, sentence: str, *, least: int, most: int) -> Any:
    return field(default=default, metadata={"kind": "whole", "sentence": sentence, "least": least, "most": most})


def _number(default: float, sentence: str, *, least: float, most: float) -> Any:
    return field(default=default, metadata={"kind": "number", "sentence": sentence, "least": least, "most": most})


def _flag(default: bool, sentence: str) -> Any:  # noqa: FBT001  # as the other three
    return field(default=default, metadata={"kind": "flag", "sentence": sentence})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a node; each field is one. Made by `read`."""

    name: str = _text("", "What people call the party or cell, shown to its own officers and on its card.")
    host: str = _text("127.0.0.1", "The address that the node listens at; outside loopback it must have a certificate.")
    port: int = _whole(8470, "The port that the node listens at; 0 takes a free one.", least=0, most=65535)
    address: str = _text("", "Where the other parties' nodes reach this one (https://host:port); empty: it calls them.")
    tls_cert: str = _text("", "The file with the certificate, for TLS; empty: the one made at set-up.")
    tls_key: str = _text("", "The file with the certificate's private key.")
    database: str = _text("", "postgresql://… for several workers; empty: SQLite files in the folder.")
    workers: int = _whole(1, "How many processes serve; more than one needs PostgreSQL.", least=1, most=64)
    passphrase_file: str = _text("", "The file whose first line unseals the keys, where they are sealed.")
    advisories: str = _text(
        "automatic", "Whether the node sends advisories about its own operations by itself.",
        choices=("automatic", "ask"),
    )  # fmt: skip
    peer_authorities: str = _text(
        "", "The file of the authorities that sign the certificates of other nodes; empty: those of the system."
    )
    heartbeat_s: float = _number(60.0, "How often each peer is sent a heartbeat.", least=1.0, most=600.0)
    events_kept_days: float = _number(30.0, "How long events are kept for those who follow them.", least=1.0, most=3650)
    positions_kept_days: float = _number(
        90.0, "How long positions and the encounters found in them are kept; what was shared stays in the logs.",
        least=1.0, most=36500,
    )  # fmt: skip
    report_hour: float = _number(
        5.0,
        "The hour of the day (UTC) at which each agreement's report of the day before is made.",
        least=0.0,
        most=23.99,
    )
    time_zones: str = _text(
        "", "The parties' time zones, which reports show beside UTC: RU=Europe/Moscow,TR=Europe/Istanbul."
    )
    log_level: str = _text("info", "What is written to the log.", choices=("debug", "info", "warning", "error"))
    log_format: str = _text("text", "How it is written: for people or for programs.", choices=("text", "json"))

    @classmethod
    def read(
        cls,
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        options: Mapping[str, object] | None = None,
    ) -> Self:
        """The settings of a node's folder.

        Parameters
        ----------
        environment
            Variables; those that begin with ``KEEPCLEAR_`` and name no setting are faults.
        options
            What was said on the command line; None counts as not said.

        Raises
        ------
        InputError
            With all values that cannot be, and all names that no setting has.
        """
        file = folder / FILE
        faults: list[Fault] = []
        values: dict[str, Any] = {}
        for place, given in (
            (str(file), _file_values(file)),
            ("environment", _environment_values(environment or {})),
            ("", {name: value for name, value in (options or {}).items() if value is not None}),
        ):
            for name, value in given.items():
                _take(place, name, value, into=values, faults=faults)
        if faults:
            raise InputError(faults)
        return cls(**values)


def rows() -> Iterator[tuple[str, str, object, str]]:
    """Name, type, default and sentence of every setting, for the reference."""
    for one in fields(Settings):
        yield one.name, _type_text(one), one.default, one.metadata["sentence"]


def write_settings(folder: Path, changes: Mapping[str, object]) -> None:
    """Say settings in the folder's file, beside those that are said there; None leaves one to its default.

    Raises
    ------
    InputError
        If a value cannot be; then the file is as it was.
    StoreError
        If it cannot be written.
    """
    file = folder / FILE
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for name, value in {**_file_values(file), **changes}.items():
        if value is not None:
            _take(str(file), name, value, into=values, faults=faults)
    if faults:
        raise InputError(faults)
    sentences = {name: sentence for name, _, _, sentence in rows()}
    lines = [f"# {sentences[name]}\n{name} = {_toml(value)}\n" for name, value in values.items()]
    try:
        write_whole(file, "\n".join(lines).encode(), mode=0o600)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror or error}") from error


def _take(place: str, name: str, value: object, *, into: dict[str, Any], faults: list[Fault]) -> None:
    known = {one.name: one for one in fields(Settings)}
    if name not in known:
        right = f"one of: {', '.join(known)}"
        faults.append(Fault("there is no such setting", right, file=place, field=name))
        return
    try:
        into[name] = _value(known[name], value)
    except ValueError as error:
        faults.append(Fault("not a value of this setting", str(error), file=place, field=name, value=str(value)))


def _value(one: Field[Any], value: object) -> Any:
    """A value of the setting's type; text is read, as an environment has nothing else."""
    right = _type_text(one)
    match one.metadata["kind"]:
        case "text" if isinstance(value, str):
            choices = one.metadata["choices"]
            if "\n" not in value and "\0" not in value and (not choices or value in choices):
                return value
        case "flag":
            if isinstance(value, bool):
                return value
            if value in ("true", "false"):
                return value == "true"
        case "whole" | "number" as kind if not isinstance(value, bool) and isinstance(value, (str, int, float)):
            return _within(one, value, kind)
    raise ValueError(right)


def _within(one: Field[Any], value: str | float, kind: str) -> float:
    least, most = one.metadata["least"], one.metadata["most"]
    try:
        number: float = float(value)
        if kind == "whole":
            number = int(value) if int(value) == float(value) else math.nan
    except (ValueError, OverflowError):
        raise ValueError(_type_text(one)) from None
    if not least <= number <= most:  # a NaN neither
        raise ValueError(_type_text(one))
    return number


def _type_text(one: Field[Any]) -> str:
    told = one.metadata
    match told["kind"]:
        case "text":
            return f"one of: {', '.join(told['choices'])}" if told["choices"] else "text"
        case "flag":
            return "true or false"
        case "whole":
            return f"a whole number from {told['least']} to {told['most']}"
        case _:
            return f"a number from {told['least']:g} to {told['most']:g}"


def _file_values(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(Fault(f"cannot be read: {error.strerror or error}", file=str(file))) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(Fault(f"not a TOML file: {error}", "lines like: port = 8470", file=str(file))) from None


def _environment_values(environment: Mapping[str, str]) -> dict[str, object]:
    known = {f"{PREFIX}{one.name.upper()}": one.name for one in fields(Settings)}
    found: dict[str, object] = {}
    for variable, value in environment.items():
        if variable in known:
            found[known[variable]] = value
        elif variable.startswith(PREFIX):
            found[variable] = value
    return found


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    text = "".join(
        one if one.isprintable() else f"\\u{ord(one):04x}" if ord(one) < 65536 else f"\\U{ord(one):08x}" for one in text
    )
    return f'"{text}"'
