"""Minima: the least separation allowed between two kinds, and where each number comes from.

Rules bind pairs of domains for operations, and pairs of kinds where a zone is concerned. Where several bind, the
largest of each component does, and the answer names all of them.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from keepclear.errors import Fault, InputError
from keepclear.model.findings import Answer, Minima
from keepclear.model.kinds import Domain, OperationKind, ZoneKind, parse_kind
from keepclear.units import feet_to_metres, nautical_miles_to_metres

__all__ = ["ANYTHING", "HIGH_AIR", "RVSM_CEILING_M", "Binding", "MinimaTable", "Rule"]

ANYTHING = "anything"
HIGH_AIR = "air above FL410"
RVSM_CEILING_M = feet_to_metres(41_000.0)
"""Above it the vertical minimum between aircraft is 2,000 ft; what flies higher counts as `HIGH_AIR` too."""

_DOMAINS = tuple(domain.value for domain in Domain)
_FIELDS = ("between", "horizontal_m", "vertical_m", "time_s", "source", "answer")
_LONGEST_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: the minima between two sorts of thing.

    Attributes
    ----------
    first, second
        A domain ("ground"), a kind of operation or zone ("hazard area"), or "anything". The order does not matter.
    horizontal_m, vertical_m, time_s
        The least separation allowed; ``vertical_m`` None: height does not matter. 0 means overlap by more than 1 mm.
    source
        Where the numbers come from.
    answer
        What a breach is: conflict, or only possible.
    """

    first: str
    second: str
    horizontal_m: float
    vertical_m: float | None
    time_s: float
    source: str
    answer: Answer = Answer.CONFLICT

    @property
    def name(self) -> str:
        """Both sides of the rule, for example ``"ground – air"``."""
        return f"{self.first} – {self.second}"


@dataclass(frozen=True, slots=True)
class Binding:
    """The minima that bind one pair, and whether breaking them is a conflict or only possibly one."""

    minima: Minima
    answer: Answer


_FOOT_500 = feet_to_metres(500.0)
_DEFAULT = (
    Rule(
        "ground", "ground", 500.0, None, 0.0,
        "keepclear: on the ground separation is a matter of agreement; 500 m until one says otherwise",
    ),
    Rule(
        "air", "air", nautical_miles_to_metres(5.0), feet_to_metres(1000.0), 0.0,
        "ICAO Doc 4444 (PANS-ATM), 8.7.3.1 (5 NM) and 5.3.2 (1,000 ft; with RVSM to FL410)",
    ),
    Rule(
        HIGH_AIR, "air", nautical_miles_to_metres(5.0), feet_to_metres(2000.0), 0.0,
        "ICAO Doc 4444 (PANS-ATM), 5.3.2 (2,000 ft above FL410)",
    ),
    Rule(
        "uas", "uas", nautical_miles_to_metres(0.66), feet_to_metres(450.0), 0.0,
        "RTCA DO-365B, well clear: 0.66 NM, 450 ft",
    ),
    Rule(
        "uas", "air", nautical_miles_to_metres(0.66), feet_to_metres(450.0), 0.0,
        "RTCA DO-365B, well clear: 0.66 NM, 450 ft",
    ),
    Rule("ground", "air", 600.0, 300.0, 0.0, "(EU) 923/2012 (SERA), 5005(f)(1): 300 m above what is within 600 m"),
    Rule("ground", "uas", 150.0, 120.0, 0.0, "(EU) 2019/947, UAS.OPEN.040 (150 m) and UAS.OPEN.010 (120 m)"),
    Rule("sea", "sea", nautical_miles_to_metres(1.0), None, 0.0, "keepclear: 1 NM until an agreement says otherwise"),
    Rule("sea", "ground", 500.0, None, 0.0, "keepclear: as ground – ground"),
    Rule("sea", "air", 600.0, 300.0, 0.0, "keepclear: as ground – air"),
    Rule("sea", "uas", 150.0, 120.0, 0.0, "keepclear: as ground – uas"),
    Rule("hazard area", ANYTHING, 0.0, 0.0, 0.0, "by definition: the area as published contains its own margin"),
    Rule("no-go area", ANYTHING, 0.0, 0.0, 0.0, "by definition: the area is not to be entered"),
    Rule("buffer", ANYTHING, 0.0, 0.0, 0.0, "by definition: the area is not to be entered"),
    Rule("geo-zone", ANYTHING, 0.0, 0.0, 0.0, "by definition: EUROCAE ED-318, the zone's restriction"),
    Rule("protected site", "hazard area", 0.0, 0.0, 0.0, "by definition: no hazard reaches a protected site"),
    Rule("protected site", "exercise", 0.0, 0.0, 0.0, "by definition: no exercise in a protected site"),
    Rule(
        "protected site", ANYTHING, 0.0, 0.0, 0.0,
        "keepclear: whoever is in a protected site should be asked why", Answer.POSSIBLE,
    ),
)  # fmt: skip

