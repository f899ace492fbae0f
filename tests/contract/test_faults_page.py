"""docs/FAULTS.md against the tests: every row of the failure matrix, each test there and passed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import page
from tests.faults.page import Fault, faults_page, read_faults, read_results, result_of
from tests.faults.run import Recorder, named_tests

ROOT = Path(__file__).resolve().parents[2]
FAULTS = read_faults()
ROWS = {"R": 22, "D": 15, "M": 7, "P": 15, "T": 5, "O": 15, "F": 8}
WANTED = [f"{letter}{number}" for letter, most in ROWS.items() for number in range(1, most + 1)]


def collected(file: Path) -> Iterator[str]:
    """Give the tests of a file as pytest collects them by name, without their parameters."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test") else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for one in inner:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test_"):
                yield prefix + one.name


def test_every_fault_has_its_row() -> None:
    assert [one.id for one in FAULTS] == WANTED


@pytest.mark.parametrize("fault", FAULTS, ids=[one.id for one in FAULTS])
def test_a_row_names_tests_that_are_there_and_passed_or_why_it_is_not_here(fault: Fault) -> None:
    assert bool(fault.tests) != bool(fault.not_here), "tests, or a reason"
    for test in fault.tests:
        file, _, name = test.partition("::")
        assert Path(file).name.startswith("test_")
        assert name in set(collected(ROOT / file)), test
    again = f"run `{page.RUN} {fault.id}`"
    assert result_of(fault, read_results()).endswith((" passed", "not here")), again


def test_the_page_is_what_the_table_and_the_results_give() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == faults_page(), "run `python -m tests.faults.page`"


@pytest.mark.parametrize(
    ("results", "shown"),
    [
        ({"a": "2026-01-02 passed", "b": "2026-01-01 passed"}, "2026-01-01 passed"),
        ({"a": "2026-01-01 skipped", "b": "2026-01-02 passed"}, "2026-01-01 skipped"),
        ({"a": "2026-01-01 skipped", "b": "2026-01-02 failed"}, "2026-01-02 failed"),
        ({"a": "2026-01-02 passed"}, "no result"),
    ],
)
def test_a_row_shows_the_worst_of_its_tests(results: dict[str, str], shown: str) -> None:
    assert result_of(Fault("R1", "", "", ("a", "b")), results) == shown


def test_the_worst_phase_and_parameter_of_a_test_is_written_down() -> None:
    recorder = Recorder()
    for nodeid, when, outcome in (
        ("f.py::test_a[1]", "call", "failed"),
        ("f.py::test_a[2]", "call", "passed"),
        ("f.py::test_b", "call", "passed"),
        ("f.py::test_b", "teardown", "failed"),
        ("f.py::test_c", "setup", "skipped"),
        ("f.py::test_d", "setup", "passed"),
    ):
        recorder.pytest_runtest_logreport(
            pytest.TestReport(nodeid, ("f.py", 1, ""), {}, outcome, None, when)  # type: ignore[arg-type]
        )
    assert recorder.outcomes == {
        "f.py::test_a": "failed",
        "f.py::test_b": "failed",
        "f.py::test_c": "skipped",
    }


def test_rows_are_run_by_name_and_a_test_of_several_once() -> None:
    faults = [Fault("R1", "", "", ("a", "b")), Fault("R2", "", "", ("b", "c"))]
    assert named_tests(faults, []) == ["a", "b", "c"]
    assert named_tests(faults, ["R2"]) == ["b", "c"]
    with pytest.raises(ValueError, match="no such row: R9"):
        named_tests(faults, ["R9"])
