"""One route kept open on a clock the test moves: loss, silence, storms, and the daily cut."""

from __future__ import annotations

from pipeline.core.params import SECOND
from tests.fakes.feeds import RouteBench, depth_frame, message, ticker_frame, trade_frame

DAY_S = 24 * 3_600


async def test_it_says_when_it_connects_and_is_up_with_the_first_message() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    assert bench.sink.said == [("stream", False, "connecting")]
    socket.say(depth_frame(1))
    assert bench.sink.said[-1] == ("stream", True, "")
    assert bench.sink.frames == [(depth_frame(1), 1)]


async def test_a_lost_connection_is_replaced_by_one_of_a_new_epoch() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    socket.say(depth_frame(1))
    socket.end("closed by the venue (1001)")
    assert bench.sink.said[-1] == ("stream", False, "closed by the venue (1001)")
    assert bench.sink.statuses[-1].depth
    await bench.pass_s(0.4)
    bench.venue.open[0].say(depth_frame(2))
    assert bench.sink.frames[-1] == (depth_frame(2), 2)


async def test_a_venue_that_refuses_is_tried_within_the_budget_and_found_again() -> None:
    bench = RouteBench(chance=0.1)
    bench.venue.refuses = True
    bench.route.start()
    await bench.pass_s(600)
    assert bench.venue.attempts == 30
    assert bench.sink.said[-1] == ("stream", False, "nothing listens at venue:80")
    bench.venue.refuses = False
    await bench.pass_s(700, step_s=1)
    assert len(bench.venue.open) == 1


async def test_what_it_waits_for_can_be_seen() -> None:
    bench = RouteBench(chance=0.9)
    bench.venue.refuses = True
    bench.route.start()
    await bench.pass_s(0.1)
    view = bench.route.view(bench.times.pass_s(0))
    assert (view.name, view.up, view.reason) == ("stream", False, "nothing listens at venue:80")
    assert 300 < view.retry_ms <= 450
    bench.venue.refuses = False
    await bench.pass_s(0.6)
    bench.venue.open[0].say(depth_frame(1))
    view = bench.route.view(bench.times.pass_s(0))
    assert (view.up, view.reason, view.retry_ms, view.silent) == (True, "", -1, ())
    await bench.pass_s(6)
    assert bench.route.view(bench.times.pass_s(0)).silent == ("btcusdt@bookTicker", "btcusdt@trade")


async def test_a_venue_that_had_too_much_is_left_alone_for_as_long_as_it_says() -> None:
    bench = RouteBench(chance=0.1)
    bench.venue.refuses, bench.venue.wait_s = True, 40
    bench.route.start()
    await bench.pass_s(39)
    assert bench.venue.attempts == 1
    assert bench.route.view(bench.times.pass_s(0)).retry_ms <= 2_000
    await bench.pass_s(3)
    assert bench.venue.attempts == 2


async def test_the_most_that_waited_unread_is_kept() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    socket.waiting_bytes = 7_000
    await bench.pass_s(0.1)
    socket.waiting_bytes = 0
    await bench.pass_s(0.1)
    assert bench.route.counts.most_waiting_bytes == 7_000


async def test_three_messages_refused_within_ten_seconds_replace_the_connection() -> None:
    bench = RouteBench(ping_after_ms=60_000)
    socket = await bench.opened()
    bench.sink.believes = False
    for _ in range(2):
        socket.say(b"garbage")
    await bench.pass_s(11)
    socket.say(b"garbage")
    assert not socket.closed, "two of the three are too old"
    for _ in range(2):
        socket.say(b"garbage")
    assert socket.closed
    assert bench.sink.said[-1] == ("stream", False, "3 messages refused")


async def test_silence_is_asked_about_and_given_up_without_an_answer() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    socket.say(depth_frame(1))
    await bench.pass_s(5.2)
    assert socket.pings == 1
    assert not socket.closed
    await bench.pass_s(5)
    assert socket.closed
    assert ("stream", False, "no answer to a ping") in bench.sink.said


async def test_a_connection_that_answers_pings_and_brings_nothing_goes_after_half_a_minute() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    socket.say(depth_frame(1))
    for _ in range(29):
        await bench.pass_s(1)
        socket.heard_ns = bench.times.clock.now_ns()
    assert not socket.closed
    await bench.pass_s(2)
    assert ("stream", False, "no message for 30 s") in bench.sink.said


async def test_a_channel_that_never_speaks_is_named() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    for number in range(60):
        socket.say(depth_frame(number))
        socket.say(ticker_frame(number))
        await bench.pass_s(0.1)
    assert ("btcusdt@trade", False, "no message within 5 s") in bench.sink.said
    said = [status for status in bench.sink.statuses if status.channel == "btcusdt@trade"]
    assert [(status.symbol, status.depth) for status in said] == [("BTCUSDT", False)]


async def test_a_close_delivers_nothing_more_and_opens_nothing_more() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    bench.route.close()
    socket.say(depth_frame(1))
    await bench.pass_s(5)
    assert socket.closed
    assert bench.sink.frames == []
    assert bench.venue.attempts == 1


