"""`lobdeck demo`: a session on a simulated exchange that it starts and ends itself.

Everything is as on a real venue, over sockets on loopback: the feed, the signed orders, the account. Only the
flow is planted, at a pace a person can read and press a key at, and the model is the one fitted on it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from app.launch import load_console, start_session
from app.replay_command import bundled_model, parse_authority, run_headless
from app.run_command import RunOptions, session_on_live_data
from app.session_options import SessionOptions
from app.shell import require_terminal
from pipeline.core.types import VenueMode
from pipeline.runtime.places import SessionPlace
from pipeline.runtime.session_numbers import next_session_number
from pipeline.runtime.sim_params import SimParams
from pipeline.runtime.spec import SessionSpec

VENUE = "binance"
SYMBOL = "BTCUSDT"
MODEL = "calm-logit"
FEES = "0/0"
DEFAULTS: Final = MappingProxyType(
    {
        "execution.entry": "cross",
        "decision.entry_above_half": Decimal("0.15"),
        "decision.leave_above_half": Decimal("0.05"),
        "permits.drift_bps": Decimal(2),
    }
)
"""Settings a configuration may change. The spread is one tick and the exchange charges nothing: an order that
takes costs less than the move it waits for, one that rests behind the queue is mostly left standing. Entering
later and leaving later than usual makes the middle idea last five seconds. A jump is worth 1.3 basis points:
within 2 a permit pressed a moment before it still goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions(SessionOptions):
    """What the command line asked for."""

    seed: int = 7
    journal: bool = True


def run_demo(options: DemoOptions) -> int:
    """Run a demo to its end; give the exit status.

    Raises:
        OptionError: an option cannot be used.
        SimError: the exchange did not start.
    """
    if options.headless:
        return run_headless(*build_demo(options))
    parse_authority(options.authority)  # a wrong value is told before a missing terminal
    require_terminal()
    spec, place = build_demo(options)
    start_session(spec, place, load_console)
    from app.attach_command import attach_console

    return attach_console(place, watch=False, slow=options.slow)


def build_demo(options: DemoOptions) -> tuple[SessionSpec, SessionPlace]:
    """Turn options into a session's spec and its directory; nothing has been started yet.

    Raises:
        OptionError: an option cannot be used.
    """
    fees, model = options.fees or FEES, options.model or bundled_model(MODEL)
    given = {**options.given(), "fees": fees, "model": model}
    sim = SimParams(seed=given.pop("seed"), fees=fees)
    run = RunOptions(**given, venue=VENUE, symbols=(SYMBOL,))
    spec, place = session_on_live_data(
        run, VenueMode.SIM, next_session_number(), defaults=DEFAULTS, prefix="demo"
    )
    charged = tuple(
        dataclasses.replace(one, fees=dataclasses.replace(one.fees, source="venue"))
        for one in spec.params.instruments
    )
    params = msgspec.structs.replace(spec.params, instruments=charged)
    return msgspec.structs.replace(spec, params=params, sim=sim, planted=True), place
