"""Sessions that trade at the simulated venue over its real protocol; its ledger is the judge."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.live_orders import live_session
from app.run_command import RunOptions
from pipeline.core.inputs import Command, InstrumentDiffers, OrderPathChanged, SymbolStatus
from pipeline.core.types import Authority, Fees
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.places import list_sessions
from pipeline.runtime.venue_keys import write_keys
from pipeline.wire.binance_requests import ApiKey
from tests.fakes.models import approved_for_live
from tests.fakes.session_processes import LinkClient
from tests.fakes.sim_process import ApiClient, api, sim_process
from tests.fakes.venue_sessions import VenueSession, replayed, running, venue_session

SLOW_MS = 600
LIMITS = """
[limits.BTCUSDT]
max_qty_base = 0.05
max_notional_quote = 2000
max_position_quote = 5000
max_gross_quote = 5000
max_daily_loss_quote = 500
"""


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
        venue_session(sim.at, "plain", seconds=6) as session,
    ):
        summary = session.ended()
    found = same_as_the_ledger(session, summary, ledger)
    assert summary["mode"] == "SIM"
    assert found["accepted"] > 0
    assert summary["orders"] == found["accepted"] + len(entries(ledger, "REFUSED"))
    assert found["filled"] > 0
    assert summary["gaps"] == 0
    assert session.status == (3 if summary["exit"] == "orders_left" else 0)


def test_the_venues_fees_are_used_and_said_where_the_tables_have_others() -> None:
    with (
        sim_process("--seed", "7", "--fees", "1/2") as sim,
        venue_session(sim.at, "fees", seconds=2, fees="0/0") as session,
    ):
        session.ended()
    found = replayed(session.place)
    assert found.run.engine.state.params.instruments[0].fees == Fees(100, 200, "venue")
    assert {one.what for one in found.of(InstrumentDiffers)} == {"fees"}
    assert all(one.tradable for one in found.of(SymbolStatus))
    assert found.of(SymbolStatus)


def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something holds."""
    deadline_s = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline_s, "not in time"
        time.sleep(0.02)


def attached(session: VenueSession) -> LinkClient:
    """Attach to a session as soon as it listens."""
    until(lambda: session.place.link_socket.exists() and list_sessions()[0].alive)
    client = LinkClient(session.place)
    client.attach()
    return client


def open_at_venue(ledger: Path) -> int:
    """Count the orders that stand, by the ledger; a filled one has no lots left."""
    left: dict[int, int] = {}
    for line in ledger.read_text().splitlines():
        entry = json.loads(line)
        if entry["kind"] == "ACCEPTED":
            left[entry["order_id"]] = entry["lots"]
        elif entry["order_id"] in left:
            left[entry["order_id"]] -= entry["lots"]
    return sum(1 for lots in left.values() if lots)


