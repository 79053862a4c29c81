"""Valid samples of every format, and the promise that holds of every reader: values, or InputError.

All samples are invented.
"""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq

from keepclear.errors import InputError
from keepclear.formats.registry import FORMATS, read
from keepclear.model.operations import Plans

START, END = "2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"
RING = [[9.7, 23.1], [9.8, 23.1], [9.8, 23.16], [9.7, 23.16], [9.7, 23.1]]
HOLE = [[9.72, 23.11], [9.74, 23.11], [9.74, 23.13], [9.72, 23.11]]

READ_NAMES = tuple(known.name for known in FORMATS if known.reads)
JSON_NAMES = ("geojson", "moving-features", "f3548", "ed269", "ed318")
XML_NAMES = ("kml", "gpx")


def must_read_or_refuse(data: bytes, name: str | None = None) -> Plans | None:
    """Read `data`, as the format `name` or as what it looks like, and check the promise; None if it was refused."""
    try:
        plans = read(io.BytesIO(data), party="P", format=name)
    except InputError as error:
        faults = error.faults
    else:
        return _checked(plans)
    assert faults, "refused without a fault"
    for fault in faults:
        _must_be_one_line(str(fault))
    return None


def _checked(plans: Plans) -> Plans:
    assert isinstance(plans, Plans)
    assert plans.operations or plans.zones, "nothing was read, and nothing was said"
    for warning in plans.warnings:
        _must_be_one_line(warning)
    return plans


def _must_be_one_line(text: str) -> None:
    assert len(text.splitlines()) == 1, f"not one line: {text!r}"
    assert len(text) < 5_000, f"not a line that a person reads: {text[:200]!r}"
    text.encode("utf-8")


def _feature(geometry: object, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _geojson() -> list[object]:
    line = {"type": "LineString", "coordinates": [[10.3, 23.15, 500.0], [10.305, 22.9, 600.0], [10.4, 22.9, 700.0]]}
    band = {
        "floor": {"value": 0, "unit": "m", "reference": "AGL"},
        "ceiling": {"value": 400, "unit": "ft", "reference": "AMSL"},
    }
    when = {"start": START, "end": END}
    return [
        {
            "type": "FeatureCollection",
            "features": [
                _feature(line, id="T", kind="flight", coordTimes=[START, START, END], early_s=60, late_s="unlimited"),
                _feature({"type": "Polygon", "coordinates": [RING, HOLE]}, id="A", kind="uas", **when, **band),
                _feature({"type": "MultiPolygon", "coordinates": [[RING]]}, id="M", kind="exercise", **when),
                _feature({"type": "Point", "coordinates": [10.0, 23.0]}, id="Z", kind="no-go area", radius_m=500),
                _feature(line, id="C", kind="convoy", half_width_m=50, domain="ground", **when),
                _feature(
                    {"type": "MultiLineString", "coordinates": [line["coordinates"], [[1, 2], [3, 4]]]},
                    id="J",
                    participants=[{"party": "Q", "role": "lead", "platforms": 2}],
                    joint={"plan": "P1", "with": ["K"]},
                    uncertainty_m=20,
                    track="flown",
                ),
            ],
        },
        {"type": "Polygon", "coordinates": [RING]},
    ]


def _moving_features() -> list[object]:
    moving = {
        "type": "MovingPoint",
        "datetimes": [START, END],
        "coordinates": [[10.0, 23.0, 100.0], [10.1, 23.1, 200.0]],
        "interpolation": "Linear",
    }
    properties = {"id": "M", "kind": "uas"}
    return [
        {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "temporalGeometry": moving, "properties": properties}],
        },
        moving,
        {"type": "MovingGeometryCollection", "prisms": [moving]},
    ]


def _f3548() -> list[object]:
    def volume(shape: dict[str, object]) -> dict[str, object]:
        heights = {
            f"altitude_{end}": {"value": value, "reference": "W84", "units": "M"}
            for end, value in (("lower", 5), ("upper", 90.5))
        }
        times = {
            f"time_{end}": {"value": value, "format": "RFC3339"} for end, value in (("start", START), ("end", END))
        }
        return {"volume": shape | heights} | times

    circle = {"outline_circle": {"center": {"lng": 7.5, "lat": 47.0}, "radius": {"value": 300, "units": "M"}}}
    polygon = {"outline_polygon": {"vertices": [{"lng": lng, "lat": lat} for lng, lat in RING[:-1]]}}
    reference = {"id": "A", "manager": "uss1", "state": "Nonconforming", "version": 1}
    intent = {
        "reference": reference,
        "details": {"volumes": [volume(circle)], "off_nominal_volumes": [volume(polygon)], "priority": 0},
    }
    geozone = {"identifier": "Z", "country": "CHE", "type": "COMMON", "restriction": "CONDITIONAL", "name": "field"}
    constraint = {
        "reference": {"id": "B", "manager": "uss2"},
        "details": {"volumes": [volume(polygon)], "type": "x", "geozone": geozone},
    }
    return [{"operational_intent": intent}, [{"operational_intents": [intent]}, {"constraints": [constraint]}]]


def _ed269() -> list[object]:
    period = {
        "permanent": "NO",
        "startDateTime": START,
        "endDateTime": END,
        "schedule": [{"day": ["MON"], "startTime": "08:00Z"}],
    }
    projections = [
        {"type": "Polygon", "coordinates": [RING, HOLE]},
        {"type": "Circle", "center": [7.0, 46.0], "radius": 500},
    ]
    geometry = [
        {
            "uomDimensions": "FT",
            "lowerLimit": 0,
            "lowerVerticalReference": "AGL",
            "upperLimit": 400,
            "upperVerticalReference": "AMSL",
            "horizontalProjection": projection,
        }
        for projection in projections
    ]
    zone = {
        "identifier": "X1",
        "country": "CHE",
        "name": "x",
        "restriction": "PROHIBITED",
        "applicability": [period],
        "geometry": geometry,
    }
    return [{"title": "t", "features": [zone]}, {"UASZoneList": [zone | {"applicability": [{"permanent": "YES"}]}]}]


