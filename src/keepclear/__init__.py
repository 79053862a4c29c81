"""Find every place and time where the plans of parties that share ground and sky come too close.

The public names are loaded when they are first used, so that ``import keepclear`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keepclear.errors import Fault as Fault
    from keepclear.errors import InputError as InputError
    from keepclear.errors import KeepclearError as KeepclearError
    from keepclear.formats.geojson_write import write_plans_geojson as write_plans_geojson
    from keepclear.formats.kml_write import write_plans_kml as write_plans_kml
    from keepclear.formats.registry import read as read
    from keepclear.formats.registry import read_many as read_many
    from keepclear.formats.report_geojson import report_to_geojson as report_to_geojson
    from keepclear.formats.report_json import report_to_json as report_to_json
    from keepclear.formats.report_kml import report_to_kml as report_to_kml
    from keepclear.geo.coordinates import Position as Position
    from keepclear.geo.coordinates import read_position as read_position
    from keepclear.model.extents import Track as Track
    from keepclear.model.extents import TrackBasis as TrackBasis
    from keepclear.model.extents import Volume as Volume
    from keepclear.model.findings import Answer as Answer
    from keepclear.model.findings import Closest as Closest
    from keepclear.model.findings import Conflict as Conflict
    from keepclear.model.findings import Interval as Interval
    from keepclear.model.findings import Minima as Minima
    from keepclear.model.findings import Proposal as Proposal
    from keepclear.model.findings import Report as Report
    from keepclear.model.findings import Scope as Scope
    from keepclear.model.findings import Side as Side
    from keepclear.model.footprints import Circle as Circle
    from keepclear.model.footprints import Corridor as Corridor
    from keepclear.model.footprints import Polygon as Polygon
    from keepclear.model.heights import Height as Height
    from keepclear.model.heights import HeightReference as HeightReference
    from keepclear.model.kinds import Domain as Domain
    from keepclear.model.kinds import OperationKind as OperationKind
    from keepclear.model.kinds import ZoneKind as ZoneKind
    from keepclear.model.kinds import ZoneRule as ZoneRule
    from keepclear.model.operations import Operation as Operation
    from keepclear.model.operations import Plans as Plans
    from keepclear.model.operations import Zone as Zone
    from keepclear.separation.changes import apply_proposal as apply_proposal
    from keepclear.separation.checking import check as check
    from keepclear.separation.known import Known as Known
    from keepclear.separation.minima import MinimaTable as MinimaTable
    from keepclear.separation.minima import Rule as Rule
    from keepclear.separation.proposals import proposals_for as proposals_for

__version__ = "0.1.0"

# Where each public name lives; a test holds it to the imports above, which only type checkers and editors read.
_HOMES = {
    "Answer": "keepclear.model.findings",
    "Circle": "keepclear.model.footprints",
    "Closest": "keepclear.model.findings",
    "Conflict": "keepclear.model.findings",
    "Corridor": "keepclear.model.footprints",
    "Domain": "keepclear.model.kinds",
    "Fault": "keepclear.errors",
    "Height": "keepclear.model.heights",
    "HeightReference": "keepclear.model.heights",
    "InputError": "keepclear.errors",
    "Interval": "keepclear.model.findings",
    "KeepclearError": "keepclear.errors",
    "Known": "keepclear.separation.known",
    "Minima": "keepclear.model.findings",
    "MinimaTable": "keepclear.separation.minima",
    "Operation": "keepclear.model.operations",
    "OperationKind": "keepclear.model.kinds",
    "Plans": "keepclear.model.operations",
    "Polygon": "keepclear.model.footprints",
    "Position": "keepclear.geo.coordinates",
    "Proposal": "keepclear.model.findings",
    "Report": "keepclear.model.findings",
    "Rule": "keepclear.separation.minima",
    "Scope": "keepclear.model.findings",
    "Side": "keepclear.model.findings",
    "Track": "keepclear.model.extents",
    "TrackBasis": "keepclear.model.extents",
    "Volume": "keepclear.model.extents",
    "Zone": "keepclear.model.operations",
    "ZoneKind": "keepclear.model.kinds",
    "ZoneRule": "keepclear.model.kinds",
    "apply_proposal": "keepclear.separation.changes",
    "check": "keepclear.separation.checking",
    "proposals_for": "keepclear.separation.proposals",
    "read": "keepclear.formats.registry",
    "read_many": "keepclear.formats.registry",
    "read_position": "keepclear.geo.coordinates",
    "report_to_geojson": "keepclear.formats.report_geojson",
    "report_to_json": "keepclear.formats.report_json",
    "report_to_kml": "keepclear.formats.report_kml",
    "write_plans_geojson": "keepclear.formats.geojson_write",
    "write_plans_kml": "keepclear.formats.kml_write",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'keepclear' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
