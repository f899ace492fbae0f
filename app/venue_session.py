"""Sessions whose orders go to a venue: what `run_command` makes for live data, with the order path added.

`sim_session` is for a simulated venue that has printed where it is and with which key (`lobdeck sim --json`):
mode SIM, started in the authority asked for. It is how tests trade at a sim of their own; the one of
`lobdeck demo` is started by its session.
"""

from __future__ import annotations

import dataclasses

import msgspec

from app.run_command import RunOptions, session_on_live_data
from pipeline.core.types import VenueMode
from pipeline.runtime.places import SessionPlace
from pipeline.runtime.session_numbers import next_session_number
from pipeline.runtime.sim_child import SimAddress, orders_at
from pipeline.runtime.spec import SessionSpec


def sim_session(options: RunOptions, sim: SimAddress) -> tuple[SessionSpec, SessionPlace]:
    """Make a SIM session on the sim's market, its orders at the sim; nothing has been started yet.

    `options.base_url` is replaced by the sim's. The key goes into the session's own directory, 0600.

    Raises:
        OptionError: an option cannot be used.
        PlacesError: the session's directory or number cannot be made.
    """
    options = dataclasses.replace(options, base_url=sim.base_url)
    spec, place = session_on_live_data(options, VenueMode.SIM, next_session_number())
    return msgspec.structs.replace(spec, orders=orders_at(sim, place.root), planted=True), place