def _ed318() -> list[object]:
    layer = {"upper": 150, "upperReference": "AGL", "lower": 0, "lowerReference": "WGS84", "uom": "m"}
    polygon = {"type": "Polygon", "coordinates": [RING], "layer": layer}
    point = {
        "type": "Point",
        "coordinates": [7.0, 46.0],
        "extent": {"subType": "Circle", "radius": 900},
        "layer": layer,
    }
    common = {"country": "CHE", "variant": "COMMON", "name": [{"text": "x", "lang": "en"}], "zoneAuthority": []}
    features = [
        _feature(polygon, identifier="A", type="USPACE", limitedApplicability=[{"startDateTime": START}], **common),
        _feature(
            {"type": "GeometryCollection", "geometries": [point, polygon]}, identifier="B", type="PROHIBITED", **common
        ),
    ]
    return [{"type": "FeatureCollection", "metadata": {"otherGeoid": "g"}, "features": features}]


_KML = f"""<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><name>d</name>
<Folder><name>f</name>
<Placemark id="a"><name>A</name><TimeSpan><begin>{START}</begin><end>{END}</end></TimeSpan>
<ExtendedData><Data name="kind"><value>uas</value></Data><Data name="party"><value>Q</value></Data></ExtendedData>
<Polygon><extrude>1</extrude><altitudeMode>relativeToGround</altitudeMode><outerBoundaryIs><LinearRing><coordinates>
9.7,23.1,100 9.8,23.1,100 9.8,23.16,100 9.7,23.1,100</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
<Placemark><name>B</name><gx:Track><altitudeMode>absolute</altitudeMode><when>{START}</when><when>{END}</when>
<gx:coord>9.7 23.1 500</gx:coord><gx:coord>9.8 23.2 600</gx:coord></gx:Track></Placemark>
<Placemark><name>C</name><TimeStamp><when>{START}</when></TimeStamp><Point><coordinates>9.7,23.1</coordinates></Point></Placemark>
<Placemark><name>D</name><MultiGeometry><LineString><tessellate>1</tessellate>
<coordinates>9.7,23.1 9.8,23.2</coordinates></LineString></MultiGeometry></Placemark></Folder></Document></kml>
"""

_GPX = f"""<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="keepclear" xmlns="http://www.topografix.com/GPX/1/1"><metadata><time>{START}</time></metadata>
<trk><name>A</name><trkseg><trkpt lat="46.0" lon="7.0"><ele>500</ele><time>{START}</time></trkpt>
<trkpt lat="46.1" lon="7.1"><ele>510.5</ele><time>{END}</time></trkpt></trkseg></trk>
<rte><name>R</name><rtept lat="46.0" lon="7.0"><time>{START}</time></rtept>
<rtept lat="46.1" lon="7.0"><time>{END}</time></rtept></rte>
</gpx>
"""

_ROWS = (
    ("A", "P", "flight", START, "46.0", "7.0", "500"),
    ("A", "P", "flight", "2026-03-02T08:00:30.5Z", "46.01", "7.01", ""),
    ("B", "Q", "uas", START, "46.5", "7.5", "100"),
    ("B", "Q", "uas", END, "46.6", "7.5", "100"),
)
_COLUMNS = ("operation", "party", "kind", "time", "lat", "lon", "height_m")


def _csv() -> list[bytes]:
    plain = "\n".join(",".join(row) for row in (_COLUMNS, *_ROWS)) + "\n"
    quoted = "\r\n".join(";".join(f'"{cell}"' for cell in row) for row in (_COLUMNS, *_ROWS))
    epochs = (
        "operation,time,lat,lon,height_ft,uncertainty_m,late_s",
        "A,1772438400,46.0,7.0,1000,5,60",
        "A,1772438460.5,46.1,7.0,1000,5,0",
    )
    return [plain.encode(), quoted.encode(), "\n".join(epochs).encode()]


def parquet_bytes(columns: dict[str, object]) -> bytes:
    """A Parquet file of these columns: anything that pyarrow makes an array of."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    """A zip archive of these members."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def parquet_columns() -> dict[str, object]:
    """Columns that make a valid Parquet sample."""
    columns: dict[str, object] = {name: [row[index] for row in _ROWS] for index, name in enumerate(_COLUMNS[:3])}
    columns["time"] = pa.array(
        [1_772_438_400, 1_772_438_430, 1_772_438_400, 1_772_442_000], pa.timestamp("s", tz="UTC")
    )
    columns |= {name: [float(row[index] or "nan") for row in _ROWS] for index, name in enumerate(_COLUMNS) if index > 3}
    return columns


@cache
def samples() -> dict[str, list[bytes]]:
    """Valid files of every format that is read."""
    documents = {
        "geojson": _geojson(),
        "moving-features": _moving_features(),
        "f3548": _f3548(),
        "ed269": _ed269(),
        "ed318": _ed318(),
    }
    found = {name: [json.dumps(one).encode() for one in many] for name, many in documents.items()}
    found["kml"] = [_KML.encode()]
    found["kmz"] = [zip_bytes({"doc.kml": _KML.encode(), "files/icon.png": b"\x89PNG"})]
    found["gpx"] = [_GPX.encode()]
    found["csv"] = _csv()
    found["parquet"] = [parquet_bytes(parquet_columns())]
    return found
