"""The simulated venue's process: `python -P -m pipeline.sim.server_main [options]`, ended by Ctrl+C.

Prints where it can be reached and the key of its one account, and at the end what its ledger says. It listens
on loopback only; its keys are worth nothing anywhere else.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from pipeline.sim.opening import DEFAULT_SEED, open_live
from pipeline.sim.protocol.dialect import SPOT
from pipeline.sim.serving import Serving, line_sink, planted_words, run, sim_options

EXIT_USAGE = 2


def parser() -> argparse.ArgumentParser:
    """Give the options of the process."""
    found = argparse.ArgumentParser("pipeline.sim.server_main", description="The simulated exchange alone.")
    found.add_argument("--seed", type=int, default=DEFAULT_SEED)
    found.add_argument("--port", type=int, default=0, help="0: any free one")
    found.add_argument("--seconds", type=float, default=0.0, help="0: until a signal")
    found.add_argument("--venue", default=SPOT.venue, help="binance or binance-usdm")
    found.add_argument("--symbol", action="append", help="default BTCUSDT")
    found.add_argument("--pace", default="usual", help="usual or calm")
    found.add_argument("--informed", type=float, help="share of news somebody knows; default the pace's own")
    found.add_argument("--fees", default="0/0", help="MAKER/TAKER in basis points")
    found.add_argument("--fault", action="append", default=[], help="KIND[=AMOUNT][@START[+LENGTH]][:TARGET]")
    found.add_argument("--lifetime", type=float, default=86_400.0, help="seconds a connection lives")
    found.add_argument("--ledger", type=Path, help="append every entry of the ledger as a JSON line")
    found.add_argument("--requests", type=Path, help="append every request as a JSON line")
    found.add_argument("--json", action="store_true", help="say where it is reached as one JSON line")
    found.add_argument("--life-fd", type=int, default=-1, help="end when this pipe's other end is closed")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process; give its exit status."""
    given = parser().parse_args(arguments)
    try:
        options = sim_options(
            seed=given.seed,
            venue=given.venue,
            symbols=given.symbol or ("BTCUSDT",),
            pace=given.pace,
            informed=given.informed,
            fees=given.fees,
            faults=given.fault,
            lifetime_s=given.lifetime,
        )
        with ExitStack() as stack:
            sinks = line_sink(given.ledger, stack), line_sink(given.requests, stack)
            venue = open_live(options, time.time_ns(), *sinks)
            what = planted_words(options)
            serving = Serving(options, what, options.symbols, given.port, given.seconds, given.json)
            run(venue, serving, life_fd=given.life_fd)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"sim: {error}\n")
        return EXIT_USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main())
