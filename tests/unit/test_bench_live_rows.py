"""How the live measurements judge what they saw, and the long capture they run on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import bench_attached, bench_decision, bench_flood
from app.bench_attached import AFTER, ATTACHED, BEFORE, FROZEN, Spell
from app.bench_flood import Course, anonymous_mb, wrong_levels
from app.bench_long import endless_frames, long_capture, moved
from app.bench_noise import MachineNoise
from app.bench_report import Row, Verdict
from app.bench_tools import BenchError
from app.replay_command import sample_capture
from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.core.types import BookState, Instrument
from pipeline.runtime.capture import open_capture, probe
from pipeline.runtime.instruments import load_instruments
from pipeline.runtime.journal import JournalWriter
from pipeline.runtime.journal_format import JournalHeader, RecordKind
from pipeline.wire.venues import codec_for
from tests.fakes.engines import engine_params
from tests.fakes.sessions import synthetic_lines, write_capture


def instrument() -> Instrument:
    (found,) = load_instruments("binance", probe([sample_capture()], "binance").symbols[:1])
    return found


# --- the long capture


def test_a_capture_goes_on_after_its_end_without_a_gap_or_a_stale_level(tmp_path: Path) -> None:
    short = write_capture(tmp_path / "short.txt", synthetic_lines(2_000))
    one = instrument()
    decode, synced = codec_for("binance", {one.symbol: one}).decode, SyncedBook(one)
    crossed = 0
    for number, payload in enumerate(endless_frames([short])):
        for event in decode(payload, number + 1, 0, one.symbol):
            if isinstance(event, DepthSnapshot):
                synced.on_snapshot(event)
            elif isinstance(event, DepthUpdate):
                synced.on_update(event)
                crossed += synced.state is BookState.CROSSED
        if number > 5_000:
            break
    assert synced.is_synced
    assert (synced.gaps, synced.resyncs, synced.ignored, crossed) == (0, 0, 0, 0)


def test_ids_alone_move_on() -> None:
    depth = b'{"data":{"e":"depthUpdate","E":1700000000000,"U":10,"u":12,"b":[["1.00","2"]]}}'
    assert moved(depth, 100, 7) == (
        b'{"data":{"e":"depthUpdate","E":1700000000000,"U":110,"u":112,"b":[["1.00","2"]]}}'
    )
    assert moved(b'{"data":{"t":5,"T":1700000000000}}', 100, 7) == b'{"data":{"t":12,"T":1700000000000}}'


def test_lines_of_a_long_capture_are_evenly_spaced(tmp_path: Path) -> None:
    lines = tmp_path / "long.txt"
    assert long_capture([sample_capture()], lines, 500, 200_000) == 501
    times = [frame.ts_recv_ns for frame in open_capture([lines])]
    assert {late - soon for soon, late in zip(times, times[1:], strict=False)} == {200_000}


# --- socket to decision


def spell(p50: float, p99: float) -> dict[str, dict[str, float]]:
    return {stage: {"p50": p50, "p99": p99, "n": 100.0} for stage in bench_decision.STAGES}


def test_decisions_are_judged_by_the_median_ratio_to_the_echo_beside_them() -> None:
    ours = [spell(200.0, 1_500.0), spell(900.0, 9_000.0), spell(250.0, 1_900.0)]
    echoes = [{"p50": 100.0, "p99": 800.0}, {"p50": 300.0, "p99": 5_000.0}, {"p50": 100.0, "p99": 900.0}]
    ratio, p99 = bench_decision.rows(ours, echoes)
    assert (ratio.measured, ratio.verdict) == (2.5, Verdict.MET)
    assert (p99.measured, p99.verdict) == (1.9, Verdict.MET)
    assert "its spells 100, 300, 100" in ratio.note
    assert p99.note == "echo's own p99 0.8, 5.0, 0.9 ms"


def test_slow_decisions_miss_and_say_at_which_stage() -> None:
    ratio, p99 = bench_decision.rows([spell(400.0, 2_100.0)], [{"p50": 100.0, "p99": 1_000.0}])
    assert (ratio.verdict, p99.verdict) == (Verdict.MISSED, Verdict.MISSED)
    assert ratio.profile.startswith("recv_to_features p50 400 us; recv_to_prediction")


# --- a console attached


def taken(attached: float, frozen: float) -> dict[str, list[float]]:
    return {BEFORE: [100.0] * 100, ATTACHED: [attached] * 100, FROZEN: [frozen] * 100, AFTER: [100.0] * 100}


def test_spells_with_a_console_are_judged_by_those_without_around_them() -> None:
    found = bench_attached.rows([taken(105.0, 130.0), taken(500.0, 100.0), taken(100.0, 120.0)], 20)
    assert [(row.measured, row.verdict) for row in found] == [
        (1.05, Verdict.MET),
        (1.05, Verdict.MET),
        (1.2, Verdict.MISSED),
        (1.2, Verdict.MET),
    ]
    assert "after / before a console 1.00, 1.00, 1.00" in found[0].note


def journal_of(folder: Path, capture: Path, late_from_ns: int, late_ns: int, speed: float) -> None:
    """Record every ticker of the capture, those from a time on later by so much."""
    folder.mkdir(mode=0o700)
    header = JournalHeader("bench", "1", 1, engine_params())
    journal = JournalWriter.create(folder, header, pack=False)
    for frame in open_capture([capture]):
        if b"bookTicker" in frame.payload[:60]:
            late = late_ns if frame.ts_recv_ns >= late_from_ns else 0
            journal.append(RecordKind.FRAME, int(frame.ts_recv_ns / speed) + late, frame.payload)
    journal.close()


def test_delays_are_taken_from_the_journal_by_spell(tmp_path: Path) -> None:
    capture = tmp_path / "capture.txt"
    with capture.open("wb") as lines:
        for number, frame in zip(range(2_000), open_capture([sample_capture()]), strict=False):
            lines.write(b"%d %s\n" % (10**18 + number * 1_000_000, frame.payload))
    late_from_ns = 10**18 + 1_000 * 1_000_000
    journal_of(tmp_path / "journal", capture, late_from_ns, 300_000, 2.0)
    middle = late_from_ns // 2
    spells = [Spell(BEFORE, 0, middle), Spell(ATTACHED, middle, 2**63)]
    found = bench_attached.delays(spells, capture, tmp_path / "journal", 2.0)
    assert max(found[BEFORE]) <= 1.0
    assert min(found[ATTACHED]) == pytest.approx(300.0, abs=1.0)
    with pytest.raises(BenchError, match="no frames in the spell frozen"):
        bench_attached.delays([Spell(FROZEN, 0, 1)], capture, tmp_path / "journal", 2.0)


# --- the flood


def summary(**changes: Any) -> dict[str, Any]:
    content = {"gaps": 0, "wire_errors": 0, "feed": {"lost": 0}, "frames": 300_000, "conflated": 9_000}
    return {**content, "latency_us": {"recv_to_features": {"p99": 900.0}}, **changes}


def course(**changes: Any) -> Course:
    return Course(**{"frames": [(0.0, 0), (60.0, 300_000)], "first_mb": 80.0, "last_mb": 81.0, **changes})


def verdicts(rows: list[Row]) -> list[Verdict]:
    return [row.verdict for row in rows[:4]]


def test_a_flood_that_lost_and_kept_nothing_is_within_every_budget() -> None:
    found = bench_flood.rows(course(), summary(), 0)
    assert verdicts(found) == [Verdict.MET] * 4
    assert found[0].note.startswith("5,000 frames/s taken of 5,000 offered")


@pytest.mark.parametrize(
    ("seen", "said", "wrong", "missed"),
    [
        ({}, {"gaps": 1}, 0, 0),
        ({}, {"wire_errors": 1}, 0, 0),
        ({}, {"feed": {"lost": 1}}, 0, 0),
        ({"most_waiting": 4_097}, {}, 0, 1),
        ({"last_mb": 95.0}, {}, 0, 2),
        ({}, {}, 1, 3),
    ],
)
def test_each_thing_a_flood_must_not_do_misses_its_budget(
    seen: dict[str, Any], said: dict[str, Any], wrong: int, missed: int
) -> None:
    found = verdicts(bench_flood.rows(course(**seen), summary(**said), wrong))
    assert [at for at, one in enumerate(found) if one is Verdict.MISSED] == [missed]


def test_a_wrong_level_at_the_end_is_found(tmp_path: Path) -> None:
    lines = tmp_path / "long.txt"
    long_capture([sample_capture()], lines, 3_000, 200_000)
    one = instrument()
    decode, synced = codec_for("binance", {one.symbol: one}).decode, SyncedBook(one)
    for frame in open_capture([lines]):
        for event in decode(frame.payload, frame.ts_recv_ns, 0, one.symbol):
            if isinstance(event, DepthSnapshot):
                synced.on_snapshot(event)
            elif isinstance(event, DepthUpdate):
                synced.on_update(event)
    bids, asks = (
        [[one.price_text(price), one.size_text(size)] for price, size in side] for side in synced.book.top(10)
    )
    book = {"last_update_id": synced.last_update_id, "bids": bids, "asks": asks}
    assert wrong_levels(lines, book) == 0
    bids[3][1] = "0.00001"
    del asks[9]
    assert wrong_levels(lines, book) == 2


def test_memory_no_file_backs_is_read() -> None:
    import os

    assert 1.0 < anonymous_mb(os.getpid()) < 10_000.0


def test_the_machine_is_described_by_its_load_and_its_lateness() -> None:
    with MachineNoise() as noise:
        pass
    text = noise.text()
    assert text.startswith("load ")
    assert text.endswith(" ms late")