# Zones are compared with operations; with each other only where a rule names both.
_ZONE_PAIRS = {frozenset({ZoneKind.PROTECTED_SITE, ZoneKind.HAZARD_AREA})}


@dataclass(frozen=True, slots=True)
class MinimaTable:
    """Rules, in the order in which they are shown.

    ``single`` and files replace the rules between operations that they name; rules of zones stay unless named.
    """

    rules: tuple[Rule, ...]
    one_for_all: Rule | None = None

    @classmethod
    def default(cls) -> MinimaTable:
        """The documented default table."""
        return cls(_DEFAULT)

    @classmethod
    def single(cls, horizontal_m: float, vertical_m: float, time_s: float = 0.0) -> MinimaTable:
        """One rule for all pairs of operations; zones keep theirs. Metres and seconds.

        Raises
        ------
        InputError
            If a number is negative or not finite.
        """
        numbers = _checked_numbers(horizontal_m, vertical_m, time_s, "--minima")
        return cls(_DEFAULT, Rule("operation", "operation", *numbers, "given for all pairs of operations"))

    @classmethod
    def read(cls, path: Path | str) -> MinimaTable:
        """Default table with the rules of a TOML or JSON file in place of, or added to, its own.

        The file holds a list ``rule`` of tables with ``between`` (two names), ``horizontal_m``, ``vertical_m`` (left
        out or null: height does not matter), ``time_s`` (0 if left out) and ``source``.

        Raises
        ------
        InputError
            If the file cannot be read or a rule is not one; all faults are named.
        """
        file = Path(path)
        return cls(_DEFAULT).with_rules(_rules_of(_parsed(file), file.name))

    def with_rules(self, rules: Iterable[Rule]) -> MinimaTable:
        """Table with `rules` in place of this one's for the same pair, or added after the others."""
        table = {_key(rule): rule for rule in self.rules}
        for rule in rules:
            table[_key(rule)] = rule
        return replace(self, rules=tuple(table.values()))

    def between_operations(
        self, first: tuple[OperationKind | None, frozenset[str]], second: tuple[OperationKind | None, frozenset[str]]
    ) -> Binding:
        """Minima between two sorts of operation, each a kind and its domains (`Domain` values or `HIGH_AIR`).

        An operation of no known kind is held to the strictest row. Height does not matter between two that both
        move on the ground.
        """
        if self.one_for_all is not None:
            single = _merged([self.one_for_all], ignore_height=_both_on_ground(first, second))
            return replace(single, minima=replace(single.minima, rule="one rule for all operations, as given"))
        if _is_unknown(first) or _is_unknown(second):
            high = HIGH_AIR in first[1] | second[1]
            named = (rule for rule in self.rules if _is_operational(rule))
            return _strictest([rule for rule in named if high or HIGH_AIR not in (rule.first, rule.second)])
        binding = [rule for rule in self.rules if _binds(rule, _names(first), _names(second))]
        return _merged(binding or [_widest(self.rules)], ignore_height=False)

    def with_zone(
        self, kind: ZoneKind, other: OperationKind | ZoneKind | None, domains: frozenset[str] = frozenset()
    ) -> Binding | None:
        """Minima between a zone and an operation of a kind (or of none), or another zone; None if no rule binds.

        `domains` are those of the operation.
        """
        if isinstance(other, ZoneKind) and frozenset({kind, other}) not in _ZONE_PAIRS | self._named_zone_pairs():
            return None
        names = {other.value} if other is not None else {known.value for known in OperationKind}
        binding = [rule for rule in self.rules if _binds(rule, {kind.value}, names | domains)]
        certain = [rule for rule in binding if rule.answer is Answer.CONFLICT]
        if certain:  # what is only possible still counts where it asks for more
            binding = certain + [rule for rule in binding if rule not in certain and _asks_more(rule, certain)]
        return _merged(binding, ignore_height=False) if binding else None

    def _named_zone_pairs(self) -> set[frozenset[ZoneKind]]:
        zones = {kind.value: kind for kind in ZoneKind}
        return {
            frozenset({zones[rule.first], zones[rule.second]})
            for rule in self.rules
            if rule.first in zones and rule.second in zones
        }


