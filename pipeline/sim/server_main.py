"""The simulated venue's process: `python -P -m pipeline.sim.server_main [options]`, ended by Ctrl+C.

Prints where it can be reached and the key of its one account, and at the end what its ledger says. It listens
on loopback only; its keys are worth nothing anywhere else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import msgspec
import uvloop

from pipeline.core.types import Fees
from pipeline.sim.exchange.ledger import Entry
from pipeline.sim.host import LOOPBACK, VenueHost
from pipeline.sim.opening import DEFAULT_SEED, SimOptions, account_summary, informed_flow, open_live
from pipeline.sim.protocol.faults import parse_fault
from pipeline.sim.protocol.venue import SimVenue

EXIT_USAGE = 2
_OVER_EVERY_S = 0.1


def addresses(port: int, options: SimOptions) -> dict[str, object]:
    """Give where a venue at a port is reached, and with which key."""
    key, secret = options.credentials
    base = f"ws://{LOOPBACK}:{port}"
    return {
        "base_url": base,
        "stream_url": f"{base}/stream",
        "api_url": f"{base}/ws-api/v3",
        "rest_url": f"http://{LOOPBACK}:{port}",
        "symbols": list(options.symbols),
        "seed": options.seed,
        "api_key": key,
        "secret": secret,
    }


def greeting(found: dict[str, object], what: str) -> str:
    """Give the addresses for a person."""
    symbols = found["symbols"]
    assert isinstance(symbols, list)
    streams = "/".join(f"{str(symbols[0]).lower()}@{name}" for name in ("depth@100ms", "bookTicker", "trade"))
    lines = [
        what,
        f"streams  {found['stream_url']}?streams={streams}",
        f"api      {found['api_url']}",
        f"rest     {found['rest_url']}/api/v3/",
        f"key      {found['api_key']}",
        f"secret   {found['secret']}",
        "Ctrl+C ends it.",
    ]
    return "\n".join(lines)


async def serve(
    venue: SimVenue,
    port: int,
    seconds: float,
    on_ready: Callable[[int], None],
    is_over: Callable[[], bool] = lambda: False,
) -> None:
    """Serve a venue until the time is up (0: never), a signal comes, or it is over.

    Raises:
        OSError: the port is taken.
    """
    host = VenueHost(venue)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    on_ready(await host.start(port))
    until_s = loop.time() + seconds if seconds else float("inf")
    while not (ended.is_set() or is_over() or loop.time() >= until_s):
        try:
            await asyncio.wait_for(ended.wait(), min(_OVER_EVERY_S, until_s - loop.time()))
        except TimeoutError:
            continue
    await host.stop()


def run(
    venue: SimVenue,
    options: SimOptions,
    what: str,
    *,
    port: int,
    seconds: float,
    as_json: bool,
    is_over: Callable[[], bool] = lambda: False,
) -> int:
    """Serve a venue from start to end, saying so on stdout; give the exit status."""

    def ready(at_port: int) -> None:
        found = addresses(at_port, options)
        print_line(json.dumps(found) if as_json else greeting(found, what))

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(venue, port, seconds, ready, is_over))
    except OSError as error:
        sys.stderr.write(f"sim: port {port}: {error.strerror or error}; choose another with --port\n")
        return EXIT_USAGE
    summary = account_summary(venue.market.exchange, [one.symbol for one in venue.market.listings])
    print_line(json.dumps(summary))
    return 0


def print_line(text: str) -> None:
    """Print at once, so that whoever started the process can read it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def ledger_sink(path: Path | None, stack: ExitStack) -> Callable[[Entry], None] | None:
    """Give what writes each entry of the ledger as a JSON line; None without a file."""
    if path is None:
        return None
    file = stack.enter_context(path.open("ab", buffering=0))
    return lambda entry: None if file.write(msgspec.json.encode(entry) + b"\n") else None


def parser() -> argparse.ArgumentParser:
    """Give the options of the process."""
    found = argparse.ArgumentParser("pipeline.sim.server_main", description="The simulated exchange alone.")
    found.add_argument("--seed", type=int, default=DEFAULT_SEED)
    found.add_argument("--port", type=int, default=0, help="0: any free one")
    found.add_argument("--seconds", type=float, default=0.0, help="0: until a signal")
    found.add_argument("--symbol", action="append", help="default BTCUSDT")
    found.add_argument("--informed", type=float, default=0.9, help="share of news somebody knows")
    found.add_argument("--fees", default="0/0", help="MAKER/TAKER in basis points")
    found.add_argument("--fault", action="append", default=[], help="KIND[=AMOUNT][@START[+LENGTH]][:TARGET]")
    found.add_argument("--lifetime", type=float, default=86_400.0, help="seconds a connection lives")
    found.add_argument("--ledger", type=Path, help="append every entry of the ledger as a JSON line")
    found.add_argument("--json", action="store_true", help="say where it is reached as one JSON line")
    return found


def options_of(given: argparse.Namespace) -> SimOptions:
    """Turn the command line into options.

    Raises:
        ValueError: a value cannot be used; the message says which.
    """
    if not 0.0 <= given.informed <= 1.0:
        raise ValueError(f"--informed {given.informed}: wanted 0 to 1")
    lifetime_ns = int(given.lifetime * 1e9)
    return SimOptions(
        seed=given.seed,
        symbols=tuple(given.symbol or ("BTCUSDT",)),
        fees=fees_of(given.fees),
        flow=informed_flow(given.informed),
        faults=tuple(parse_fault(text) for text in given.fault),
        lifetime_ns=lifetime_ns,
        notice_ns=min(600 * 10**9, lifetime_ns // 4),
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process; give its exit status."""
    given = parser().parse_args(arguments)
    try:
        options = options_of(given)
        with ExitStack() as stack:
            venue = open_live(options, time.time_ns(), ledger_sink(given.ledger, stack))
            what = (
                f"simulated exchange, seed {options.seed}: {', '.join(options.symbols)}; its flow is planted"
            )
            return run(venue, options, what, port=given.port, seconds=given.seconds, as_json=given.json)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"sim: {error}\n")
        return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main())
