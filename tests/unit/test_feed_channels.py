"""Which channels of a connection speak, and when it is given up."""

from __future__ import annotations

from pipeline.core.params import SECOND
from pipeline.runtime.feed_channels import ChannelNews, ChannelWatch
from pipeline.runtime.feed_endpoints import plan_routes
from tests.fakes.feeds import feed_params

OPENED = 1_000 * SECOND
DEPTH, TICKER, TRADE = b"btcusdt@depth@100ms", b"btcusdt@bookTicker", b"btcusdt@trade"


def watch(reported: dict[str, None] | None = None) -> ChannelWatch:
    plan = plan_routes("binance", ["BTCUSDT"], feed_params())[0]
    return ChannelWatch(plan.channels, feed_params(), OPENED, reported)


def speak(watched: ChannelWatch, at_s: float, *streams: bytes) -> None:
    for stream in streams:
        watched.channels[stream].last_ns = OPENED + int(at_s * SECOND)


def news(watched: ChannelWatch, at_s: float) -> list[tuple[str, bool, str]]:
    found: list[ChannelNews] = list(watched.news(OPENED + int(at_s * SECOND)))
    return [(one.plan.stream, one.up, one.reason) for one in found]


def test_a_channel_without_a_first_message_is_named_after_five_seconds() -> None:
    watched = watch()
    speak(watched, 1, DEPTH, TICKER)
    assert news(watched, 4.9) == []
    assert news(watched, 5) == [("btcusdt@trade", False, "no message within 5 s")]
    assert news(watched, 6) == [], "said once"
    speak(watched, 7, DEPTH, TICKER, TRADE)
    assert news(watched, 7) == [("btcusdt@trade", True, "")]


def test_a_depth_channel_is_silent_after_ten_seconds_a_trade_channel_after_sixty() -> None:
    watched = watch()
    speak(watched, 1, DEPTH, TICKER, TRADE)
    assert news(watched, 10.9) == []
    assert news(watched, 11) == [
        ("btcusdt@depth@100ms", False, "silent for 10 s"),
        ("btcusdt@bookTicker", False, "silent for 10 s"),
    ]
    assert news(watched, 61) == [("btcusdt@trade", False, "silent for 60 s")]


def test_what_the_connection_before_left_silent_is_up_only_when_it_speaks() -> None:
    reported: dict[str, None] = {"btcusdt@trade": None}
    watched = watch(reported)
    assert news(watched, 1) == []
    speak(watched, 2, TRADE)
    assert news(watched, 2) == [("btcusdt@trade", True, "")]
    assert reported == {}


def test_a_connection_that_brings_nothing_is_given_up() -> None:
    watched = watch()
    assert watched.deaf(OPENED + 29 * SECOND) == ""
    assert watched.deaf(OPENED + 30 * SECOND) == "no message for 30 s"


def test_one_dead_depth_channel_behind_a_busy_ticker_gives_the_connection_up() -> None:
    watched = watch()
    speak(watched, 1, DEPTH)
    speak(watched, 31, TICKER, TRADE)
    assert "btcusdt@depth@100ms silent while the ticker moves" in watched.deaf(OPENED + 31 * SECOND)


def test_a_quiet_symbol_is_no_reason_to_reconnect() -> None:
    watched = watch()
    speak(watched, 1, DEPTH, TICKER)
    speak(watched, 40, TRADE)
    assert watched.deaf(OPENED + 60 * SECOND) == ""
