"""Kills the journal does not tell of, from the files beside it: on the page for risk, and marked as such."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from app.risk_report import write_risk_report
from pipeline.core.inputs import GateChanged
from pipeline.core.session_facts import KillFact
from pipeline.research.risk_gate import kill_cells
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.guard_report import GuardReport, write_report
from pipeline.runtime.kill_records import kill_records
from pipeline.runtime.latch import LATCH_NAME
from tests.fakes.recorded import RecordedFloor

NOW_NS = 1_795_999_000_000_000_000
CONFIRMED = GuardReport(
    acts=True,
    phase="confirmed",
    engine="fenced",
    generation=1,
    confirmed=True,
    venue_ms=NOW_NS // 10**6 + 900,
    cancels_sent=3,
    ts_ns=NOW_NS + 10**9,
)


def killed(directory: Path, *, released: bool = False) -> None:
    """Kill a session whose engine hears nothing; its guard confirms."""
    gate = Gate.create(directory)
    gate.close(Closer.SHELL, "root", "pts/1", "kill from the shell", NOW_NS, kill=True)
    gate.latch("root", "pts/1", "kill from the shell", NOW_NS)
    write_report(CONFIRMED, directory)
    if released:
        state = gate.state()
        shown = {one.closer: one.generation for one in state.closers}
        gate.release(shown, "ada", "", "looked", NOW_NS + 2 * 10**9, latches=state.latches, kills=state.kills)
    gate.detach()


def page_of(directory: Path) -> str:
    output = directory / "risk.html"
    write_risk_report([directory], output)
    return output.read_text()


@pytest.mark.parametrize("released", [False, True])
def test_a_kill_the_engine_never_heard_is_on_the_page(tmp_path: Path, released: bool) -> None:
    RecordedFloor(limits={}).write(tmp_path / "journal")
    killed(tmp_path, released=released)
    page = page_of(tmp_path)
    source = "latch file, released" if released else "latch file"
    assert f"<td>KILL</td><td>root</td><td>pts/1</td><td>kill from the shell</td><td>{source}</td>" in page
    assert "<td>confirmed</td><td>fenced</td><td>3</td><td>2026-" in page
    assert "NOT in the journal&#x27;s chain" in page or "NOT in the journal's chain" in page
    assert "<tr><td>0</td><td>1</td>" in page  # limits reached, kills
    acts = page[page.index("Acts of persons") : page.index("<h2>Permits")]
    assert ("<p>None.</p>" in acts) is not released
    assert ("<td>ada</td>" in acts) is released


def test_what_the_chain_tells_is_not_told_twice(tmp_path: Path) -> None:
    killed(tmp_path)
    assert [one.kind for one in kill_records(tmp_path, ())] == ["KILL"]
    assert kill_records(tmp_path, {NOW_NS}) == ()


def test_an_earlier_runs_kill_is_not_told_again_and_an_unheard_one_is(tmp_path: Path) -> None:
    floor = RecordedFloor(limits={})
    floor.put(replace(floor_gate(floor), acted_ns=NOW_NS))
    floor.write(tmp_path / "journal")
    RecordedFloor(limits={}).write(tmp_path / "journal")
    killed(tmp_path)
    assert kill_records(tmp_path, ()) == ()


def floor_gate(floor: RecordedFloor) -> GateChanged:
    return GateChanged(
        open=False, latched=True, closers=("shell",), who="root", reason="", generation=1, ts_ns=floor.now_ns
    )


@pytest.mark.parametrize("garbage", [b"", b"\xff" * 4_096, b"LOBGATE1" + b"\xff" * 4_088, b"[[[[" * 9_000])
def test_garbage_on_file_gives_nothing(tmp_path: Path, garbage: bytes) -> None:
    for name in ("gate", LATCH_NAME, f"{LATCH_NAME}.released-1-2", "guard.json"):
        (tmp_path / name).write_bytes(garbage)
    (tmp_path / f"{LATCH_NAME}.released-loop").symlink_to(tmp_path / "gate")
    assert kill_records(tmp_path, ()) == ()


def test_a_hearing_before_the_act_is_not_known() -> None:
    kill = KillFact("ada", "", "", NOW_NS, NOW_NS - 4_500_000, True, 0, 0, 0, 0, 0, 0)
    assert kill_cells(kill)[5] == "not known"
