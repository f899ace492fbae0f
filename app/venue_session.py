"""Sessions whose orders go to a venue: what `run_command` makes for live data, with the order path added.

`sim_session` is for a simulated venue that has printed where it is and with which key (`lobdeck sim --json`):
mode SIM, started in the authority asked for. It is the way `lobdeck demo` and tests trade at the sim.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass

import msgspec

from app.run_command import RunOptions, session_on_live_data
from pipeline.core.types import VenueMode
from pipeline.runtime.places import SessionPlace
from pipeline.runtime.session_numbers import next_session_number
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.venue_keys import write_keys
from pipeline.runtime.venue_params import VenueParams
from pipeline.wire.binance_requests import ApiKey

_SIM_KEYS = "sim-keys.toml"


@dataclass(frozen=True, slots=True)
class SimAddress:
    """Where a simulated venue takes orders and the key it printed, worth nothing anywhere else."""

    base_url: str
    api_url: str
    api_key: str
    secret: str


def sim_session(options: RunOptions, sim: SimAddress) -> tuple[SessionSpec, SessionPlace]:
    """Make a SIM session on the sim's market, its orders at the sim; nothing has been started yet.

    `options.base_url` is replaced by the sim's. The key goes into the session's own directory, 0600.

    Raises:
        OptionError: an option cannot be used.
        PlacesError: the session's directory or number cannot be made.
    """
    options = dataclasses.replace(options, base_url=sim.base_url)
    spec, place = session_on_live_data(options, VenueMode.SIM, next_session_number())
    keys = place.root / _SIM_KEYS
    with contextlib.suppress(FileNotFoundError):
        keys.unlink()
    write_keys(keys, ApiKey(sim.api_key, sim.secret))
    orders = VenueParams(api_url=sim.api_url, key_path=str(keys), account="sim")
    return msgspec.structs.replace(spec, orders=orders, planted=True), place
