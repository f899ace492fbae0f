"""`lobdeck drill kill`: a rehearsed kill at the simulated exchange, with the engine hung and orders working.

A session and its guard are started, orders are put under the session's name, the engine is stopped as a hang
would stop it, and the gate is closed and latched as the kill key does. Measured are key to gate, gate to the
last cancel and gate to NO ORDERS LEFT; the figures are kept, so that next month's can be held against them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec

from app.launch import start_session
from app.run_command import RunOptions
from app.shell import controlling_tty, operator
from app.venue_session import sim_session
from pipeline.core.order import client_order_id
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.guard_report import GuardReport, read_report
from pipeline.runtime.places import SessionPlace, home_dir, new_session_name
from pipeline.runtime.sim_child import SimAddress, SimChild
from pipeline.runtime.sim_params import SimParams
from pipeline.wire.binance_signing import signed_query

SYMBOL = "BTCUSDT"
FAR_PRICE, QUANTITY = "58000.00", "0.001"
MOST_ORDERS = 50
"""What the exchange takes in ten seconds."""
HISTORY_NAME = "drills.jsonl"
SHOWN = 5
GATE_MS, CANCELED_MS, ZERO_MS = 20.0, 1_500.0, 3_000.0
"""The drill's limits: key to gate; gate to the last cancel; gate to the venue's last zero."""
_READY_S, _DONE_S, _LOOK_S = 20.0, 15.0, 0.002


class DrillError(Exception):
    """The drill could not be held; one line says why."""


class DrillResult(msgspec.Struct, frozen=True):
    """One drill, as its line in the history says it; times in ms."""

    ts_ns: int
    who: str
    orders: int
    cancels: int
    gate_ms: float
    canceled_ms: float
    zero_ms: float
    ok: bool


def run_drill(orders: int, say: Callable[[str], None]) -> int:
    """Hold the drill, say what it measured, keep it; give 0 within the limits, 3 beyond them.

    Raises:
        DrillError: it could not be held.
        OSError: no directory, no process.
    """
    if not 1 <= orders <= MOST_ORDERS:
        raise DrillError(f"--orders {orders}: wanted 1 to {MOST_ORDERS}")
    name = new_session_name("drill")
    root = home_dir() / "sessions" / name
    sim = SimChild(SimParams(), (SYMBOL,), root)
    try:
        result = _held(orders, name, sim.address())
    finally:
        sim.close()
    history = home_dir() / HISTORY_NAME
    for line in (*_words(result), "", "drills so far, newest last:", *_kept(history, result)):
        say(line)
    return 0 if result.ok else 3


def _held(orders: int, name: str, address: SimAddress) -> DrillResult:
    options = RunOptions(
        venue="binance", symbols=(SYMBOL,), name=name, authority="observe", headless=True, workers=1
    )
    spec, place = sim_session(options, address)
    process = start_session(spec, place)
    try:
        _wait(place, lambda report: report.phase == "watching" and report.venue_up, _READY_S, "no guard")
        os.kill(process.pid, signal.SIGSTOP)
        _place(address, spec.params.session_number, orders)
        return _killed(place, orders)
    finally:
        _end(process)


def _killed(place: SessionPlace, orders: int) -> DrillResult:
    gate, witness = Gate.attach(place.root), Gate.attach(place.root)
    who, tty, wall_ns = operator(), controlling_tty(), time.time_ns()
    began_s = time.monotonic()
    gate.close(Closer.SHELL, who, tty, "drill", wall_ns, kill=True)
    closed = not witness.is_open()
    gate_ms = (time.monotonic() - began_s) * 1_000
    gate.latch(who, tty, "drill", wall_ns)
    _wait(place, lambda report: report.cancels_sent >= orders and report.ours_left == 0, _DONE_S, "not gone")
    canceled_ms = (time.monotonic() - began_s) * 1_000
    report = _wait(place, lambda report: report.confirmed, _DONE_S, "not confirmed")
    zero_ms = (time.monotonic() - began_s) * 1_000
    gate.detach()
    witness.detach()
    ok = closed and gate_ms <= GATE_MS and canceled_ms <= CANCELED_MS and zero_ms <= ZERO_MS
    return DrillResult(wall_ns, who, orders, report.cancels_sent, gate_ms, canceled_ms, zero_ms, ok)


def _place(address: SimAddress, number: int, orders: int) -> None:
    base = address.base_url.replace("ws", "http", 1)
    with httpx.Client(base_url=base, headers={"X-MBX-APIKEY": address.api_key}) as client:
        for count in range(orders):
            params = {
                **{"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"},
                **{"price": FAR_PRICE, "quantity": QUANTITY, "recvWindow": "5000"},
                "newClientOrderId": client_order_id(number, count),
                "timestamp": str(time.time_ns() // 1_000_000),
            }
            answer = client.post(f"/api/v3/order?{signed_query(address.secret, params)}")
            if answer.status_code != httpx.codes.OK:
                raise DrillError(f"drill: the exchange refused order {count + 1}: {answer.text[:120]}")


def _wait(
    place: SessionPlace, holds: Callable[[GuardReport], bool], timeout_s: float, what: str
) -> GuardReport:
    deadline_s = time.monotonic() + timeout_s
    while True:
        report = read_report(place.root)
        if report is not None and holds(report):
            return report
        if time.monotonic() > deadline_s:
            raise DrillError(f"drill: {what} within {timeout_s:.0f} s (logs in {place.root})")
        time.sleep(_LOOK_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()


def _words(result: DrillResult) -> tuple[str, ...]:
    rows = (
        ("key to gate", result.gate_ms, GATE_MS),
        ("gate to last cancel listed gone", result.canceled_ms, CANCELED_MS),
        ("gate to NO ORDERS LEFT", result.zero_ms, ZERO_MS),
    )
    return (
        f"drill kill: {result.orders} orders working, engine stopped, {result.cancels} cancels by the guard",
        *(f"  {what:<32} {ms:9.1f} ms   limit {most:6.0f} ms" for what, ms, most in rows),
        f"  {'within the limits' if result.ok else 'BEYOND THE LIMITS'}",
    )


def _kept(history: Path, result: DrillResult) -> list[str]:
    """Add a drill to the history; give its newest lines for a person."""
    with history.open("ab") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(msgspec.json.encode(result) + b"\n")
    shown = []
    for line in history.read_bytes().splitlines()[-SHOWN:]:
        with contextlib.suppress(msgspec.MsgspecError):
            one = msgspec.json.decode(line, type=DrillResult)
            when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.ts_ns / 1e9))
            times = f"{one.gate_ms:.1f} / {one.canceled_ms:.0f} / {one.zero_ms:.0f} ms"
            shown.append(
                f"  {when}Z  {one.orders} orders  {times}  {'ok' if one.ok else 'BEYOND'}  {one.who}"
            )
    return shown
