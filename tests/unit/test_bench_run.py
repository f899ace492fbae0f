"""The course of a bench: parts, their failures, the state directory of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app import bench
from app.bench_report import Budget, Row
from app.bench_tools import BenchError, Plan
from app.cli import run
from app.replay_command import sample_capture


def fine(plan: Plan) -> list[Row]:
    return [Row("fine", "x", 1.0, Budget(2.0), note=f"{plan.source}, home {plan.home}")]


def broken(_: Plan) -> list[Row]:
    raise BenchError("no terminal can be made here")


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "PARTS", {"book": fine, "console": broken})


def test_a_part_that_cannot_be_measured_says_why_and_stops_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["bench", "--json", "--capture", str(sample_capture())]) == 0
    out, err = capsys.readouterr()
    rows = json.loads(out)["rows"]
    assert [(row["what"], row["verdict"]) for row in rows] == [("fine", "met"), ("console", "-")]
    assert all(row["machine"].startswith("load ") for row in rows)
    assert rows[1]["note"] == "no terminal can be made here"
    assert err == "bench: book ... 0 s\nbench: console ... 0 s\n"


def test_only_the_parts_named_are_measured() -> None:
    text = bench.run_bench(as_json=False, quick=True, captures=[sample_capture()], parts=["book"])
    assert "\nfine " in text
    assert "no terminal" not in text


def test_a_part_nobody_knows_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--part", "fun"]) == 2
    assert capsys.readouterr().err == "lobdeck: --only fun: wanted one of book, console\n"


def test_a_capture_of_another_venue_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "capture.txt"
    other.write_text('1700000000000000000 {"stream":"x","data":{"e":"depthUpdate","pu":1}}\n')
    assert run(["bench", "--capture", str(other)]) == 2
    assert "expected frames of binance" in capsys.readouterr().err


def test_sessions_of_a_bench_live_in_a_directory_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = []

    def look(plan: Plan) -> list[Row]:
        homes.append((plan.home, os.environ["LOBDECK_HOME"]))
        (plan.home / "sessions").mkdir()
        return []

    monkeypatch.setattr(bench, "PARTS", {"book": look})
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    bench.run_bench(as_json=True, quick=True, captures=[sample_capture()])
    assert os.environ["LOBDECK_HOME"] == str(tmp_path)
    ((home, variable),) = homes
    assert variable == str(home) != str(tmp_path)
    assert not home.exists()
    monkeypatch.delenv("LOBDECK_HOME")
    bench.run_bench(as_json=True, quick=True, captures=[sample_capture()])
    assert "LOBDECK_HOME" not in os.environ
