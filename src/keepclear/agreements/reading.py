"""An agreement as people write it, a folder of files, read into its document.

``agreement.yaml`` names the parties, the files of the texts and annexes, and the terms, which stand in it or in files
of their own. All that is wrong is told at once: the file, the line, the term, the field, the value, and what would be
right. Nothing is put right by guessing; but where a term has no ``clause_hash``, it pins the clause as it stands.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from keepclear.agreements.documents import Annex, Document, TermText, Text, joined_hash
from keepclear.agreements.yaml_text import Path, YamlText, read_yaml
from keepclear.errors import Fault, InputError

__all__ = ["MAIN_FILE", "MEDIA_TYPES", "files_named", "read_agreement"]

MAIN_FILE = "agreement.yaml"
MEDIA_TYPES: Mapping[str, str] = {
    ".geojson": "application/geo+json", ".json": "application/json", ".csv": "text/csv", ".md": "text/markdown",
    ".txt": "text/plain", ".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg", ".kml": "application/vnd.google-earth.kml+xml",
}  # fmt: skip
"""By the end of a file's name, where the annex does not say of what type it is."""

_HEAD = ("agreement", "title", "version", "parties", "texts", "terms", "annexes")
_TEXT_MEMBERS = frozenset({"language", "authentic", "file", "sha256"})
_ANNEX_MEMBERS = frozenset({"file", "name", "media_type", "sha256"})


def files_named(main: bytes) -> tuple[str, ...]:
    """The files that ``agreement.yaml`` names, each once, to be read beside it; none of them has been checked.

    Raises
    ------
    InputError
        If it is no YAML.
    """
    value = read_yaml(main, file=MAIN_FILE).value
    found: dict[str, None] = {}
    for section in ("texts", "annexes", "terms"):
        entry = value.get(section) if isinstance(value, dict) else None
        listed = [entry] if isinstance(entry, str) else entry if isinstance(entry, list) else ()
        for one in listed:
            name = one.get("file") if isinstance(one, dict) else one
            if isinstance(name, str):
                found[name] = None
    return tuple(found)


def read_agreement(files: Mapping[str, bytes]) -> Document:
    """The document of an agreement that is written in files.

    Parameters
    ----------
    files
        The bytes of each by its name, ``agreement.yaml`` among them. Every other must be named in it.

    Raises
    ------
    InputError
        With everything that is wrong.
    """
    if MAIN_FILE not in files:
        raise InputError(Fault("missing", "the file that names all others", file=MAIN_FILE))
    return _Reading(files).document()


