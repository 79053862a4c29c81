import json

import pytest

from keepclear.formats.sniffing import compression_of, sniff

ED269_ZONE = {
    "identifier": "A",
    "country": "CHE",
    "restriction": "PROHIBITED",
    "geometry": [{"horizontalProjection": {}}],
}
ED318_ZONE = {"type": "Feature", "properties": {"identifier": "A", "type": "PROHIBITED", "variant": "COMMON"}}


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"PAR1\x15\x04", "parquet"),
        (b"PK\x03\x04\x14", "kmz"),
        (b'<?xml version="1.0"?>\n<!-- a > b --><kml xmlns="http://www.opengis.net/kml/2.2">', "kml"),
        (b'<k:kml xmlns:k="http://www.opengis.net/kml/2.2">', "kml"),
        (b'  <gpx version="1.1" creator="x">', "gpx"),
        ('\ufeff<?xml version="1.0" encoding="utf-16"?><gpx>'.encode("utf-16-le"), "gpx"),
        (b"\xef\xbb\xbf<gpx>", "gpx"),
        (b"<html>", ""),
        (b"<", ""),
        (b"operation,party,kind,time,lat,lon\n", "csv"),
        (b"time;LAT;lon\r\n1;2;3", "csv"),
        (b'\xef\xbb\xbf"time","lat","lon"\n', "csv"),
        (b"latency,longest\n", ""),
        (b"hello", ""),
        (b"", ""),
        (b"\xff\xfe\xff", ""),
    ],
)
def test_other_formats_are_told_by_how_they_begin(head, name):
    assert sniff(head) == name


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"type": "FeatureCollection", "features": []}, "geojson"),
        ({"features": [{"type": "Feature", "geometry": {"type": "Point"}}], "type": "FeatureCollection"}, "geojson"),
        ({"type": "Polygon", "coordinates": []}, "geojson"),
        ({"type": "FeatureCollection", "features": [{"properties": {"restriction": 1, "datetimes": []}}]}, "geojson"),
        ({"type": "Feature", "temporalGeometry": {"type": "MovingPoint"}}, "moving-features"),
        ({"features": [{"type": "Feature"}, {"temporalGeometry": {}}]}, "moving-features"),
        ({"type": "MovingPoint", "datetimes": []}, "moving-features"),
        ({"title": "zones", "features": [ED269_ZONE]}, "ed269"),
        ({"UASZoneList": [ED269_ZONE]}, "ed269"),
        ([ED269_ZONE], "ed269"),
        ({"type": "FeatureCollection", "features": [ED318_ZONE]}, "ed318"),
        (ED318_ZONE, "ed318"),
        ({"operational_intent": {"reference": {}, "details": {}}}, "f3548"),
        ({"operational_intents": []}, "f3548"),
        ({"constraint": {}}, "f3548"),
        ({"constraint_references": []}, "f3548"),
        ([{"reference": {}, "details": {"type": "x"}}], "f3548"),
        ({"foo": {"operational_intent": {}}}, ""),
        ([1, 2], ""),
        ({}, ""),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_json_formats_are_told_by_their_members(document, name, indent):
    assert sniff(json.dumps(document, indent=indent).encode()) == name


def test_json_cut_off_anywhere_is_told_or_not_but_harmless():
    text = json.dumps({"type": "FeatureCollection", "features": [ED318_ZONE]}).encode()
    assert {sniff(text[:end]) for end in range(len(text))} == {"", "geojson", "ed318"}


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"\x1f\x8b\x08", "gzip"), (b"BZh9", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"PK\x03\x04", ""), (b"", "")],
)
def test_compressions_are_named(head, name):
    assert compression_of(head) == name
