"""What bench measures with: frames, the plain reference, peers, the risk desk, screens, taking turns."""

from __future__ import annotations

import importlib
import itertools
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app import bench_book, bench_peers
from app.bench_book import OurWay, check_same
from app.bench_capture import DepthFrames, choose_captures, depth_frames
from app.bench_memory import endless, play, with_symbols
from app.bench_orders import RiskDesk
from app.bench_replay import bench_session
from app.bench_terminal import bytes_profile, cells_written, text_of
from app.bench_tools import BenchError, Plan, interleaved, percentile, top_functions
from app.replay_command import sample_capture
from pipeline.core.types import Authority
from tests.fakes.sessions import synthetic_lines, write_capture


@pytest.fixture(scope="module")
def depth() -> DepthFrames:
    return depth_frames([sample_capture()])


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(home))
    capture = write_capture(tmp_path / "capture.txt", synthetic_lines(600))
    return Plan((capture,), "cut to size", synthetic=True, quick=True, home=home)


def test_rounds_depend_on_the_plan(plan: Plan) -> None:
    assert plan.of(9, 3) == 3
    assert replace(plan, quick=False).of(9, 3) == 9


def test_cases_take_turns_in_changing_order_and_the_median_counts() -> None:
    turns = []
    values = {"a": iter([5.0, 1.0, 9.0, 2.0, 3.0]), "b": iter([1.0] * 5)}

    def case(name: str) -> float:
        turns.append(name)
        return next(values[name])

    medians = interleaved({"a": lambda: case("a"), "b": lambda: case("b")}, 5)
    assert medians == {"a": 3.0, "b": 1.0}
    rounds = [tuple(turns[at : at + 2]) for at in range(0, 10, 2)]
    assert all(sorted(pair) == ["a", "b"] for pair in rounds)
    assert len(set(rounds)) == 2


def test_percentiles_are_values_that_were_there() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.99)) == (50.0, 99.0, 7.0)


def test_profile_names_functions_and_their_shares() -> None:
    def busy() -> int:
        return sum(number * number for number in range(200_000))

    def waiting_too() -> int:
        time.sleep(0.2)
        return busy()

    line = top_functions(waiting_too)
    assert "test_bench_rooms.py:<genexpr>" in line.rpartition(",")[0], "not among the two that took most"
    assert "sleep" not in line
    assert line.count(" %") == 3


def test_captures_of_the_user_stand_before_the_real_and_the_shipped_ones(plan: Plan) -> None:
    assert choose_captures(plan.captures) == (plan.captures, "capture.txt")
    assert choose_captures([sample_capture()]) == ((sample_capture(),), "shipped synthetic capture")


def test_only_frames_that_reach_past_the_snapshot_are_measured(depth: DepthFrames) -> None:
    assert depth.snapshot.startswith(b'{"lastUpdateId"')
    assert len(depth.frames) > 2_000
    assert all(b'"depthUpdate"' in frame for frame in depth.frames)


def test_a_capture_without_a_snapshot_cannot_be_measured(tmp_path: Path) -> None:
    lines = [line for line in synthetic_lines(600) if b"lastUpdateId" not in line]
    with pytest.raises(BenchError, match="no snapshot"):
        depth_frames([write_capture(tmp_path / "capture.txt", lines)])


def test_book_and_reference_give_the_same_features(depth: DepthFrames) -> None:
    check_same(depth)


def test_a_book_that_differs_is_noticed(depth: DepthFrames, monkeypatch: pytest.MonkeyPatch) -> None:
    class OneFrameBehind(OurWay):
        def run(self, frames: list[bytes]) -> list[tuple[float, ...]]:
            rows = super().run(frames)
            return [rows[0], *rows[:-1]]

    monkeypatch.setattr(bench_book, "OurWay", OneFrameBehind)
    with pytest.raises(BenchError, match="different features"):
        check_same(depth)


@pytest.mark.parametrize("run", [bench_peers.ccxt_run, bench_peers.cryptofeed_run])
def test_a_peer_that_is_not_installed_is_not_here(
    depth: DepthFrames, run: bench_book.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(BenchError, match="not installed"):
        run(depth)


def test_a_peer_of_another_version_is_said_to_work_another_way(
    depth: DepthFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib, "import_module", lambda _: bench_peers)
    with pytest.raises(BenchError, match="works another way"):
        bench_peers.ccxt_run(depth)


def test_a_session_to_measure_trades_by_itself_for_nothing(plan: Plan) -> None:
    spec = bench_session(plan)
    assert spec.params.authority is Authority.AUTO
    assert (spec.params.instruments[0].fees.maker_e6, spec.params.instruments[0].fees.taker_e6) == (0, 0)


def test_every_order_of_the_risk_desk_is_approved_and_ended(plan: Plan) -> None:
    desk = RiskDesk(bench_session(plan).params)
    assert all(desk.check_ns() > 0 for _ in range(30))


def test_frames_go_on_after_the_end_of_the_capture() -> None:
    frames = [(1_000_000_000, b"a"), (3_000_000_000, b"b")]
    assert list(itertools.islice(endless(frames), 4)) == [
        (0, (1_000_000_000, b"a")),
        (0, (3_000_000_000, b"b")),
        (1, (4_000_000_000, b"a")),
        (1, (6_000_000_000, b"b")),
    ]


def test_engine_is_played_past_the_end_of_its_capture_on_several_symbols(plan: Plan) -> None:
    spec = bench_session(plan)
    params = with_symbols(spec.params, 2)
    assert [one.symbol for one in params.instruments] == ["BTCUSDT", "BTCUSDT1"]
    assert set(params.limits) == {"BTCUSDT", "BTCUSDT1"}
    samples = play(spec, 2, [1_000, 1_800])
    assert list(samples) == [1_000, 1_800]
    assert samples[1_000]["resyncs"] == 0
    assert samples[1_800]["resyncs"] == 2
    assert samples[1_800]["wire_errors"] == samples[1_800]["gaps"] == 0
    assert samples[1_800]["decisions"] > samples[1_000]["decisions"] > 0


def test_drawn_bytes_are_told_apart() -> None:
    drawn = b"\x1b[?2026h\x1b[12;3H\x1b[38;2;1;2;3mab\xe2\x94\x80\x1b]0;title\x07\x1b[0m"
    assert text_of(drawn) == "ab\u2500"
    assert cells_written(drawn) == 3
    assert bytes_profile(drawn) == "colours 36 %, moves 15 %, other sequences 38 %, text 11 %"
