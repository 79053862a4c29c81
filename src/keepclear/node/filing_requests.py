"""What is asked of a filing: the plan, to whom, how exactly, and what goes with it. Values; nothing is done here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from types import MappingProxyType
from typing import Any

from keepclear.errors import Fault, InputError
from keepclear.line.coarsening import Precision
from keepclear.model.operations import Operation, Zone
from keepclear.record.bodies.base import Faults
from keepclear.record.bodies.plans import OperationBody, OperationValue, ZoneBody, ZoneValue
from keepclear.record.names import NAME_RIGHT, is_name

__all__ = ["ALL", "FilingRequest", "precision_of"]

ALL = "all"
"""Instead of a list of recipients: all who are on the line when it is said."""

_THINGS = ("operation", "zone")
_MOST_RECIPIENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingRequest:
    """A filing as an officer asks for it.

    Attributes
    ----------
    thing
        What is planned: values as bodies have them, or the model's.
    line
        On which line; None where the party is on one only.
    recipients
        Who is told; None: all who are on the line. Nobody at all, where it is only to be committed to.
    precision
        How roughly they are told; None: exactly.
    precision_for
        The same for single recipients, who are told otherwise than the rest.
    commit_exact
        Whether, where nobody is told exactly, the exact plan is committed to: so it can be proved later what it was.
    exercise
        Whether it is said for practice, and is not so.
    on_behalf_of
        The affiliate whose operation it is.
    remarks, reason_if_late
        Free text; why it is told so shortly before it begins.
    despite_terms
        Why it is filed although a term in force would not be kept to: whoever says so knows of it. Nobody else is told.

    Raises
    ------
    InputError
        If a name is none, or somebody is named who is no recipient; with all faults.
    """

    thing: OperationValue | ZoneValue | Operation | Zone
    line: str | None = None
    recipients: tuple[str, ...] | None = None
    precision: Precision | None = None
    precision_for: Mapping[str, Precision | None] = field(default_factory=dict)
    commit_exact: bool = True
    exercise: bool = False
    on_behalf_of: str | None = None
    remarks: str | None = None
    reason_if_late: str | None = None
    despite_terms: str | None = None

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        if self.line is not None and not is_name(self.line):
            faults.append(Fault("not the name of a line", NAME_RIGHT, field="line", value=str(self.line)))
        named = self.recipients or ()
        if len(named) > _MOST_RECIPIENTS:
            faults.append(Fault(f"{len(named)} recipients", f"at most {_MOST_RECIPIENTS}", field="recipients"))
        for where, names in (("recipients", named), ("precision_for", tuple(self.precision_for))):
            faults += [
                Fault("not the name of a party", NAME_RIGHT, field=where, value=str(one))
                for one in names
                if not is_name(one)
            ]
        if self.recipients is not None:
            strangers = sorted(set(self.precision_for) - set(self.recipients))
            right = "one of the recipients"
            faults += [Fault("is not told at all", right, field="precision_for", value=one) for one in strangers]
        if faults:
            raise InputError(faults)
        object.__setattr__(self, "precision_for", MappingProxyType(dict(self.precision_for)))

    @property
    def is_zone(self) -> bool:
        """Whether an area with a rule is told, and no operation."""
        return isinstance(self.thing, ZoneValue | Zone)

    def model(self) -> Operation | Zone:
        """What is planned, checked.

        Raises
        ------
        InputError
            With all that is wrong with it, each fault with the path of its member.
        """
        if isinstance(self.thing, Operation | Zone):
            return self.thing
        if isinstance(self.thing, ZoneValue):
            return ZoneBody(zone=self.thing).to_model()
        return OperationBody(operation=self.thing).to_model()

    def to_json(self) -> dict[str, Any]:
        """As JSON, which `of_json` reads."""
        members: dict[str, Any] = {"zone" if self.is_zone else "operation": self._thing_json()}
        if self.line is not None:
            members["line"] = self.line
        members["recipients"] = ALL if self.recipients is None else list(self.recipients)
        if self.precision is not None:
            members["precision"] = _precision_json(self.precision)
        if self.precision_for:
            members["precision_for"] = {
                party: None if one is None else _precision_json(one) for party, one in self.precision_for.items()
            }
        if not self.commit_exact:
            members["commit_exact"] = False
        if self.exercise:
            members["exercise"] = True
        texts = ("on_behalf_of", "remarks", "reason_if_late", "despite_terms")
        return members | {name: text for name in texts if (text := getattr(self, name)) is not None}

    @classmethod
    def of_json(cls, members: object) -> FilingRequest:
        """The request that a JSON object is: ``operation`` or ``zone``, and the attributes by their names.

        Raises
        ------
        InputError
            With all that is wrong.
        """
        if not isinstance(members, Mapping):
            raise InputError(Fault("not a JSON object", "operation or zone, line, recipients"))
        given, faults = {name: value for name, value in members.items() if value is not None}, Faults()
        known = {one.name for one in fields(cls)} - {"thing"}
        for name in sorted(map(str, given.keys() - known - {*_THINGS})):
            faults.found.append(Fault("there is no such member", f"one of: {', '.join(sorted(known))}", field=name))
        faults.attempt("", partial(_check_types, given))
        thing = faults.attempt("", partial(_thing, given))
        precision = faults.attempt("precision", partial(precision_of, given.get("precision")))
        others = faults.attempt("precision_for", partial(_precisions, given.get("precision_for", {})))
        faults.raise_any()
        recipients = given.get("recipients", ALL)
        given |= {"recipients": None if recipients == ALL else tuple(recipients)}
        given |= {"thing": thing, "precision": precision, "precision_for": others}
        for name in _THINGS:
            given.pop(name, None)
        return cls(**given)

    def _thing_json(self) -> dict[str, Any]:
        thing = self.thing
        if isinstance(thing, Operation):
            thing = OperationBody.of_model(thing).operation
        elif isinstance(thing, Zone):
            thing = ZoneBody.of_model(thing).zone
        return thing.model_dump(mode="json", exclude_none=True)


def precision_of(value: object) -> Precision | None:
    """The precision that a JSON object is; None where nothing is said.

    Raises
    ------
    InputError
        If it is none.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value.keys() <= {"grid_km", "time_s", "height_m"}:
        raise InputError(Fault("not a precision", "an object with grid_km, time_s, height_m"))
    wrong = [
        Fault("not a number", "a number", field=str(name), value=str(one))
        for name, one in value.items()
        if one is not None and (isinstance(one, bool) or not isinstance(one, int | float))
    ]
    wrong += [
        Fault("not a whole number", "a whole number", field=name, value=str(one))
        for name in ("grid_km", "time_s")
        if isinstance(one := value.get(name), float) and not one.is_integer()
    ]
    if wrong:
        raise InputError(wrong)
    told: dict[str, Any] = {name: one for name, one in value.items() if one is not None}
    told |= {name: int(told[name]) for name in ("grid_km", "time_s") if name in told}
    return Precision(**told)


