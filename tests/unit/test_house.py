"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import keepclear

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src" / "keepclear").rglob("*.py"))
# Alembic runs what is in migrations, by names of its own; nobody imports it.
PUBLIC_MODULES = [path for path in MODULES if path.name != "__init__.py" and "migrations" not in path.parts]
TEXTS = [
    path
    for folder in ("src", "tests", "docs", "tools", "bench", "examples", "requirements")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".md", ".txt", ".toml", ".in") and "__pycache__" not in path.parts
]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _runs(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_function_is_longer_than_70_lines(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # Options of a command are one annotated parameter each, and a docstring is for reading: the body counts.
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 70, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_no_module_is_a_drawer_for_what_has_no_place(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc", "manager", "tools"}


@pytest.mark.parametrize("path", PUBLIC_MODULES, ids=_name)
def test_public_names_are_listed_and_exist(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets)
    ]
    assert len(listed) == 1
    module = import_module(".".join(path.relative_to(ROOT / "src").with_suffix("").parts))
    assert [name for name in listed[0] if not hasattr(module, name)] == []


def test_lazy_names_are_the_ones_type_checkers_see() -> None:
    tree = ast.parse((ROOT / "src/keepclear/__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname: node.module for node in block.body for alias in node.names}
    assert seen == keepclear._HOMES


@pytest.mark.parametrize("name", keepclear.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(keepclear, name) is not None
    assert name in dir(keepclear)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        keepclear.chek  # noqa: B018


def test_importing_keepclear_imports_nothing_heavy() -> None:
    heavy = {"numpy", "numba", "pyproj", "shapely", "pyarrow", "gpxpy", "typer", "rich", "distributed"}
    loaded = set(_runs("import sys, keepclear; print(*sys.modules)").split())
    assert not heavy & loaded


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_no_text_names_a_local_path_or_a_registry(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in ("/" + "work/", "/" + "root/", "/" + "tmp/w", "--index" + "-url", "files.python" + "hosted"):
        assert word not in text