def _names(sort: tuple[OperationKind | None, frozenset[str]]) -> set[str]:
    kind, domains = sort
    return {str(domain) for domain in domains} | ({kind.value} if kind is not None else set())


def _is_unknown(sort: tuple[OperationKind | None, frozenset[str]]) -> bool:
    return sort[0] is None and sort[1] >= set(_DOMAINS)


def _both_on_ground(
    first: tuple[OperationKind | None, frozenset[str]], second: tuple[OperationKind | None, frozenset[str]]
) -> bool:
    surface = {Domain.GROUND.value, Domain.SEA.value}
    known = not (_is_unknown(first) or _is_unknown(second))
    return known and bool(surface & first[1]) and bool(surface & second[1])


def _binds(rule: Rule, first: set[str], second: set[str]) -> bool:
    for one, other in ((rule.first, rule.second), (rule.second, rule.first)):
        if (one in first or one == ANYTHING) and (other in second or other == ANYTHING):
            return True
    return False


def _asks_more(rule: Rule, than: list[Rule]) -> bool:
    heights = [math.inf if other.vertical_m is None else other.vertical_m for other in (rule, *than)]
    return (
        rule.horizontal_m > max(other.horizontal_m for other in than)
        or rule.time_s > max(other.time_s for other in than)
        or heights[0] > max(heights[1:])
    )


def _is_operational(rule: Rule) -> bool:
    zones = {kind.value for kind in ZoneKind}
    return rule.first not in zones and rule.second not in zones


def _widest(rules: Iterable[Rule]) -> Rule:
    return max((rule for rule in rules if _is_operational(rule)), key=lambda rule: rule.horizontal_m)


def _strictest(rules: list[Rule]) -> Binding:
    """The largest of each component over all rows; a row in which height does not matter has no height to give."""
    heights = [rule.vertical_m for rule in rules if rule.vertical_m is not None]
    widest = _widest(rules)
    minima = Minima(
        horizontal_m=widest.horizontal_m,
        vertical_m=max(heights) if heights else None,
        time_s=max(rule.time_s for rule in rules),
        rule=f"strictest row, kind not known ({widest.name})",
    )
    return Binding(minima, Answer.CONFLICT)


def _merged(rules: list[Rule], *, ignore_height: bool) -> Binding:
    heights = [rule.vertical_m for rule in rules]
    no_height = ignore_height or any(height is None for height in heights)
    minima = Minima(
        horizontal_m=max(rule.horizontal_m for rule in rules),
        vertical_m=None if no_height else max(height for height in heights if height is not None),
        time_s=max(rule.time_s for rule in rules),
        rule=" + ".join(dict.fromkeys(rule.name for rule in rules)),
    )
    conflict = any(rule.answer is Answer.CONFLICT for rule in rules)
    return Binding(minima, Answer.CONFLICT if conflict else Answer.POSSIBLE)


