"""What is wrong with the document of an agreement: all of it at once, each with where it is and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from keepclear.agreements.clauses import ANCHOR_RIGHT, clauses_twice, is_anchor
from keepclear.agreements.documents import Annex, Document, TermText, Text
from keepclear.errors import Fault, InputError
from keepclear.record.names import NAME_RIGHT, is_name

__all__ = ["MOST_ANNEXES", "MOST_PARTIES", "MOST_SEPARATIONS", "MOST_TERMS", "faults_of"]

MOST_PARTIES = 256
MOST_ANNEXES = 1000
MOST_TERMS = 1000
MOST_SEPARATIONS = 50
"""How many of the terms ask for a distance between all units: each is one more search for every filing."""
_SEPARATION = "MIN_SEPARATION"

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}", re.ASCII)
_ID_RIGHT = "1 to 64 of a-z, 0-9, dots and hyphens, a letter or digit first"
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TERM_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,62}", re.ASCII)
_LONGEST_LINE = 1000


def faults_of(document: Document) -> Iterator[Fault]:
    """Everything that is wrong with it."""
    yield from _head_faults(document)
    yield from _text_faults(document.texts)
    uncut = list(_uncut_faults(document.texts))
    yield from uncut or _term_faults(document)
    yield from _annex_faults(document.annexes)


def _head_faults(document: Document) -> Iterator[Fault]:
    if not _ID.fullmatch(document.id):
        yield Fault("not what an agreement can be called", _ID_RIGHT, field="agreement", value=document.id)
    for name, text in (("title", document.title), ("version", document.version)):
        if not text.strip() or len(text) > _LONGEST_LINE:
            yield Fault(f"not a {name}", f"1 to {_LONGEST_LINE} characters", field=name, value=text)
    if not 2 <= len(document.parties) <= MOST_PARTIES:
        right = f"2 to {MOST_PARTIES} parties"
        yield Fault("not so many parties as agree", right, field="parties", value=str(len(document.parties)))
    seen: set[str] = set()
    for number, party in enumerate(document.parties):
        if not is_name(party):
            yield Fault("not a party's name", NAME_RIGHT, field=f"parties[{number}]", value=party)
        elif party in seen:
            yield Fault("a party is named twice", "each once", field=f"parties[{number}]", value=party)
        seen.add(party)


def _text_faults(texts: Sequence[Text]) -> Iterator[Fault]:
    if not any(one.authentic for one in texts):
        yield Fault("no authentic text", "authentic: true for one text or several", field="texts")
    seen: set[str] = set()
    for number, one in enumerate(texts):
        path = f"texts[{number}]"
        if not _LANGUAGE.fullmatch(one.language) or len(one.language) > 35:
            right = "a language tag (BCP 47): en, ar, zh-Hant"
            yield Fault("not a language", right, field=f"{path}.language", value=one.language)
        elif one.language.casefold() in seen:
            yield Fault("two texts in one language", "one for each", field=f"{path}.language", value=one.language)
        seen.add(one.language.casefold())
        if not one.markdown.strip():
            yield Fault("an empty text", field=path)


def _uncut_faults(texts: Sequence[Text]) -> Iterator[Fault]:
    """Of texts that cannot be cut into clauses: then no term can be looked for in them."""
    for number, one in enumerate(texts):
        try:
            one.clauses  # noqa: B018  # it is worked out here, and kept
        except InputError as error:
            yield from (replace(fault, field=f"texts[{number}]") for fault in error.faults)


def _term_faults(document: Document) -> Iterator[Fault]:
    if len(document.terms) > MOST_TERMS:
        yield Fault(f"{len(document.terms)} terms", f"at most {MOST_TERMS}", field="terms")
        return
    separations = sum(one.type == _SEPARATION for one in document.terms)
    if separations > MOST_SEPARATIONS:
        yield Fault(f"{separations} terms of type {_SEPARATION}", f"at most {MOST_SEPARATIONS}", field="terms")
    seen: set[str] = set()
    twice = frozenset[str]().union(*(clauses_twice(one.markdown) for one in document.texts if one.authentic))
    for number, one in enumerate(document.terms):
        feature = f"term {one.id}" if one.id else f"term {number + 1}"
        given = one.members
        if not isinstance(given.get("id"), str) or not is_anchor(one.id):
            yield Fault("not what a term can be called", ANCHOR_RIGHT, feature=feature, field="id", value=one.id)
        elif one.id in seen:
            yield Fault("two terms are called the same", "an id for each", feature=feature, field="id", value=one.id)
        seen.add(one.id)
        if not isinstance(given.get("type"), str) or not _TERM_TYPE.fullmatch(one.type):
            right = "in capitals, as in docs/spec/terms: DEPTH_BAND"
            yield Fault("not a type of terms", right, feature=feature, field="type", value=one.type)
        yield from _clause_faults(document, one, feature, twice)


def _clause_faults(document: Document, term: TermText, feature: str, twice: frozenset[str]) -> Iterator[Fault]:
    if not isinstance(term.members.get("clause"), str) or not is_anchor(term.clause):
        yield Fault(
            "names no clause", f"its anchor: {ANCHOR_RIGHT}", feature=feature, field="clause", value=term.clause
        )
        return
    there = document.clause_hash(term.clause)
    if there is None:
        lacking = [one.language for one in document.texts if one.authentic and term.clause not in one.clauses]
        right = f"{{#{term.clause}}} at the clause, or a heading with that number"
        problem = f"no such clause in the authentic text ({', '.join(lacking)})"
        yield Fault(problem, right, feature=feature, field="clause", value=term.clause)
    elif term.clause in twice:
        yield Fault("two clauses are called so", "one", feature=feature, field="clause", value=term.clause)
    elif not _HASH.fullmatch(term.clause_hash):
        right = "the SHA-256 of the clause, 64 of 0-9a-f"
        yield Fault("does not pin its clause", right, feature=feature, field="clause_hash", value=term.clause_hash)
    elif term.clause_hash != there:
        problem = f"the clause {term.clause} says something else than the term was written for"
        right = f"read it again, and then write {there}"
        yield Fault(problem, right, feature=feature, field="clause_hash", value=term.clause_hash)


def _annex_faults(annexes: Mapping[str, Annex]) -> Iterator[Fault]:
    if len(annexes) > MOST_ANNEXES:
        yield Fault(f"{len(annexes)} annexes", f"at most {MOST_ANNEXES}", field="annexes")
    for name, one in annexes.items():
        if not _FILE_NAME.fullmatch(name) or name in {".", ".."}:
            yield Fault("not the name of an annex", "a file's name, without a path", field="annexes", value=name)
        if not _MEDIA_TYPE.fullmatch(one.media_type):
            right = "as application/geo+json"
            yield Fault("not a media type", right, feature=f"annex {name}", field="media_type", value=one.media_type)
