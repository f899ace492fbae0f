"""The faults this program is tried with; `python -m tests.faults.page` prints docs/FAULTS.md from them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from app.reference_text import table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "FAULTS.md"
TABLE = Path(__file__).with_name("table.toml")
RESULTS = Path(__file__).with_name("results.toml")
RUN = "python -m tests.faults.run"

HEAD = f"""# Faults

What can break, what is expected then, the tests that bring it about, and how they ended last. The page is
printed from `tests/faults/table.toml` and `tests/faults/results.toml`. `{RUN}` runs every test
of it, or of the rows named, and writes the results. `tests/contract/test_faults_page.py` fails when a test is
gone, a row is missing or has no result, a result is not a pass, or the page is not what is printed.
"""
SECTIONS = (
    ("R", "On real processes"),
    ("D", "Market data"),
    ("M", "Features and model"),
    ("P", "Processes and host"),
    ("T", "Terminal"),
    ("O", "Orders"),
    ("F", "Configuration, secrets, files"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One row; without tests it says why it is not here."""

    id: str
    fault: str
    expected: str
    tests: tuple[str, ...] = ()
    not_here: str = ""


def read_faults() -> list[Fault]:
    """Read the rows in order."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["fault"]
    return [Fault(**{**row, "tests": tuple(row.get("tests", ()))}) for row in rows]


def read_results() -> dict[str, str]:
    """Read the last result of each test: a day and `passed`, `failed` or `skipped`."""
    return tomllib.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def write_results(results: dict[str, str], known: set[str]) -> None:
    """Keep the results of the tests that are in the table."""
    lines = [f'"{name}" = "{results[name]}"\n' for name in sorted(results) if name in known]
    RESULTS.write_text(f"# Written by `{RUN}`.\n" + "".join(lines), encoding="utf-8")


def result_of(fault: Fault, results: dict[str, str]) -> str:
    """Give the worst result of a row's tests with its day, the oldest day of the equal ones."""
    if fault.not_here:
        return "not here"
    found = [results.get(test, "") for test in fault.tests]
    if not all(found):
        return "no result"
    return min(found, key=lambda one: (("failed", "skipped", "passed").index(one.split()[1]), one))


def faults_page() -> str:
    """Print the page."""
    faults, results, parts = read_faults(), read_results(), [HEAD.rstrip()]
    for letter, title in SECTIONS:
        rows = [_row(one, results) for one in faults if one.id[0] == letter]
        parts += [f"## {title}", table(("row", "fault", "expected", "test", "last result"), rows)]
    return "\n\n".join(parts) + "\n"


def _row(fault: Fault, results: dict[str, str]) -> tuple[str, ...]:
    tests = "<br>".join(f"`{test}`" for test in fault.tests)
    return fault.id, fault.fault, fault.expected, tests or fault.not_here, result_of(fault, results)


if __name__ == "__main__":
    PAGE.write_text(faults_page(), encoding="utf-8")