def _precisions(value: object) -> dict[str, Precision | None]:
    if not isinstance(value, Mapping):
        raise InputError(Fault("not a JSON object", "a precision, or null for exact, by the name of each party"))
    faults = Faults()
    found = {str(party): faults.attempt(str(party)[:60], partial(precision_of, one)) for party, one in value.items()}
    faults.raise_any()
    return found


def _precision_json(precision: Precision) -> dict[str, Any]:
    told = {"grid_km": precision.grid_km, "time_s": precision.time_s}
    return told if precision.height_m is None else told | {"height_m": precision.height_m}


def _check_types(given: Mapping[str, Any]) -> None:
    texts = ("line", "on_behalf_of", "remarks", "reason_if_late", "despite_terms")
    flags = ("exercise", "commit_exact")
    faults = [
        Fault("not a text", "a text that is not empty, or leave it out", field=name)
        for name in texts
        if name in given and not (isinstance(given[name], str) and given[name])
    ]
    faults += [
        Fault("neither true nor false", "true or false", field=name, value=str(given[name])[:60])
        for name in flags
        if name in given and not isinstance(given[name], bool)
    ]
    recipients = given.get("recipients", ALL)
    is_list = isinstance(recipients, list | tuple) and all(isinstance(one, str) for one in recipients)
    if recipients != ALL and not is_list:
        faults.append(Fault("not a list of parties", f'names of parties, or "{ALL}"', field="recipients"))
    if faults:
        raise InputError(faults)


def _thing(given: Mapping[str, Any]) -> OperationValue | ZoneValue:
    named = [name for name in _THINGS if name in given]
    if len(named) != 1:
        problem = "neither an operation nor a zone" if not named else "an operation and a zone"
        raise InputError(Fault(problem, "one of them", field="operation"))
    (name,) = named
    value = given[name]
    if name == "zone":
        return ZoneBody(zone=value).zone
    return OperationBody(operation=value).operation
