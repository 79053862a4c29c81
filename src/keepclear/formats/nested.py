"""JSON objects within objects: the members of each by name and type, with faults that say where."""

from __future__ import annotations

from collections.abc import Iterator

from keepclear.formats.fields import Fields, is_number
from keepclear.formats.reading import Reading

__all__ = ["fields_of", "list_in", "number_in", "objects_in", "one_of_in", "part_in"]


def fields_of(value: object, reading: Reading, feature: str, name: str = "") -> Fields | None:
    """Typed access to a value that should be an object; None, and a fault, where it is none."""
    if isinstance(value, dict):
        return Fields(value, reading, feature)
    Fields({}, reading, feature).fault("not a JSON object", "an object in braces", field=name, value=value)
    return None


def part_in(fields: Fields, name: str, right: str = "") -> Fields | None:
    """A member that is an object. Missing, it is a fault if `right` says what would be right, else None."""
    if not fields.given(name):
        if right:
            fields.fault(f"no {name}", right, field=name)
        return None
    return fields_of(fields.take(name), fields.reading, fields.feature, name)


def list_in(fields: Fields, name: str) -> list[object]:
    """A member that is a list; empty where it is missing or, with a fault, no list."""
    value = fields.take(name)
    if value is None or isinstance(value, list):
        return value or []
    fields.fault("not a list", "a list in brackets", field=name, value=value)
    return []


def objects_in(fields: Fields, name: str, label: str) -> Iterator[Fields]:
    """The objects of a list, each with its number in the name of the feature: ``zone A, volume 2``."""
    for number, value in enumerate(list_in(fields, name), 1):
        part = fields_of(value, fields.reading, f"{fields.feature}, {label} {number}", name)
        if part:
            yield part


def number_in(fields: Fields, name: str, right: str, *, required: bool = True) -> float | None:
    """A member that is a finite number; None, and a fault unless it may be missing, where it is none."""
    value = fields.take(name)
    if is_number(value):
        return float(value)  # type: ignore[arg-type]  # is_number has just said so
    if value is not None:
        fields.fault("not a number", right, field=name, value=value)
    elif required:
        fields.fault(f"no {name}", right, field=name)
    return None


def one_of_in(fields: Fields, name: str, only: str, right: str, *, default: str = "") -> bool:
    """Whether the text member says `only`, in any case; with a fault where it says something else or nothing."""
    value = fields.take(name)
    if value is None:
        value = default
    if isinstance(value, str) and value.strip().upper() == only.upper():
        return True
    fields.fault(f"unknown {name}" if value else f"no {name}", right, field=name, value=value)
    return False
