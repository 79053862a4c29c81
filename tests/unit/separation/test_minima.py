"""The table of minima: where its numbers come from, which bind, and what a file may say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.errors import InputError
from keepclear.model.findings import Answer
from keepclear.model.kinds import OPERATION_DOMAINS, OperationKind, ZoneKind
from keepclear.separation.minima import HIGH_AIR, MinimaTable, Rule

DEFAULT = MinimaTable.default()


def sort(kind: OperationKind | None, *more: str) -> tuple[OperationKind | None, frozenset[str]]:
    domains = {"ground", "air", "uas", "sea"} if kind is None else {str(domain) for domain in OPERATION_DOMAINS[kind]}
    return kind, frozenset(domains | set(more))


def between(first: OperationKind | None, second: OperationKind | None, table: MinimaTable = DEFAULT):
    minima = table.between_operations(sort(first), sort(second)).minima
    return minima.horizontal_m, minima.vertical_m, minima.time_s


def written(folder: Path, text: str, name: str = "minima.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        MinimaTable.read(path)
    assert all(fault.file for fault in caught.value.faults)
    return [(fault.feature, fault.field) for fault in caught.value.faults]


@pytest.mark.parametrize("rule", DEFAULT.rules, ids=lambda rule: rule.name)
def test_every_default_has_its_source(rule: Rule) -> None:
    origin, _, what = rule.source.partition(" ")
    assert origin in {"keepclear:", "by", "ICAO", "RTCA", "(EU)"}
    assert len(what) > 10


def test_the_defaults_are_the_numbers_of_their_sources() -> None:
    assert between(OperationKind.FLIGHT, OperationKind.FLIGHT) == (9260.0, pytest.approx(304.8), 0.0)
    assert between(OperationKind.CONVOY, OperationKind.CONVOY) == (500.0, None, 0.0)
    assert between(OperationKind.UAS, OperationKind.FLIGHT) == (pytest.approx(1222.32), pytest.approx(137.16), 0.0)
    assert between(OperationKind.CONVOY, OperationKind.FLIGHT) == (600.0, 300.0, 0.0)
    assert between(OperationKind.UAS, OperationKind.CONVOY) == (150.0, 120.0, 0.0)
    high = DEFAULT.between_operations(sort(OperationKind.FLIGHT, HIGH_AIR), sort(OperationKind.FLIGHT)).minima
    assert high.vertical_m == pytest.approx(609.6)


@pytest.mark.parametrize("first", [*OperationKind, None])
@pytest.mark.parametrize("second", [*OperationKind, None])
def test_every_two_operations_are_bound_alike_both_ways(first, second) -> None:
    assert between(first, second) == between(second, first)
    assert between(first, second)[0] > 0.0


@pytest.mark.parametrize("kind", OperationKind)
def test_of_no_known_kind_is_bound_by_the_strictest(kind: OperationKind) -> None:
    strict, known = between(None, kind), between(kind, kind)
    assert strict[0] >= known[0]
    assert strict[0] == 9260.0


def test_where_several_rules_bind_the_largest_of_each_does_and_all_are_named() -> None:
    binding = DEFAULT.between_operations(sort(OperationKind.PATROL), sort(OperationKind.FLIGHT))
    assert (binding.minima.horizontal_m, binding.minima.vertical_m) == (9260.0, pytest.approx(304.8))
    assert binding.minima.rule == "air – air + ground – air"


def test_zones_bind_operations_and_each_other_only_where_a_rule_names_both() -> None:
    for kind in ZoneKind:
        assert DEFAULT.with_zone(kind, OperationKind.CONVOY) is not None
        for other in ZoneKind:
            both = {kind, other} == {ZoneKind.PROTECTED_SITE, ZoneKind.HAZARD_AREA}
            assert (DEFAULT.with_zone(kind, other) is not None) is both
    assert DEFAULT.with_zone(ZoneKind.PROTECTED_SITE, OperationKind.CONVOY).answer is Answer.POSSIBLE
    assert DEFAULT.with_zone(ZoneKind.PROTECTED_SITE, OperationKind.EXERCISE).answer is Answer.CONFLICT
    assert DEFAULT.with_zone(ZoneKind.PROTECTED_SITE, None).answer is Answer.CONFLICT, "it may be an exercise"


def test_one_rule_for_all_leaves_zones_alone() -> None:
    table = MinimaTable.single(100.0, 50.0, 30.0)
    assert between(OperationKind.FLIGHT, OperationKind.UAS, table) == (100.0, 50.0, 30.0)
    assert between(OperationKind.CONVOY, OperationKind.CONVOY, table) == (100.0, None, 30.0)
    assert table.with_zone(ZoneKind.BUFFER, OperationKind.UAS) == DEFAULT.with_zone(ZoneKind.BUFFER, OperationKind.UAS)


@pytest.mark.parametrize("numbers", [(-1.0, 5.0), (5.0, -1.0), (float("nan"), 5.0), (5.0, float("inf")), (1e8, 1.0)])
def test_one_rule_for_all_of_impossible_numbers(numbers: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="not a minimum"):
        MinimaTable.single(*numbers)


@pytest.mark.parametrize("form", ["toml", "json"])
def test_the_printed_table_read_back_is_the_table(form: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    from keepclear.cli.minima import command

    assert command(form) == 0
    path = written(tmp_path, capsys.readouterr().out, f"minima.{form}")
    assert MinimaTable.read(path) == DEFAULT


def test_a_file_replaces_adds_and_leaves(tmp_path: Path) -> None:
    text = """
        [[rule]]
        between = ["Air", "ground"]
        horizontal_m = 1000
        time_s = 60.0
        source = "agreement 7"
        [[rule]]
        between = ["convoy", "hazard_area"]
        horizontal_m = 250.5
        vertical_m = 10
        answer = "possible"
    """
    table = MinimaTable.read(written(tmp_path, text))
    assert between(OperationKind.FLIGHT, OperationKind.CONVOY, table) == (1000.0, None, 60.0)
    assert between(OperationKind.FLIGHT, OperationKind.FLIGHT, table) == between(*[OperationKind.FLIGHT] * 2)
    assert len(table.rules) == len(DEFAULT.rules) + 1
    binding = table.with_zone(ZoneKind.HAZARD_AREA, OperationKind.CONVOY)
    assert (binding.minima.horizontal_m, binding.minima.vertical_m, binding.answer) == (250.5, 10.0, Answer.CONFLICT)
    assert table.rules[-1].source == "given in minima.toml"


def test_all_faults_of_a_file_are_named(tmp_path: Path) -> None:
    rows = [
        {
            "between": ["ground", "moon"],
            "horizontal_m": -1,
            "vertical_m": "x",
            "time_s": True,
            "answer": "maybe",
            "a": 1,
        },
        {"between": ["ground", "sea"], "horizontal_m": 10**400},
        {"between": "ground"},
        7,
        {"between": ["air", "sea"], "horizontal_m": 5},
        {"between": ["sea", "air"], "horizontal_m": 6},
    ]
    assert faults_of(written(tmp_path, json.dumps({"rule": rows}), "minima.json")) == [
        ("rule 1", "a"),
        ("rule 1", "between"),
        ("rule 1", "horizontal_m"),
        ("rule 1", "vertical_m"),
        ("rule 1", "time_s"),
        ("rule 1", "answer"),
        ("rule 2", "horizontal_m"),
        ("rule 3", "between"),
        ("rule 3", "horizontal_m"),
        ("rule 4", ""),
        ("rule 6", "between"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", "rule = "), ("a.json", "{"), ("a.json", "[" * 100_000), ("a.json", '{"rule": []}'),
        ("a.json", '{"rule": {}}'), ("a.json", "7"), ("a.toml", ""), ("a.json", '{"rule": [{"between": null}]}'),
    ],
)  # fmt: skip
def test_what_is_no_table_is_an_input_error(name: str, text: str, tmp_path: Path) -> None:
    assert faults_of(written(tmp_path, text, name))


def test_files_that_are_not_there_not_text_or_too_long(tmp_path: Path) -> None:
    assert faults_of(tmp_path / "none.toml")
    assert faults_of(tmp_path)
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")
    assert faults_of(tmp_path / "a.toml")
    rule = '[[rule]]\nbetween = ["air", "sea"]\nhorizontal_m = 5\n'
    # Cut off anywhere in the comment it would still be a table.
    assert faults_of(written(tmp_path, rule + "#" * (1 << 20), "b.toml"))
