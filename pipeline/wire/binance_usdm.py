"""Binance USD-M futures market data: `pu` = previous `u`, ids not consecutive, no checksum (VENUES 2)."""

from __future__ import annotations

from pipeline.core.inputs import RefusalReason
from pipeline.wire.binance import BinanceCodec
from pipeline.wire.binance_messages import Event
from pipeline.wire.fields import WireError

VENUE = "binance-usdm"


class BinanceUsdmCodec(BinanceCodec):
    """Reads depth, bookTicker, trade, aggTrade, REST and WebSocket-API snapshots of the futures.

    Trades of the insurance fund and of auto-deleveraging (`X` other than MARKET) are ignored.
    """

    venue = VENUE
    _chained = True

    def _previous_id(self, event: Event) -> int:
        if event.pu is None:
            raise WireError(RefusalReason.BAD_FIELD, "pu: missing; a spot frame where futures were expected")
        return event.pu
