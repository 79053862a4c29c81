"""What holds for every test: nothing is skipped, and CI tests the wheel rather than the source tree."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import keepclear
from tests.forking import keepclear_forked
from tests.postgres import Server, running_server

ROOT = Path(__file__).parents[1]


# Derandomised, so that the same commit always gets the same answer; `make fuzz` is the one that explores.
settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", settings.get_profile("default"), max_examples=25)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=5000, derandomize=False)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--of-wheel", action="store_true", help="fail unless the installed package is what is tested")


def pytest_configure(config: pytest.Config) -> None:
    home = Path(keepclear.__file__).resolve()
    if config.getoption("--of-wheel") and home.is_relative_to(ROOT / "src"):
        raise pytest.UsageError(f"--of-wheel: keepclear is imported from the source tree ({home})")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL of this test process; one that cannot start fails the tests that ask for it."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a `keepclear` that has loaded everything, for tests of what commands do and not how they start."""
    with keepclear_forked(tmp_path_factory.mktemp("forked")) as programs:
        yield programs


def pytest_report_header() -> str:
    return f"keepclear {keepclear.__version__} from {Path(keepclear.__file__).parent}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _not_skipped((yield))


def _not_skipped(report: Any) -> Any:
    """A skipped test proves nothing, so it fails: what cannot run here must not be in the suite."""
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as failed: {report.longrepr}"
        report.wasxfail = None
        del report.wasxfail
    return report
