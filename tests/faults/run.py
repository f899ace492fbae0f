"""Runs the tests of docs/FAULTS.md and writes down how they ended: `python -m tests.faults.run [ROW ...]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.faults.page import PAGE, Fault, faults_page, read_faults, read_results, write_results

_WORST = ("passed", "skipped", "failed")


class Recorder:
    """A pytest plugin: the worst outcome of each test, all its parameters together."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of a test: its set-up and its end count where they fail or skip."""
        if report.when == "call" or report.outcome != "passed":
            name = report.nodeid.partition("[")[0]
            known = self.outcomes.get(name, "passed")
            self.outcomes[name] = max(known, report.outcome, key=_WORST.index)


def named_tests(faults: Sequence[Fault], rows: Sequence[str]) -> list[str]:
    """Give the tests of the named rows, of all when none is named, each once.

    Raises:
        ValueError: a name is of no row.
    """
    unknown = set(rows) - {one.id for one in faults}
    if unknown:
        raise ValueError(f"no such row: {', '.join(sorted(unknown))}")
    chosen = [one for one in faults if not rows or one.id in rows]
    return list(dict.fromkeys(test for one in chosen for test in one.tests))


def main(rows: Sequence[str]) -> int:
    """Run, write results and page; give pytest's status."""
    faults, recorder = read_faults(), Recorder()
    status = int(
        pytest.main(["-v", "-p", "no:cacheprovider", *named_tests(faults, rows)], plugins=[recorder])
    )
    day = datetime.now(UTC).date().isoformat()
    fresh = {name: f"{day} {outcome}" for name, outcome in recorder.outcomes.items()}
    write_results({**read_results(), **fresh}, {test for one in faults for test in one.tests})
    PAGE.write_text(faults_page(), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