def test_live_is_halted_and_observes_until_a_person_arms_it_and_a_kill_ends_at_the_venues_zero(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOBDECK_WATCH__BEFORE_PROOF", "trade")
    monkeypatch.setenv("LOBDECK_EXECUTION__ENTRY", "passive")
    monkeypatch.setenv("LOBDECK_EXECUTION__REQUOTE_AFTER_MS", "60000")
    config, ledger, keys = home / "config.toml", home / "ledger", home / "keys.toml"
    config.write_text(LIMITS)
    monkeypatch.setattr("app.live_orders.key_path", lambda _: keys)
    with sim_process("--seed", "7", "--ledger", str(ledger)) as sim:
        write_keys(keys, ApiKey(sim.at["api_key"], sim.at["secret"]))
        options = RunOptions(
            venue="binance",
            symbols=("BTCUSDT",),
            base_url=sim.at["base_url"],
            live=True,
            account="main",
            config=config,
            fees="0/0",
            workers=1,
            name="live",
            model=approved_for_live(home),
        )
        spec, place = live_session(options, confirm=lambda *_: "LIVE main binance", euid=1_000)
        with running(spec, place) as session, attached(session) as client:
            client.command(Command.SET_AUTHORITY, authority=int(Authority.AUTO))
            until(lambda: client.command(Command.HALT).text == "HALTED")
            time.sleep(1.0)
            assert not entries(ledger, "ACCEPTED")
            until(lambda: client.command(Command.RESUME).text == "ACTIVE")
            until(lambda: open_at_venue(ledger))
            gate, killed_ns = Gate.attach(place.root), time.time_ns()
            gate.close(Closer.SHELL, "ada", "", "enough", killed_ns)
            gate.latch("ada", "", "enough", killed_ns)
            gate.detach()
            until(lambda: not open_at_venue(ledger))
            until(lambda: client.status()["exit"] in ("killed", "orders_left"))
            time.sleep(2.5)
            summary = session.stop()
    found = replayed(place)
    same_as_the_ledger(session, summary, ledger)
    assert summary["mode"] == "LIVE"
    assert session.status in (3, 4)
    kill = found.run.engine.state.kill
    assert kill is not None
    assert kill.confirmed_ts_ns >= kill.ts_ns + 1_000_000_000
    late = [one for one in entries(ledger, "ACCEPTED") if one["ts_ns"] > killed_ns + 50_000_000]
    assert late == []
    assert (home / "accounts" / "main" / "KILL").exists()
    assert sim.at["secret"].encode() not in b"".join(
        file.read_bytes() for file in place.root.rglob("*") if file.is_file()
    )


async def use_up_the_weight(at: dict[str, Any]) -> None:
    """Ask from this address until the venue bans it."""
    async with api(at) as socket:
        client = ApiClient(socket, at)
        for _ in range(400):
            if (await client.ask("exchangeInfo"))["status"] == 418:
                return
    raise AssertionError("not banned")


def test_a_banned_session_sends_nothing_more(home: Path) -> None:
    requests, ledger = home / "requests", home / "ledger"
    arguments = ["--seed", "7", "--ledger", str(ledger), "--requests", str(requests)]
    with (
        sim_process(*arguments) as sim,
        venue_session(sim.at, "banned", {"list_every_ms": 300}, seconds=60) as session,
    ):
        until(lambda: entries(ledger, "ACCEPTED"))
        asyncio.run(use_up_the_weight(sim.at))
        time.sleep(1.0)
        before = requests.read_text().count("\n")
        time.sleep(2.0)
        assert requests.read_text().count("\n") == before
        assert session.process.poll() is None


def test_lost_answers_lost_events_and_cut_connections_change_nothing_of_it(home: Path) -> None:
    ledger = home / "ledger"
    faults = [
        *("--fault", "lost-ack=0.4:order."),
        *("--fault", "unknown=0.4:order.place"),
        *("--fault", "lost-report=0.4"),
        *("--fault", "double-report=0.3"),
        *("--fault", "late-fill=0.5"),
        *("--fault", "disconnect=2.5@2:api"),
        *("--fault", "end-stream@8"),
    ]
    with (
        sim_process("--seed", "11", "--ledger", str(ledger), *faults) as sim,
        venue_session(sim.at, "rough", seconds=10) as session,
    ):
        summary = session.ended()
    found = same_as_the_ledger(session, summary, ledger)
    assert found["filled"] > 0
    paths = [event.up for event in replayed(session.place).of(OrderPathChanged)]
    assert paths.count(False) >= 3
    assert paths[0] is paths[-1] is True


def asked(requests: Path) -> list[dict[str, Any]]:
    """Every request and connection the venue saw."""
    return [json.loads(line) for line in requests.read_text().splitlines()]


def cut_off(requests: Path) -> bool:
    """Say whether a connection ended while the venue had an order of it and its answer was not out."""
    log = asked(requests)
    ends = {one["connection"]: one["ts_ns"] for one in log if one["what"] == "closed"}
    taken = [one for one in log if one["name"] == "order.place" and one["status"] == 200]
    return any(0 < ends.get(one["connection"], 0) - one["ts_ns"] < SLOW_MS * 1_000_000 for one in taken)


def test_orders_cut_off_before_their_answer_or_refused_with_429_are_accounted_for(home: Path) -> None:
    ledger, requests = home / "ledger", home / "requests"
    written = ("--ledger", str(ledger), "--requests", str(requests))
    faults = [
        *("--fault", f"slow-ack={SLOW_MS}:order.place"),
        *("--fault", f"slow-report={SLOW_MS}"),
        *("--fault", "disconnect=1.3@2:api"),
        *("--fault", "throttle=0.2:order.place"),
    ]
    with (
        sim_process("--seed", "7", *written, *faults) as sim,
        venue_session(sim.at, "cut", seconds=50) as session,
    ):
        until(requests.exists)
        until(lambda: cut_off(requests) and any(one["status"] == 429 for one in asked(requests)), 40)
        summary = session.stop()
    same_as_the_ledger(session, summary, ledger)
    placed = [one["client_order_id"] for one in asked(requests) if one["name"] == "order.place"]
    assert len(set(placed)) == len(placed), "no order is sent twice"