def _key(rule: Rule) -> frozenset[str]:
    return frozenset({rule.first, rule.second})


def _parsed(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_FILE + 1)
    except OSError as error:
        raise InputError(Fault("cannot be read", error.strerror or "", file=str(path))) from None
    if len(content) > _LONGEST_FILE:
        raise InputError(Fault("too long for a table of minima", f"at most {_LONGEST_FILE} bytes", file=path.name))
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(f"not TOML or JSON: {error}", "see `keepclear minima`", file=path.name)) from None


def _rules_of(document: Any, file: str) -> list[Rule]:
    rows = document.get("rule") if isinstance(document, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise InputError(Fault("no rules in it", 'a list "rule", see `keepclear minima --format toml`', file=file))
    rules: dict[frozenset[str], Rule] = {}
    faults: list[Fault] = []
    for number, row in enumerate(rows, start=1):
        where = f"rule {number}"
        try:
            rule = _rule_of(row, file)
        except InputError as error:
            faults += [replace(fault, file=file, feature=where) for fault in error.faults]
            continue
        if _key(rule) in rules:
            faults.append(Fault("a second rule for this pair", "one for each pair", file, where, "between", rule.name))
        rules[_key(rule)] = rule
    if faults:
        raise InputError(faults)
    return list(rules.values())


def _rule_of(row: Any, file: str) -> Rule:
    if not isinstance(row, Mapping):
        raise InputError(Fault("not a table", value=str(row)))
    faults = [
        Fault("unknown field", ", ".join(_FIELDS), field=str(name), value=str(row[name]))
        for name in row
        if name not in _FIELDS
    ]
    pair: tuple[str, str] = ("", "")
    numbers: tuple[float, float | None, float] = (0.0, None, 0.0)
    try:
        pair = _pair(row.get("between"))
    except InputError as error:
        faults += error.faults
    try:
        numbers = _checked_numbers(row.get("horizontal_m"), row.get("vertical_m"), row.get("time_s", 0.0), "")
    except InputError as error:
        faults += error.faults
    answer = row.get("answer", Answer.CONFLICT.value)
    if answer not in (Answer.CONFLICT, Answer.POSSIBLE):
        faults.append(Fault("not an answer", "conflict or possible", field="answer", value=str(answer)))
    if faults:
        raise InputError(faults)
    return Rule(pair[0], pair[1], *numbers, str(row.get("source") or f"given in {file}"), Answer(answer))


def _pair(value: Any) -> tuple[str, str]:
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(name, str) for name in value)):
        raise InputError(
            Fault("not a pair", 'two names, for example ["ground", "air"]', field="between", value=str(value))
        )
    names, faults = [], []
    for name in value:
        try:
            names.append(_named(name))
        except InputError as error:
            faults += [replace(fault, field="between") for fault in error.faults]
    if faults:
        raise InputError(faults)
    return names[0], names[1]


def _named(name: str) -> str:
    folded = name.strip().lower()
    if folded in (*_DOMAINS, ANYTHING):
        return folded
    if folded == HIGH_AIR.lower():
        return HIGH_AIR
    return parse_kind(name).value


def _checked_numbers(horizontal: Any, vertical: Any, time: Any, field: str) -> tuple[float, float | None, float]:
    faults = []
    for name, value, needed in (
        ("horizontal_m", horizontal, True),
        ("vertical_m", vertical, False),
        ("time_s", time, True),
    ):
        if value is None and not needed:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and 0.0 <= value <= 1e7):
            faults.append(Fault("not a minimum", "a number from 0 to 10000000", field=field or name, value=str(value)))
    if faults:
        raise InputError(faults)
    return float(horizontal), None if vertical is None else float(vertical), float(time)
