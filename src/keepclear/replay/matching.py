"""Whether what a node answered is what a scenario expects, and if not, what was there instead.

What is expected is a part of the answer: a mapping names the members that matter; a list, items of which each must be
there, in any order; anything else is equal. A mapping of these names asks something of one value instead::

    has: text           the text (or one of the texts) has this in it, whatever the case
    lacks: text         it has not
    least, most: n      a number, or a time as text, is within
    near: [n, within]   a number is so close
    count: n            so many items (a pattern of `least` and `most` will do)
    none: pattern       no item is like this
    where: {…}          of the items like this there is one; used with `then`
    then: pattern       each of those items is like that
    not: pattern        it is anything else
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["OPERATORS", "misses"]

OPERATORS = frozenset({"has", "lacks", "least", "most", "near", "count", "none", "where", "then", "not"})
_SHOWN = 600


def misses(wanted: Any, got: Any) -> list[str]:
    """What is not as expected, a sentence for each; none if all is."""
    return list(_misses(wanted, got, ""))


def _misses(wanted: Any, got: Any, path: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and wanted and set(wanted) <= OPERATORS:
        yield from _asked(wanted, got, path)
    elif isinstance(wanted, Mapping):
        if not isinstance(got, Mapping):
            yield _told(path, wanted, got)
            return
        for name, inner in wanted.items():
            here = f"{path}.{name}" if path else str(name)
            if name not in got:
                yield f"{here}: expected {_text(inner)}, and there is no {name!r} among {', '.join(map(str, got))}"
            else:
                yield from _misses(inner, got[name], here)
    elif isinstance(wanted, list):
        if not isinstance(got, list):
            yield _told(path, wanted, got)
            return
        for one in wanted:
            if all(any(True for _ in _misses(one, item, path)) for item in got):
                yield f"{path or 'the answer'}: expected an item like {_text(one)}; there was {_text(got)}"
    elif not _equal(wanted, got):
        yield _told(path, wanted, got)


def _asked(wanted: Mapping[str, Any], got: Any, path: str) -> Iterator[str]:
    items = got
    if "where" in wanted:
        items = [one for one in _items(got) if not misses(wanted["where"], one)]
        if not items and "count" not in wanted:
            yield f"{path or 'the answer'}: expected an item like {_text(wanted['where'])}; there was {_text(got)}"
    for name, value in wanted.items():
        if name == "count":
            yield from _misses(value, len(_items(items)), f"{path} (how many)")
        elif name == "then":
            for one in _items(items):
                yield from _misses(value, one, path)
        elif name == "none":
            if any(not misses(value, one) for one in _items(items)):
                yield f"{path or 'the answer'}: expected no item like {_text(value)}; there was {_text(got)}"
        elif name != "where" and not _holds(name, value, got):
            yield _told(path, {name: value}, got)


def _holds(name: str, value: Any, got: Any) -> bool:
    match name:
        case "has":
            return any(str(value).casefold() in text.casefold() for text in _texts(got))
        case "lacks":
            return not any(str(value).casefold() in text.casefold() for text in _texts(got))
        case "not":
            return bool(misses(value, got))
        case "near":
            aim, within = value
            return _is_number(got) and abs(got - aim) <= within
    if _is_number(got) and _is_number(value):
        return bool(got >= value) if name == "least" else bool(got <= value)
    if isinstance(got, str) and isinstance(value, str):
        return got >= value if name == "least" else got <= value
    return False


def _texts(got: Any) -> list[str]:
    if isinstance(got, str):
        return [got]
    if isinstance(got, Mapping):
        return [text for one in got.values() for text in _texts(one)]
    return [text for one in got for text in _texts(one)] if isinstance(got, list) else []


def _items(got: Any) -> list[Any]:
    return got if isinstance(got, list) else []


def _equal(wanted: Any, got: Any) -> bool:
    if _is_number(wanted) and _is_number(got):
        return bool(wanted == got)
    return type(wanted) is type(got) and bool(wanted == got)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _told(path: str, wanted: Any, got: Any) -> str:
    return f"{path or 'the answer'}: expected {_text(wanted)}; there was {_text(got)}"


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
