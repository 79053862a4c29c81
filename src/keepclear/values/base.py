"""What all requests and answers share: strict members, and times that are text on the way and moments inside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from keepclear.errors import InputError
from keepclear.record.bodies.base import MOST_TEXT, PartyName
from keepclear.record.names import NAME_PATTERN, ORIGIN_PATTERN
from keepclear.times import parse_time, to_datetime, to_text
from keepclear.values.describing import members_of, summary_of

__all__ = [
    "ENTRY_ID_PATTERN",
    "Asked",
    "EntryId",
    "LineName",
    "Listed",
    "LongText",
    "PartyName",
    "ShortText",
    "Time",
    "Told",
    "moment",
    "moment_or_none",
]

_NAME = NAME_PATTERN[1:-1]
ENTRY_ID_PATTERN = f"^{_NAME}:{_NAME}(?::[2-9]|:[1-9][0-9]{{1,5}})?:(?:0|[1-9][0-9]{{0,15}})$"
"""Pattern of an entry's id: ``PARTY:LINE:INDEX``, or ``PARTY:LINE:2:INDEX`` of a log begun anew."""


class _Described(BaseModel):
    """Its docstrings are what the API's description says of its members."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["description"] = summary_of(cls.__doc__ or "")
        for base in reversed(cls.__mro__):
            for name, text in members_of(base.__doc__ or "").items():
                if name in schema.get("properties", {}):
                    schema["properties"][name]["description"] = text
        return schema


class Asked(_Described):
    """What is asked: these members and no others, of these types and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Told(_Described):
    """What is answered. A newer node may tell more than this; the rest is left aside."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


_ToldT = TypeVar("_ToldT")


class Listed(Told, Generic[_ToldT]):
    """One page of a list.

    Attributes
    ----------
    items
        What is on it.
    next
        The `cursor` with which to ask for the page after it; null on the last one.
    """

    items: list[_ToldT]
    next: str | None = None


def _read_time(value: object) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise PydanticCustomError("time_naive", "the time has no zone, so it could mean any of a day's hours")
        return value.astimezone(UTC)
    if not isinstance(value, str):
        raise PydanticCustomError("time_type", "a time as RFC 3339 text, for example 2026-01-31T09:00:00Z")
    try:
        return to_datetime(parse_time(value))
    except InputError as error:
        fault = error.faults[0]
        text = f"{fault.problem}; {fault.right}" if fault.right else fault.problem
        raise PydanticCustomError("time", "{told}", {"told": text}) from None


def _write_time(value: datetime) -> str:
    return to_text(value.timestamp())


_TIME_SCHEMA = {"type": "string", "format": "date-time", "examples": ["2026-01-31T09:00:00.000Z"]}

Time = Annotated[
    datetime,
    BeforeValidator(_read_time),
    PlainSerializer(_write_time, return_type=str),
    WithJsonSchema(_TIME_SCHEMA),
]
"""A moment: an aware datetime; on the way RFC 3339 text, in answers UTC with milliseconds. Naive ones are refused."""

LineName = Annotated[str, Field(pattern=NAME_PATTERN, max_length=63, examples=["north-east"])]
EntryId = Annotated[str, Field(pattern=ENTRY_ID_PATTERN, max_length=160, examples=["RU:north-east:12"])]
OriginText = Annotated[str, Field(pattern=ORIGIN_PATTERN)]
ShortText = Annotated[str, Field(min_length=1, max_length=1000)]
LongText = Annotated[str, Field(min_length=1, max_length=MOST_TEXT)]


def moment(time_s: float) -> datetime:
    """The moment of seconds since the epoch."""
    return to_datetime(time_s)


def moment_or_none(time_s: float | None) -> datetime | None:
    """The moment of seconds since the epoch; None where there is none, or none that a calendar has."""
    if time_s is None or not -1e12 < time_s < 1e12:  # infinity: without end
        return None
    try:
        return to_datetime(time_s)
    except InputError:
        return None
