"""PostGIS: a join in two stages on a private PostgreSQL, legs in a table with an n-dimensional GiST index.

Judges: the same question as keepclear for moving units without slip. The first stage finds legs whose boxes in space
and time come near (`&&&`), the second is the exact test, written in SQL. Earth-centred coordinates, so the distance is
the same chord. Loading the table and building the index are counted as preparation.
Does not judge: slip, uncertainty, gaps. The index holds single-precision boxes, rounded outwards.
"""

from __future__ import annotations

import io
import time

import numpy as np
import psycopg
import pyarrow as pa
from pyarrow import csv

from bench.brute_force import earth_centred
from bench.peers.cluster import private_postgis
from bench.peers.outcome import NotRun, Outcome
from bench.positions import TOLERANCE_M, Positions

__all__ = ["find"]

COLUMNS = ("id", "operation", "t0", "t1", "x0", "y0", "z0", "x1", "y1", "z1", "h0", "h1")
TABLE = f"CREATE UNLOGGED TABLE raw (id int, operation int, {', '.join(f'{name} float8' for name in COLUMNS[2:])})"
BUILD = """
CREATE UNLOGGED TABLE leg AS SELECT raw.*,
  (x1 - x0) / (t1 - t0) AS vx, (y1 - y0) / (t1 - t0) AS vy, (z1 - z0) / (t1 - t0) AS vz, (h1 - h0) / (t1 - t0) AS vh,
  ST_MakeLine(ST_MakePoint(x0, y0, z0, t0), ST_MakePoint(x1, y1, z1, t1)) AS way FROM raw;
CREATE INDEX ON leg USING gist (way gist_geometry_ops_nd);
ANALYZE leg;
"""
JOIN = """
SELECT DISTINCT least(a_op, b_op), greatest(a_op, b_op) FROM (
  SELECT a.operation AS a_op, b.operation AS b_op, least(a.t1, b.t1) - s.at AS shared,
    b.x0 + b.vx * (s.at - b.t0) - a.x0 - a.vx * (s.at - a.t0) AS px, b.vx - a.vx AS vx,
    b.y0 + b.vy * (s.at - b.t0) - a.y0 - a.vy * (s.at - a.t0) AS py, b.vy - a.vy AS vy,
    b.z0 + b.vz * (s.at - b.t0) - a.z0 - a.vz * (s.at - a.t0) AS pz, b.vz - a.vz AS vz,
    b.h0 + b.vh * (s.at - b.t0) - a.h0 - a.vh * (s.at - a.t0) AS ph, b.vh - a.vh AS vh
  FROM leg a JOIN leg b ON a.way &&& ST_Expand(b.way, %(h)s, %(h)s, %(h)s, 0) AND a.id < b.id
    AND a.operation <> b.operation AND a.t0 <= b.t1 AND b.t0 <= a.t1
    AND least(a.h0, a.h1) - greatest(b.h0, b.h1) < %(v)s AND least(b.h0, b.h1) - greatest(a.h0, a.h1) < %(v)s
  CROSS JOIN LATERAL (SELECT greatest(a.t0, b.t0) AS at) s
) motion
CROSS JOIN LATERAL (SELECT vx*vx + vy*vy + vz*vz AS a, px*vx + py*vy + pz*vz AS b,
  px*px + py*py + pz*pz - %(h)s * %(h)s AS c) q
CROSS JOIN LATERAL (SELECT
  CASE WHEN a < 1e-18 THEN CASE WHEN c < 0 THEN '-Infinity'::float8 ELSE 'Infinity'::float8 END
       WHEN b*b <= a*c THEN 'Infinity'::float8 ELSE (-b - sqrt(b*b - a*c)) / a END AS from_h,
  CASE WHEN a < 1e-18 THEN CASE WHEN c < 0 THEN 'Infinity'::float8 ELSE '-Infinity'::float8 END
       WHEN b*b <= a*c THEN '-Infinity'::float8 ELSE (-b + sqrt(b*b - a*c)) / a END AS to_h,
  CASE WHEN abs(vh) < 1e-12 THEN CASE WHEN abs(ph) < %(v)s THEN '-Infinity'::float8 ELSE 'Infinity'::float8 END
       ELSE least((-%(v)s - ph) / vh, (%(v)s - ph) / vh) END AS from_v,
  CASE WHEN abs(vh) < 1e-12 THEN CASE WHEN abs(ph) < %(v)s THEN 'Infinity'::float8 ELSE '-Infinity'::float8 END
       ELSE greatest((-%(v)s - ph) / vh, (%(v)s - ph) / vh) END AS to_v) w
WHERE greatest(from_h, from_v, 0) <= least(to_h, to_v, shared)
"""


def find(positions: Positions, horizontal_m: float, vertical_m: float) -> Outcome:
    """Pairs that the join returns.

    Raises
    ------
    NotRun
        If PostgreSQL with PostGIS cannot be started here.
    """
    with private_postgis() as where:
        began = time.perf_counter()
        with psycopg.connect(where, autocommit=True) as connection:
            _load(connection, positions)
            ready = time.perf_counter()
            limits = {"h": horizontal_m - TOLERANCE_M, "v": vertical_m - TOLERANCE_M}
            rows = connection.execute(JOIN, limits).fetchall()
            return Outcome(frozenset((a, b) for a, b in rows), time.perf_counter() - ready, ready - began)


def _load(connection: psycopg.Connection[tuple[int, int]], positions: Positions) -> None:
    try:
        connection.execute("CREATE EXTENSION postgis")
    except psycopg.Error as error:
        raise NotRun(f"PostGIS is not installed: {str(error).splitlines()[0]}") from error
    connection.execute(TABLE)
    text = io.BytesIO()
    csv.write_csv(_table(positions), text, csv.WriteOptions(include_header=False))
    with connection.cursor().copy("COPY raw FROM STDIN (FORMAT csv)") as copy:
        copy.write(text.getvalue())
    for statement in BUILD.strip().split(";\n"):
        connection.execute(statement.encode())


def _table(positions: Positions) -> pa.Table:
    legs, points = positions.legs(), earth_centred(positions)
    time_s = positions.time_s - positions.time_s.min()  # single precision in the index: small numbers keep their digits
    first, last = legs.first, legs.last
    columns = [
        np.arange(len(legs)), legs.operation, time_s[first], time_s[last],
        *points[first].T, *points[last].T, positions.height_m[first], positions.height_m[last],
    ]  # fmt: skip
    return pa.table(dict(zip(COLUMNS, map(pa.array, columns), strict=True)))
