"""What accounts are told of an event, as each venue prints it: (owner, name, frame) in order."""

from __future__ import annotations

from typing import assert_never

import msgspec

from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.order import AccountEvent, BalanceReport, OrderReport, PositionReport
from pipeline.sim.protocol import usdm_answers
from pipeline.sim.protocol.user_events import account_position, execution_report

Told = tuple[int, str, bytes]


def spot_events(event: AccountEvent) -> list[Told]:
    """Give what spot's user data stream says."""
    match event:
        case BalanceReport():
            return [_told(event.owner, account_position(event))]
        case OrderReport():
            return [_told(event.order.owner, execution_report(event))]
        case PositionReport():
            return []
        case _:
            assert_never(event)


def usdm_events(event: AccountEvent, exchange: Exchange) -> list[Told]:
    """Give what the futures' user data stream says; a fill comes first in its short form."""
    match event:
        case BalanceReport():
            return []
        case PositionReport():
            listing = exchange.markets[event.symbol].listing
            return [_told(event.owner, usdm_answers.account_update(event, listing))]
        case OrderReport():
            owner = event.order.owner
            lite = [_told(owner, usdm_answers.trade_lite(event))] if event.trade_id >= 0 else []
            return [*lite, _told(owner, usdm_answers.order_trade_update(event))]
        case _:
            assert_never(event)


def _told(owner: int, fields: dict[str, object]) -> Told:
    return owner, str(fields["e"]), msgspec.json.encode(fields)