class Stream:
    """One venue's events, delivered to every open connection."""

    def __init__(self, bench: RouteBench) -> None:
        self.bench = bench
        self.number = 0

    def step(self) -> None:
        self.number += 1
        for socket in [*self.bench.venue.open]:
            for frame in (depth_frame, trade_frame, ticker_frame):
                socket.say(frame(self.number))

    async def run(self, seconds: float, step_s: float) -> None:
        for _ in range(int(seconds / step_s)):
            self.step()
            await self.bench.pass_s(step_s, step_s)

    def passed(self, frame: bytes) -> list[int]:
        """Give the ids that passed of the channel a frame belongs to, in order."""
        name = frame.split(b'"')[3]
        ours = [payload for payload, _ in self.bench.sink.frames if payload.split(b'"')[3] == name]
        marker = b'"t":' if b'"t":' in frame else b'"u":'
        return [int(payload.split(marker)[1].split(b",")[0]) for payload in ours]


async def test_three_days_pass_three_cuts_without_a_gap_or_a_new_epoch() -> None:
    bench = RouteBench(deaf_ms=600_000, ping_after_ms=600_000)
    await bench.opened()
    stream = Stream(bench)
    await stream.run(3 * DAY_S, 60)
    assert bench.route.counts.bridged == 3
    assert {epoch for _, epoch in bench.sink.frames} == {1}
    for frame in (depth_frame(1), trade_frame(1)):
        assert stream.passed(frame) == list(range(1, stream.number + 1))
    downs = [said for said in bench.sink.said if said[:2] == ("stream", False)]
    assert downs == [("stream", False, "connecting")]
    assert len(bench.venue.open) == 1


async def test_a_venue_that_announces_its_end_is_left_in_good_time() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    stream = Stream(bench)
    await stream.run(2, 0.1)
    socket.say(b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}')
    await stream.run(2, 0.1)
    assert socket.closed
    assert bench.route.counts.bridged == 1
    assert bench.route.epoch == 1
    assert stream.passed(depth_frame(1)) == list(range(1, stream.number + 1))


async def test_a_notice_on_a_new_connection_waits_until_it_is_five_seconds_old() -> None:
    bench = RouteBench(notice_age_ms=5_000)
    socket = await bench.opened()
    socket.say(message("!serverShutdown", '{"e":"serverShutdown"}'))
    stream = Stream(bench)
    await stream.run(4.5, 0.1)
    assert bench.venue.attempts == 1
    await stream.run(1, 0.1)
    assert bench.venue.attempts == 2


async def test_a_notice_that_comes_while_bridging_is_not_forgotten() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    socket.say(depth_frame(1))
    socket.say(message("!serverShutdown", '{"e":"serverShutdown"}'))
    await bench.pass_s(0.2)
    bench.venue.sockets[1].say(message("!serverShutdown", '{"e":"serverShutdown"}'))
    await Stream(bench).run(8, 0.1)
    assert bench.route.counts.bridged >= 2
    assert {epoch for _, epoch in bench.sink.frames} == {1}


async def test_an_old_connection_that_dies_before_the_books_moved_starts_them_anew() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    socket.say(depth_frame(1))
    socket.say(message("!serverShutdown", '{"e":"serverShutdown"}'))
    await bench.pass_s(0.2)
    rising = bench.venue.sockets[1]
    socket.end()
    rising.say(depth_frame(9))
    assert bench.sink.frames[-1] == (depth_frame(9), 2)
    assert bench.sink.said[-2:] == [("stream", False, "connection lost"), ("stream", True, "")]


async def test_an_old_connection_that_dies_after_the_books_moved_costs_nothing() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    for frame in (depth_frame(1), trade_frame(1)):
        socket.say(frame)
    socket.say(message("!serverShutdown", '{"e":"serverShutdown"}'))
    await bench.pass_s(0.2)
    rising = bench.venue.sockets[1]
    rising.say(depth_frame(2))
    socket.end()
    rising.say(depth_frame(3))
    assert [epoch for _, epoch in bench.sink.frames][-2:] == [1, 1]
    assert not any(said == ("stream", False, "connection lost") for said in bench.sink.said)


async def test_a_new_connection_that_never_joins_is_given_up_and_tried_again_later() -> None:
    bench = RouteBench(overlap_ms=5_000, overlap_retry_ms=20_000, ping_after_ms=600_000, deaf_ms=600_000)
    socket = await bench.opened()
    socket.say(depth_frame(1))
    socket.say(message("!serverShutdown", '{"e":"serverShutdown"}'))
    for number in range(2, 80):
        socket.say(depth_frame(number))
        await bench.pass_s(0.1)
    assert bench.venue.sockets[1].closed
    assert not socket.closed
    assert bench.venue.attempts == 2
    for number in range(80, 280):
        socket.say(depth_frame(number))
        await bench.pass_s(0.1)
    assert bench.venue.attempts == 3
    assert {epoch for _, epoch in bench.sink.frames} == {1}


async def test_a_new_connection_that_fails_leaves_the_old_one_alone() -> None:
    bench = RouteBench()
    socket = await bench.opened()
    socket.say(depth_frame(1))
    bench.venue.refuses = True
    socket.say(message("!serverShutdown", '{"e":"serverShutdown"}'))
    for number in range(2, 30):
        socket.say(depth_frame(number))
        await bench.pass_s(0.1)
    assert not socket.closed
    assert bench.sink.frames[-1] == (depth_frame(29), 1)
    assert bench.sink.statuses[-1].up
    assert bench.sink.statuses[0].ts_ns > SECOND