class _Reading:
    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.faults: list[Fault] = []
        self.used = {MAIN_FILE}
        self.places: dict[str, tuple[str, int]] = {}
        self.lacking = False  # of texts: then it cannot be said what is in them
        self.main = read_yaml(files[MAIN_FILE], file=MAIN_FILE)

    def document(self) -> Document:
        value = self.main.value
        if not isinstance(value, dict):
            raise InputError(Fault("not a mapping", f"{', '.join(_HEAD)}", file=MAIN_FILE))
        for name in value.keys() - set(_HEAD):
            self._fault((name,), "there is no such field", f"one of {', '.join(_HEAD)}", name)
        agreement, title, version = (self._line(value, name) for name in ("agreement", "title", "version"))
        parties = self._parties(value)
        texts = self._each(value, "texts", self._text, needed=True)
        listed = value.get("texts")
        self.lacking = len(texts) < (len(listed) if isinstance(listed, list) else 1)
        annexes = dict(self._each(value, "annexes", self._annex, needed=False))
        terms = self._terms(value, texts)
        for name in sorted(self.files.keys() - self.used):
            self.faults.append(Fault("not named in the agreement", f"name it in {MAIN_FILE}, or remove it", file=name))
        made: list[Document] = []
        try:
            # A document of what could be read, so that all that is wrong besides is told along with it.
            made.append(Document(agreement, title, version, parties, tuple(texts), tuple(terms), annexes))
        except InputError as error:
            self.faults += [self._placed(fault) for fault in error.faults if not (self.lacking and _of_text(fault))]
        self._check_terms(terms, annexes, parties)
        if self.faults:
            raise InputError(list(dict.fromkeys(self.faults)))
        return made[0]

    def _check_terms(self, terms: list[TermText], annexes: Mapping[str, Annex], parties: tuple[str, ...]) -> None:
        """Read the parameters of all terms, so that what is wrong in them is told along with the rest."""
        if not terms:
            return
        from keepclear.agreements.terms.geometry import Annexes  # geometry is heavy, and many drafts have no terms
        from keepclear.agreements.terms.registry import read_term

        shared = Annexes(annexes)
        for term in terms:
            try:
                read_term(term.members, shared, parties=parties)
            except InputError as error:
                named = {"id", "type", "clause", "clause_hash"}  # which the document itself has told of
                faults = (replace(one, feature=f"term {term.id}") for one in error.faults if one.field not in named)
                self.faults += [self._placed(one) for one in faults]

    def _line(self, value: dict[str, Any], name: str) -> str:
        found = value.get(name)
        if isinstance(found, int | float) and not isinstance(found, bool) and name == "version":
            return str(found)
        if not isinstance(found, str):
            self._fault((name,), "missing" if found is None else "not what belongs here", "text", name, found)
            # Something that is no fault of its own, so that what is wrong is told once.
            return "nothing"
        return found

    def _parties(self, value: dict[str, Any]) -> tuple[str, ...]:
        found = value.get("parties")
        if not isinstance(found, list):
            self._fault(("parties",), "missing" if found is None else "not what belongs here", "a list", "parties")
            return ("nobody", "none")
        for number, one in enumerate(found):
            if not isinstance(one, str):
                right = "text; in quotes where it looks like a number"
                self._fault(("parties", number), "not a party's name", right, "parties", one)
        return tuple(one if isinstance(one, str) else f"party-{number}" for number, one in enumerate(found))

    def _each(
        self, value: dict[str, Any], section: str, read: Callable[[dict[str, Any], Path], Any], *, needed: bool
    ) -> list[Any]:
        found = value.get(section)
        if found is None:
            if needed:
                self._fault((section,), "missing", "a list of files", section)
            return []
        if not isinstance(found, list):
            self._fault((section,), "not what belongs here", "a list", section)
            return []
        made = []
        for number, one in enumerate(found):
            path: Path = (section, number)
            members = {"file": one} if isinstance(one, str) else one
            if not isinstance(members, dict):
                self._fault(path, "not what belongs here", "a mapping with file", section)
                continue
            got = read(members, path)
            if got is not None:
                made.append(got)
        return made

    def _text(self, members: dict[str, Any], path: Path) -> Text | None:
        self._members(members, _TEXT_MEMBERS, path)
        data = self._file(members, path)
        language, authentic = members.get("language"), members.get("authentic", False)
        if not isinstance(language, str):
            self._fault((*path, "language"), "not a language", "a language tag (BCP 47): en, ar", "language", language)
        if not isinstance(authentic, bool):
            right = "true for the text that was agreed, false for a translation"
            self._fault((*path, "authentic"), "not what belongs here", right, "authentic", authentic)
        if data is None or not isinstance(language, str) or not isinstance(authentic, bool):
            return None
        try:
            text = Text(language, authentic, data.decode("utf-8"))
            text.clauses  # noqa: B018  # it is worked out here, and kept
        except InputError as error:
            self.faults += [replace(fault, file=str(members["file"])) for fault in error.faults]
            return None
        except UnicodeDecodeError as error:
            problem = f"not UTF-8 at byte {error.start}"
            self.faults.append(Fault(problem, "save it as UTF-8", file=str(members["file"])))
            return None
        return text

    def _annex(self, members: dict[str, Any], path: Path) -> tuple[str, Annex] | None:
        self._members(members, _ANNEX_MEMBERS, path)
        data = self._file(members, path)
        if data is None:
            return None
        file = str(members["file"])
        name = members.get("name", file.rpartition("/")[2])
        media_type = members.get("media_type", MEDIA_TYPES.get(_suffix(file), "application/octet-stream"))
        for field, value in (("name", name), ("media_type", media_type)):
            if not isinstance(value, str):
                self._fault((*path, field), "not what belongs here", "text", field, value)
                return None
        if any(other.get("name", other.get("file")) == name for other in self._others(path)):
            self._fault(path, "two annexes are called the same", "a name for each", "name", name)
            return None
        return name, Annex(media_type, data)

    def _others(self, path: Path) -> Iterator[dict[str, Any]]:
        section, number = path
        for one in self.main.value[section][:number]:
            if isinstance(one, dict | str):
                yield {"file": one} if isinstance(one, str) else one

    def _file(self, members: dict[str, Any], path: Path) -> bytes | None:
        name, pinned = members.get("file"), members.get("sha256")
        if not isinstance(name, str):
            self._fault((*path, "file"), "names no file", "a file beside agreement.yaml", "file", name)
            return None
        self.used.add(name)
        data = self.files.get(name)
        if data is None:
            self._fault((*path, "file"), "there is no such file", "a file beside agreement.yaml", "file", name)
            return None
        if pinned is not None:
            there = hashlib.sha256(data).hexdigest()
            if pinned != there:
                problem = f"the file {name} has another hash"
                right = f"look at it again, and then write {there}"
                self._fault((*path, "sha256"), problem, right, "sha256", pinned)
        return data

    def _members(self, members: dict[str, Any], known: frozenset[str], path: Path) -> None:
        for name in sorted(members.keys() - known):
            self._fault((*path, name), "there is no such field", f"one of {', '.join(sorted(known))}", name)

    # --- terms ---

    def _terms(self, value: dict[str, Any], texts: list[Text]) -> list[TermText]:
        found = value.get("terms")
        if isinstance(found, str):
            return self._terms_of_file(found, ("terms",), texts)
        if found is None:
            return []
        if not isinstance(found, list):
            self._fault(("terms",), "not what belongs here", "a list, or the name of a file", "terms")
            return []
        made: list[TermText] = []
        for number, one in enumerate(found):
            path: Path = ("terms", number)
            if isinstance(one, dict) and one.keys() == {"file"} and isinstance(one["file"], str):
                made += self._terms_of_file(one["file"], path, texts)
            else:
                made += self._term(one, self.main, path, MAIN_FILE, texts)
        return made

    def _terms_of_file(self, name: str, path: Path, texts: list[Text]) -> list[TermText]:
        data = self._file({"file": name}, path)
        if data is None:
            return []
        try:
            read = read_yaml(data, file=name)
        except InputError as error:
            self.faults += error.faults
            return []
        listed = read.value if isinstance(read.value, list) else [read.value]
        where: Callable[[int], Path] = (lambda n: (n,)) if isinstance(read.value, list) else lambda _: ()
        return [made for n, one in enumerate(listed) for made in self._term(one, read, where(n), name, texts)]

    def _term(self, value: Any, read: YamlText, path: Path, file: str, texts: list[Text]) -> Iterator[TermText]:
        if not isinstance(value, dict):
            problem, right = "not a term", "a mapping with id, type and clause"
            self.faults.append(Fault(problem, right, file, f"line {read.line(path)}", "terms", _shown(value)))
            return
        for name in ("id", "type", "clause", "clause_hash"):
            if isinstance(value.get(name), int | float) and not isinstance(value.get(name), bool):
                value[name] = str(value[name])  # clause: 5
        if isinstance(value.get("clause"), str) and value.get("clause_hash") is None:
            pinned = _pinned(texts, value["clause"])
            if pinned is not None:
                value["clause_hash"] = pinned
        made = TermText(_without_nothing(value))
        self.places.setdefault(f"term {made.id}", (file, read.line(path)))
        yield made

    # --- faults ---

    def _fault(self, path: Path, problem: str, right: str, field: str, value: Any = None) -> None:
        line = f"line {self.main.line(path)}"
        self.faults.append(Fault(problem, right, MAIN_FILE, line, field, "" if value is None else _shown(value)))

    def _placed(self, fault: Fault) -> Fault:
        """The same fault of the document, with the file and the line that it comes from."""
        section: Path = tuple(int(one) if one.isdigit() else one for one in re.findall(r"\w+", fault.field))
        file, line = self.places.get(fault.feature) or (MAIN_FILE, self.main.line(section))
        feature = f"line {line}, {fault.feature}" if fault.feature else f"line {line}"
        return replace(fault, file=file, feature=feature)


def _of_text(fault: Fault) -> bool:
    return fault.field.startswith(("texts", "clause"))


def _without_nothing(value: Any) -> Any:
    """Without members that are null: what says nothing is left out, so that it has one text."""
    if isinstance(value, dict):
        return {name: _without_nothing(one) for name, one in value.items() if one is not None}
    return [_without_nothing(one) for one in value] if isinstance(value, list) else value


def _pinned(texts: list[Text], anchor: str) -> str | None:
    authentic = sorted((one for one in texts if one.authentic), key=lambda one: one.language.casefold())
    if not authentic or any(anchor not in one.clauses for one in authentic):
        return None
    return joined_hash([one.clauses[anchor].sha256 for one in authentic])


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}" if "." in name else ""


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)[:100]
