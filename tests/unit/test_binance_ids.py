"""The ids by which two connections' events are told apart."""

from __future__ import annotations

import pytest

from pipeline.wire.binance_ids import FrameIds, frame_ids
from tests.fakes.market_builders import SPOT, USDM, depth_message, enveloped, ticker_message

TRADE = {"e": "trade", "s": "BTCUSDT", "t": 7, "p": "1", "q": "1", "T": 1, "m": True}
AGG_TRADE = {"e": "aggTrade", "s": "BTCUSDT", "a": 9, "p": "1", "q": "1", "T": 1, "m": True}


@pytest.mark.parametrize(
    ("message", "ids"),
    [
        (depth_message(10, 14, [(100, 5)], [(101, 5)], SPOT), FrameIds(9, 14)),
        (depth_message(10, 14, [(100, 5)], [], USDM, previous=6), FrameIds(6, 14, chained=True)),
        (ticker_message(33, (100, 5), (101, 5)), FrameIds(-1, 33)),
        (
            {"e": "bookTicker", "u": 34, "s": "BTCUSDT", "b": "1", "B": "1", "a": "2", "A": "1"},
            FrameIds(-1, 34),
        ),
        (TRADE, FrameIds(6, 7)),
        (AGG_TRADE, FrameIds(8, 9)),
    ],
)
def test_each_kind_of_event_has_its_ids(message: dict[str, object], ids: FrameIds) -> None:
    assert frame_ids(enveloped(message)) == ids


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"garbage",
        b"[1,2]",
        b'{"stream":"a"}',
        b'{"stream":"a","data":{"e":"markPriceUpdate"}}',
        b'{"stream":"a","data":{"e":"trade","t":"x"}}',
        b'{"stream":"a","data":{"e":"aggTrade","a":"9"}}',
        b'{"stream":"a","data":{"e":"depthUpdate","U":1}}',
        b"[" * 100_000,
    ],
)
def test_anything_else_has_none(frame: bytes) -> None:
    assert frame_ids(frame) is None
