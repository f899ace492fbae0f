"""Serves a simulated venue: announces where it is, waits, closes, prints what its ledger says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec
import uvloop

from pipeline.core.types import Fees
from pipeline.sim.host import LOOPBACK, VenueHost
from pipeline.sim.opening import SimOptions, account_summary
from pipeline.sim.pace import Pace, paced_flow
from pipeline.sim.protocol.dialect import DIALECTS, SPOT
from pipeline.sim.protocol.faults import parse_fault
from pipeline.sim.protocol.venue import SimVenue

MOST_NOTICE_NS = 600 * 10**9
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Serving:
    """How a venue is served, and how it is announced."""

    options: SimOptions
    what: str
    """One line on what this is."""
    symbols: tuple[str, ...]
    port: int = 0
    seconds: float = 0.0
    """0: until a signal."""
    as_json: bool = False


def run(
    venue: SimVenue, serving: Serving, is_over: Callable[[], bool] = lambda: False, life_fd: int = -1
) -> bool:
    """Serve a venue, saying so on stdout; say whether it ended because it was over.

    `life_fd` is the reading end of a pipe whose other end whoever started the process holds; it is not
    negative where the venue shall end with that process, however that ends.

    Raises:
        OSError: the port is taken; the message names it.
    """

    def ready(port: int) -> None:
        found = addresses(port, serving)
        _print_line(json.dumps(found) if serving.as_json else greeting(found, serving.what))

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            over = runner.run(serve(venue, serving.port, serving.seconds, ready, is_over, life_fd))
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"port {serving.port}: {reason}; choose another with --port") from error
    _print_line(json.dumps(account_summary(venue.market.exchange, serving.symbols)))
    return over


async def serve(
    venue: SimVenue,
    port: int,
    seconds: float,
    on_ready: Callable[[int], None],
    is_over: Callable[[], bool] = lambda: False,
    life_fd: int = -1,
) -> bool:
    """Serve until time (0: never), a signal, the end of the pipe, or it is over; say whether it was over.

    Raises:
        OSError: the port is taken.
    """
    host = VenueHost(venue)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if life_fd >= 0:
        # Nothing is ever written into the pipe: readable means that its other end is closed.
        loop.add_reader(life_fd, ended.set)
    on_ready(await host.start(port))
    until_s = loop.time() + seconds if seconds else float("inf")
    while not (ended.is_set() or is_over() or loop.time() >= until_s):
        try:
            await asyncio.wait_for(ended.wait(), min(_LOOK_EVERY_S, until_s - loop.time()))
        except TimeoutError:
            continue
    await host.stop()
    return is_over()


def addresses(port: int, serving: Serving) -> dict[str, object]:
    """Give where a venue at a port is reached, and with which key."""
    key, secret = serving.options.credentials
    base = f"ws://{LOOPBACK}:{port}"
    return {
        "venue": serving.options.venue,
        "base_url": base,
        "stream_url": f"{base}/stream",
        "api_url": f"{base}{serving.options.dialect.api_path}",
        "rest_url": f"http://{LOOPBACK}:{port}",
        "symbols": list(serving.symbols),
        "seed": serving.options.seed,
        "api_key": key,
        "secret": secret,
    }


def greeting(found: dict[str, object], what: str) -> str:
    """Give the addresses for a person."""
    lines = [
        what,
        f"base    {found['base_url']}",
        f"api     {found['api_url']}",
        f"rest    {found['rest_url']}{DIALECTS[str(found['venue'])].rest_roots[0]}",
        f"key     {found['api_key']}",
        f"secret  {found['secret']}",
        "Ctrl+C ends it.",
    ]
    return "\n".join(lines)


def planted_words(options: SimOptions) -> str:
    """Say what a venue that trades by itself is."""
    symbols = ", ".join(options.symbols)
    return f"simulated {options.venue}, seed {options.seed}: {symbols}; its flow is planted"


def sim_options(
    *,
    seed: int,
    symbols: Sequence[str],
    venue: str = SPOT.venue,
    pace: str,
    informed: float | None,
    fees: str,
    faults: Sequence[str],
    lifetime_s: float,
) -> SimOptions:
    """Turn what a command line says into options.

    Raises:
        ValueError: a value cannot be used; the message says which.
    """
    if venue not in DIALECTS:
        raise ValueError(f"--venue {venue[:40]}: wanted one of {', '.join(DIALECTS)}")
    if pace not in list(Pace):
        raise ValueError(f"--pace {pace[:20]}: wanted {' or '.join(Pace)}")
    if informed is not None and not 0.0 <= informed <= 1.0:
        raise ValueError(f"--informed {informed}: wanted 0 to 1")
    if lifetime_s <= 0:
        raise ValueError(f"--lifetime {lifetime_s}: wanted seconds above 0")
    lifetime_ns = int(lifetime_s * 1e9)
    return SimOptions(
        seed=seed,
        venue=venue,
        symbols=tuple(symbols),
        fees=fees_of(fees),
        flow=paced_flow(Pace(pace), informed),
        faults=tuple(parse_fault(text) for text in faults),
        lifetime_ns=lifetime_ns,
        notice_ns=min(MOST_NOTICE_NS, lifetime_ns // 4),
    )


def fees_of(text: str) -> Fees:
    """Read MAKER/TAKER in basis points, with at most two decimals; negative is a rebate.

    Raises:
        ValueError: it is no such text.
    """
    found = re.fullmatch(r"(-?\d{1,3}(?:\.\d{1,2})?)/(-?\d{1,3}(?:\.\d{1,2})?)", text)
    if found is None:
        raise ValueError(f"--fees {text[:40]}: wanted MAKER/TAKER in basis points, like 2/5")
    maker_e6, taker_e6 = (int(Decimal(rate) * 100) for rate in found.groups())
    return Fees(maker_e6, taker_e6, "venue")


def line_sink(path: Path | None, stack: ExitStack) -> Callable[[msgspec.Struct], None] | None:
    """Give what appends each entry to a file as a JSON line; None without a file."""
    if path is None:
        return None
    file = stack.enter_context(path.open("ab", buffering=0))

    def write(entry: msgspec.Struct) -> None:
        file.write(msgspec.json.encode(entry) + b"\n")

    return write


def _print_line(text: str) -> None:
    """Print at once, so that whoever started the process can read it; nobody reads once that is gone."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
