"""Sessions that trade at the simulated venue over its real protocol; its ledger is the judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.inputs import OrderPathChanged
from tests.fakes.sim_process import sim_process
from tests.fakes.venue_sessions import VenueSession, replayed, venue_session


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    monkeypatch.setenv("LOBDECK_EXECUTION__ENTRY", "cross")
    monkeypatch.setenv("LOBDECK_EXECUTION__EXIT_AFTER_S", "1")
    monkeypatch.setenv("LOBDECK_EXECUTION__EXIT_REST_S", "1")
    return tmp_path


def entries(path: Path, kind: str) -> list[dict[str, Any]]:
    """The ledger's entries of one kind."""
    return [one for line in path.read_text().splitlines() if (one := json.loads(line))["kind"] == kind]


def same_as_the_ledger(session: VenueSession, summary: dict[str, Any], ledger: Path) -> dict[str, Any]:
    """Hold the session against the venue's ledger, and its journal against itself; give its counts."""
    run = replayed(session.place).run
    assert (run.pump.inputs_sha256, run.pump.effects_sha256) == (
        summary["inputs_sha256"],
        summary["effects_sha256"],
    )
    store, portfolio = run.engine.state.orders, run.engine.state.portfolio
    accepted, filled = entries(ledger, "ACCEPTED"), entries(ledger, "FILLED")
    assert len({one["client_order_id"] for one in accepted}) == len(accepted)
    assert summary["fills"] == len(filled)
    bought = sum(one["side"] * one["lots"] for one in filled)
    assert portfolio.position("BTCUSDT").lots == bought
    assert store.counts.duplicate_fills == store.counts.illegal_moves == store.counts.foreign == 0
    assert store.open_orders == 0
    return {"accepted": len(accepted), "filled": len(filled), "counts": store.counts}


def test_orders_fills_and_position_equal_the_venues_ledger(home: Path) -> None:
    ledger = home / "ledger"
    with (
        sim_process("--seed", "7", "--ledger", str(ledger)) as sim,
        venue_session(sim.at, "plain", seconds=8) as session,
    ):
        summary = session.ended()
    found = same_as_the_ledger(session, summary, ledger)
    assert summary["mode"] == "SIM"
    assert found["accepted"] > 0
    assert summary["orders"] == found["accepted"] + len(entries(ledger, "REFUSED"))
    assert found["filled"] > 0
    assert summary["gaps"] == 0
    assert session.status == (3 if summary["exit"] == "orders_left" else 0)


def test_lost_answers_lost_events_and_cut_connections_change_nothing_of_it(home: Path) -> None:
    ledger = home / "ledger"
    faults = [
        *("--fault", "lost-ack=0.4:order."),
        *("--fault", "unknown=0.4:order.place"),
        *("--fault", "lost-report=0.4"),
        *("--fault", "disconnect=2.5@2:api"),
    ]
    with (
        sim_process("--seed", "11", "--ledger", str(ledger), *faults) as sim,
        venue_session(sim.at, "rough", seconds=12) as session,
    ):
        summary = session.ended()
    found = same_as_the_ledger(session, summary, ledger)
    assert found["filled"] > 0
    paths = [event.up for event in replayed(session.place).of(OrderPathChanged)]
    assert paths.count(False) >= 3
    assert paths[0] is paths[-1] is True
