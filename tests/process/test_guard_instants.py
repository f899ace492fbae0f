"""No order at the venue after NO ORDERS LEFT, whenever the engine is stopped; the ledger is the judge.

`LOBDECK_TEST_INSTANTS=200` tries that many random instants instead of the few of the default run.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from app.guard_wait import wait_for_guard
from app.shell import kill
from tests.fakes.guards import lines_of, open_ids, report_of, until
from tests.fakes.order_hosts import WINDOW_MS, OrderHost, host, venue

INSTANTS = int(os.environ.get("LOBDECK_TEST_INSTANTS", "6"))
SEED = int(os.environ.get("LOBDECK_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


def accepted(home: Path, first_ns: int = 0) -> list[dict[str, Any]]:
    """Orders the venue took since a time."""
    return [
        one for one in lines_of(home / "ledger") if one["kind"] == "ACCEPTED" and one["ts_ns"] >= first_ns
    ]


def nothing_after_no_orders_left(at: dict[str, Any], home: Path, one: OrderHost) -> None:
    """Continue what is left of the engine, wait, and hold the guard's word against the ledger."""
    report = report_of(one.place)
    assert report.confirmed
    one.signal(signal.SIGCONT)
    time.sleep(WINDOW_MS / 1_000)
    assert accepted(home, report.venue_ms * 1_000_000) == []
    assert asyncio.run(open_ids(at)) == set()


def test_stopped_engine_without_a_guard_does_send_a_stale_order(home: Path) -> None:
    with venue(home) as at, host(at, 1 << 20, guarded=False, stop_at=5, recv_window_ms=1_000) as one:
        until(one.is_stopped, 20, "stopped between gate check and send")
        kill([one.place])
        closed_ns = time.time_ns()
        assert len(accepted(home)) == 4
        one.signal(signal.SIGCONT)
        until(lambda: len(accepted(home, closed_ns)) == 1, 3, "the order the gate let through")


def test_engine_stopped_between_gate_check_and_send_never_sends(home: Path) -> None:
    with venue(home) as at, host(at, 2 << 20, stop_at=5) as one:
        until(one.is_stopped, 20, "stopped between gate check and send")
        (line,), confirmed = kill([one.place])
        assert confirmed, line
        assert len(accepted(home)) == 4
        assert report_of(one.place).cancels_sent == 4
        nothing_after_no_orders_left(at, home, one)


def test_engine_stopped_at_any_instant_leaves_no_order_after_no_orders_left(home: Path) -> None:
    chance = random.Random(SEED)
    with venue(home, seconds=30 + 10 * INSTANTS) as at:
        for trial in range(INSTANTS):
            where, began_ns = f"LOBDECK_TEST_SEED={SEED} trial {trial}", time.time_ns()
            # The venue takes fifty orders in ten seconds, of all trials together.
            with host(at, (trial + 3) << 20, most=10, pace_ms=40) as one:
                until(lambda: accepted(home, began_ns), 20, where)  # noqa: B023  called here and now
                time.sleep(chance.random() * 0.4)
                one.signal(signal.SIGSTOP)
                kill([one.place])
                assert wait_for_guard(one.place).confirmed, where
                nothing_after_no_orders_left(at, home, one)
