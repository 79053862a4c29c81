"""Heights as the property profile writes them: a value, a unit and a reference."""

from __future__ import annotations

from collections.abc import Callable

from keepclear.errors import Fault, InputError
from keepclear.formats.fields import Fields, is_number, shown
from keepclear.model.heights import Height, HeightReference, parse_height_reference

__all__ = ["NO_REFERENCE", "height_members", "read_height", "read_reference"]

NO_REFERENCE = (
    "a floor or ceiling has no reference (W84, AMSL, AGL or FL): any of them may be meant, "
    "so the answer can be 'possible'"
)
_EXAMPLE = 'for example {"value": 500, "unit": "ft", "reference": "AGL"} or {"value": 150, "unit": "FL"}'
_STANDARD = "STD"  # metres of pressure altitude, which "FL" would leave open: hundreds of feet, or metres?


def read_reference(fields: Fields) -> HeightReference | None:
    """The ``height_reference`` property, which says what bare numbers of metres are counted from."""
    name = fields.text("height_reference")
    if not name:
        return None
    if name.strip().upper() == "FL":
        fields.fault(
            "a bare number cannot be a flight level: 150 could be metres or hundreds of feet",
            'write {"value": 150, "unit": "FL"}, or "STD" for metres of pressure altitude',
            field="height_reference",
            value=name,
        )
        return None
    return fields.attempt("height_reference", parse_height_reference, name)


def read_height(
    fields: Fields, name: str, reference: HeightReference | None, tally: Callable[[str], None]
) -> Height | None:
    """The height property `name`: an object with value, unit and reference, or a bare number of metres."""
    value = fields.take(name)
    if value is None:
        return None
    height = fields.attempt(name, _height, value, reference)
    if height and height.reference is HeightReference.UNKNOWN:
        tally(NO_REFERENCE)
    return height


def height_members(height: Height) -> dict[str, object]:
    """`height` as the profile writes it, in metres."""
    if height.reference is HeightReference.FL:
        return {"value": height.value_m, "unit": "m", "reference": _STANDARD}
    return {"value": height.value_m, "unit": "m", "reference": height.reference.value}


def _height(value: object, reference: HeightReference | None) -> Height:
    if is_number(value):
        return Height(float(value), reference or HeightReference.UNKNOWN)  # type: ignore[arg-type]
    if not isinstance(value, dict) or not is_number(value.get("value")):
        raise InputError(Fault("not a height", _EXAMPLE, value=shown(value)))
    unknown = sorted(set(value) - {"value", "unit", "reference"})
    if unknown:
        raise InputError(Fault("unknown member of a height", _EXAMPLE, value=shown(unknown[0])))
    number, unit, named = float(value["value"]), value.get("unit"), value.get("reference")
    own = None
    if named is not None:
        if not isinstance(named, str):
            raise InputError(Fault("not a height reference", "W84, AMSL, AGL or FL", value=shown(named)))
        own = parse_height_reference(named)
    if unit == "FL":
        if own not in (None, HeightReference.FL):
            raise InputError(Fault("a flight level is counted from standard pressure", "leave the reference out"))
        return Height.of_flight_level(number)
    reference = own or reference or HeightReference.UNKNOWN
    if unit == "m":
        return Height(number, reference)
    if unit == "ft":
        return Height.of_feet(number, reference)
    raise InputError(Fault("a height without a known unit", 'the unit is "m", "ft" or "FL"', value=shown(unit)))
