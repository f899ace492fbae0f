"""What a console costs the feed: the delay of frames with one attached, and with its terminal frozen.

One session on one venue process sees, one after the other: no console, a console whose terminal is read, the
same console whose terminal is not read any more, no console again. The delay of a frame is its receive stamp
in the journal against its time in the capture; the smallest delay of the session stands for none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.bench_decision import frames_a_second
from app.bench_live import BenchSession, session, venue
from app.bench_report import Budget, Row
from app.bench_terminal import TerminalProgram
from app.bench_tools import BenchError, Plan, percentile
from app.replay_command import sample_capture
from pipeline.runtime.capture import open_capture, probe
from pipeline.runtime.journal_format import RecordKind
from pipeline.runtime.journal_reader import read_journal

P50_BUDGET = Budget(1.10)
P99_BUDGET = Budget(1.25)
FRAMES_A_SECOND = 300.0
ROWS, COLUMNS = 48, 160
SPELL_S = (20, 3)
"""Of each spell, whole run and quick one."""
START_S = 40.0
SETTLE_S = 3.0
"""After attaching and after the terminal is read no more, until the link to it is stuck."""
NONE_SHARE = 0.001
"""This share of all frames came sooner than the delay that stands for none."""
_DATA = b'"data":'

BEFORE, ATTACHED, FROZEN, AFTER = "before", "attached", "frozen", "after"


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of a session."""

    what: str
    from_ns: int
    to_ns: int


Delays = dict[str, list[float]]
"""Delays in us, by spell."""


def measure(plan: Plan) -> list[Row]:
    """Measure interleaved: three sessions, each with all spells; the median of the three ratios counts."""
    seconds = plan.of(*SPELL_S)
    capture = sample_capture()
    # As many decimals as the venue is told: a speed that differs by 1e-5 is a drift of 10 us a second.
    speed = round(FRAMES_A_SECOND / frames_a_second(capture), 2)
    taken = []
    for turn in range(plan.of(3, 1)):
        with venue(capture, speed) as url:
            symbol = probe([capture], "binance").symbols[0]
            with session(f"bench-attached-{turn}", url, symbol, plan.home) as running:
                spells = _spells(running, seconds)
                running.end()
                journal = running.place.journal_dir
        taken.append(delays(spells, capture, journal, speed))
    return rows(taken, seconds)


def rows(taken: Sequence[Delays], seconds: float) -> list[Row]:
    """Judge each spell with a console by those without."""
    found = []
    for what, label in ((ATTACHED, "console attached"), (FROZEN, "its terminal frozen")):
        for share, budget in ((0.5, P50_BUDGET), (0.99, P99_BUDGET)):
            ratios = [percentile(one[what], share) / _headless(one, share) for one in taken]
            noise = [percentile(one[AFTER], share) / percentile(one[BEFORE], share) for one in taken]
            without = ", ".join(f"{_headless(one, share):.0f}" for one in taken)
            note = (
                f"{len(taken)} x {seconds:.0f} s, ratios {_list(ratios)}; headless {without} us, "
                f"and after / before a console {_list(noise)}"
            )
            what_row = f"feed delay, {label} / headless, p{100 * share:.0f}"
            found.append(Row(what_row, "x", percentile(ratios, 0.5), budget, note))
    return found


def delays(spells: Sequence[Spell], capture: Path, journal: Path, speed: float) -> Delays:
    """Give the delays of each spell's tickers, which carry no time and so reach the session unchanged.

    Raises:
        BenchError: a spell has no frames.
    """
    sent_ns = {_data(frame.payload): frame.ts_recv_ns for frame in open_capture([capture])}
    late = list(_lateness(journal, sent_ns, speed))
    if not late:
        raise BenchError("no frame of the capture is in the session's journal")
    none_ns = percentile([one for _, one in late], NONE_SHARE)
    found: Delays = {
        spell.what: [(one - none_ns) / 1e3 for at, one in late if spell.from_ns <= at < spell.to_ns]
        for spell in spells
    }
    empty = [what for what, values in found.items() if not values]
    if empty:
        raise BenchError(f"no frames in the spell {empty[0]}")
    return found


def _lateness(journal: Path, sent_ns: dict[bytes, int], speed: float) -> Iterator[tuple[int, float]]:
    """Give (receive time, receive time less time in the capture), ns."""
    _, records = read_journal(journal)
    for record in records:
        if record.kind == RecordKind.FRAME and b"@bookTicker" in record.payload[:60]:
            sent = sent_ns.get(_data(record.payload))
            if sent is not None:
                yield record.ts_ns, record.ts_ns - sent / speed


def _data(payload: bytes) -> bytes:
    return payload[payload.find(_DATA) :]


def _headless(one: Delays, share: float) -> float:
    return percentile([*one[BEFORE], *one[AFTER]], share)


def _list(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def _spells(running: BenchSession, seconds: float) -> list[Spell]:
    running.wait_for(lambda content: content["decisions"] > 0)
    time.sleep(1.0)
    found = [_spell(BEFORE, seconds / 2)]
    with TerminalProgram(("attach", running.place.name), ROWS, COLUMNS) as console:
        console.wait_for_prices(START_S)
        console.read_for(SETTLE_S)
        began_ns = time.time_ns()
        console.read_for(seconds)
        found.append(Spell(ATTACHED, began_ns, time.time_ns()))
        time.sleep(SETTLE_S)
        found.append(_spell(FROZEN, seconds))
    time.sleep(1.0)
    return [*found, _spell(AFTER, seconds / 2)]


def _spell(what: str, seconds: float) -> Spell:
    began_ns = time.time_ns()
    time.sleep(seconds)
    return Spell(what, began_ns, time.time_ns())
