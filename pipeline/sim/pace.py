"""How fast the simulated market lives: one model of flow, two named sets of its numbers.

`usual` is as fast as the recorded spot market: what the queues announce comes within a second or two, sooner
than a person can read a card and press a key. `calm` is as slow as a quiet hour on a perpetual: whoever knows
leans for seconds. It also opens with news somebody knows, so that whoever starts a demo sees an idea soon.
docs/SIM.md has both curves beside the recorded ones.
"""

from __future__ import annotations

import enum
from dataclasses import replace

from pipeline.sim.news import NewsParams
from pipeline.sim.order_flow import FlowParams


class Pace(enum.StrEnum):
    """Names of the sets."""

    USUAL = "usual"
    CALM = "calm"


_CALM = FlowParams(
    news=NewsParams(
        informed=0.8,
        rumour=0.2,
        patience_s=3.0,
        lead_s=(4.0, 8.0),
        takes_s=(0.3, 1.2),
        opens_s=(4.0, 5.0),
    ),
    taker_hz=3.0,
    patient_lean=0.0,
)
_FLOWS = {Pace.USUAL: FlowParams(), Pace.CALM: _CALM}


def paced_flow(pace: Pace, informed: float | None = None) -> FlowParams:
    """Give the flow of a pace, with another share of news somebody knows beforehand where one is given."""
    flow = _FLOWS[pace]
    return flow if informed is None else replace(flow, news=replace(flow.news, informed=informed))
