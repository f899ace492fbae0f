"""Each fault does what it promises, and nothing else."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from pipeline.core.inputs import FrameRefused
from pipeline.core.types import BookState
from pipeline.sim.protocol.fault_plan import FaultPlan
from pipeline.sim.protocol.faults import EXAMPLES, Fault, FaultKind, parse_fault
from pipeline.sim.protocol.market_faults import crossed
from pipeline.wire.codec import MAX_FRAME_BYTES
from tests.fakes.sim_client import MS, FakeLink, SimClient
from tests.fakes.sim_market import SECOND, Follower
from tests.fakes.usdm_client import UsdmClient
from tests.fakes.venue import T0

DEPTH = "btcusdt@depth@100ms"


def faulty(*texts: str) -> SimClient:
    return SimClient(faults=tuple(parse_fault(text) for text in texts))


def update_ids(link: FakeLink) -> list[tuple[int, int]]:
    """(U, u) of the depth updates that came, and take them."""
    taken = [one["data"] for one in link.take() if one["stream"] == DEPTH]
    return [(one["U"], one["u"]) for one in taken]


def gaps(ids: list[tuple[int, int]]) -> int:
    return sum(first != before[1] + 1 for before, (first, _) in zip(ids, ids[1:], strict=False))


def heard(*faults: str, seconds: float = 20.0, stream: str = DEPTH) -> FakeLink:
    client = faulty(*faults)
    link, _ = client.listen(f"streams={stream}")
    client.run(seconds)
    return link


def test_without_faults_the_chain_is_whole() -> None:
    ids = update_ids(heard())
    assert (len(ids), gaps(ids)) == (200, 0)


def test_dropped_frames_are_missing() -> None:
    ids = update_ids(heard("drop=0.1"))
    assert 150 < len(ids) < 195
    assert gaps(ids) > 5


def test_duplicated_frames_come_twice() -> None:
    counts = Counter(update_ids(heard("duplicate=0.2")))
    assert len(counts) == 200
    assert Counter(counts.values())[2] in range(20, 65)


def test_reordered_frames_change_places_and_none_is_lost() -> None:
    ids = update_ids(heard("reorder=0.2"))
    assert ids != sorted(ids)
    assert len(set(ids)) == len(ids) >= 199


def test_a_book_under_faults_is_right_or_not_synced() -> None:
    client = faulty("drop=0.03", "duplicate=0.05", "reorder=0.03", "garbage=0.05")
    link, _ = client.listen(f"streams={DEPTH}")
    follower = Follower()
    follower.take(client.raw_depth(), client.now_ns)
    truth = {client.update_id: client.levels()}
    wrong, synced, snapshots = 0, 0, 0
    for _ in range(400):
        client.run(0.1)
        truth[client.update_id] = client.levels()
        for frame in link.frames:
            follower.take(frame, client.now_ns)
        link.frames = []
        book = follower.synced
        if book.is_synced:
            synced += 1
            expected = truth.get(book.last_update_id)
            wrong += expected is not None and book.book.top(10_000) != expected
        elif snapshots < 100:
            snapshots += 1
            follower.take(client.raw_depth(), client.now_ns)
    assert wrong == 0
    assert synced > 200
    assert follower.synced.gaps > 3
    assert any(isinstance(one, FrameRefused) for one in follower.others)


def test_silence_is_silence_of_one_channel_for_a_while() -> None:
    client = faulty("silence@1+2:depth")
    link, _ = client.listen(f"streams={DEPTH}/btcusdt@bookTicker")
    client.run(0.95)
    assert len(update_ids(link)) == 9
    client.run(2)
    taken = link.take()
    assert {one["stream"] for one in taken} == {"btcusdt@bookTicker"}
    client.run(1)
    assert len(update_ids(link)) >= 9


def test_garbage_comes_beside_the_frames_and_is_refused() -> None:
    client = faulty("garbage=0.3")
    link, _ = client.listen()
    follower = Follower()
    follower.take(client.raw_depth(), client.now_ns)
    client.run(10)
    for frame in link.frames:
        follower.take(frame, client.now_ns)
    refused = [one for one in follower.others if isinstance(one, FrameRefused)]
    assert len(refused) > 50
    assert len({one.reason for one in refused}) >= 3
    assert (follower.synced.state, follower.synced.gaps) == (BookState.SYNCED, 0)


def test_one_oversized_frame_comes_to_each_connection() -> None:
    client = faulty(f"oversized={MAX_FRAME_BYTES + 1}@0.5:depth")
    first, _ = client.listen()
    second, _ = client.listen()
    client.run(2)
    for link in (first, second):
        sizes = [len(frame) for frame in link.frames if len(frame) > 1_000_000]
        assert sizes == [MAX_FRAME_BYTES + 1]
        json.loads(next(frame for frame in link.frames if len(frame) > 1_000_000))


def test_connections_are_cut_at_their_time_and_again() -> None:
    client = faulty("disconnect=2@1")
    link, session = client.listen()
    client.run(0.9)
    assert not link.aborted
    client.run(0.2)
    assert link.aborted
    assert not client.link.aborted
    client.venue.leave(session)
    link, _ = client.listen()
    client.run(1.8)
    assert not link.aborted
    client.run(0.2)
    assert link.aborted


@pytest.mark.parametrize(("target", "market", "api"), [("api", False, True), ("all", True, True)])
def test_a_cut_may_be_aimed(target: str, market: bool, api: bool) -> None:
    client = faulty(f"disconnect@1:{target}")
    link, _ = client.listen()
    client.run(3)
    assert (link.aborted, client.link.aborted) == (market, api)


def test_a_lost_ack_is_an_order_that_exists() -> None:
    client = faulty("lost-ack")
    client.subscribe()
    assert client.place("BUY", client.touch()[0], newClientOrderId="lost") == {}
    (report,) = (one for one in client.events() if one["e"] == "executionReport")
    assert (report["x"], report["c"]) == ("NEW", "lost")
    found = client.signed("order.status", symbol="BTCUSDT", origClientOrderId="lost")
    assert found["result"]["status"] == "NEW"


def test_a_lost_ack_may_be_a_refusal_or_a_cancel() -> None:
    client = faulty("lost-ack=1:order.cancel")
    client.place("BUY", client.touch()[0], newClientOrderId="a")
    assert client.signed("order.cancel", symbol="BTCUSDT", origClientOrderId="a") == {}
    assert client.signed("openOrders.status")["result"] == []
    assert client.place("BUY", "1")["status"] == 400


def test_lost_answers_cut_a_rest_connection() -> None:
    client = faulty("lost-ack")
    how = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    assert client.http("POST", "/api/v3/order", signed=True, **how) is None
    assert client.exchange.ledger.sums("main", "BTCUSDT").bought_lots == 1_000


def test_a_slow_ack_comes_after_the_reports() -> None:
    client = faulty("slow-ack=500")
    client.subscribe()
    assert client.place("BUY", client.touch()[0]) == {}
    assert [one["e"] for one in client.events()] == ["executionReport", "outboundAccountPosition"]
    assert client.venue.next_ns is not None
    client.run(0.49)
    assert client.link.take() == []
    client.run(0.02)
    assert [one["status"] for one in client.link.take()] == [200]


def test_unknown_is_carried_out_and_says_so() -> None:
    client = faulty("unknown")
    answer = client.place("BUY", client.touch()[0])
    assert (answer["status"], answer["error"]["code"]) == (500, -1007)
    assert len(client.signed("openOrders.status")["result"]) == 1
    answered = client.http("POST", "/api/v3/order", signed=True, **MARKET)
    assert answered is not None
    assert answered.status == 500


MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


@pytest.mark.parametrize(("fault", "status", "code"), [("reject", 400, -2010), ("overload", 503, -1008)])
def test_refused_requests_are_not_carried_out(fault: str, status: int, code: int) -> None:
    client = faulty(f"{fault}@0+1")
    answer = client.place("BUY", client.touch()[0])
    assert (answer["status"], answer["error"]["code"]) == (status, code)
    assert client.signed("openOrders.status")["result"] == []
    assert client.signed("openOrders.cancelAll", symbol="BTCUSDT")["error"]["code"] == -2011
    client.run(1)
    assert client.place("BUY", client.touch()[0])["status"] == 200


def test_refusals_reach_rest_too() -> None:
    answer = faulty("reject").http("POST", "/api/v3/order", signed=True, **MARKET)
    assert answer is not None
    assert json.loads(answer.body)["code"] == -2010


def test_lost_reports_are_missing_from_the_user_stream_alone() -> None:
    client = faulty("lost-report=1:executionReport")
    client.subscribe()
    assert client.place("BUY", client.touch()[0])["status"] == 200
    assert [one["e"] for one in client.events()] == ["outboundAccountPosition"]


def test_the_same_seed_has_the_same_faults_and_each_connection_its_own() -> None:
    first, again = update_ids(heard("drop=0.2")), update_ids(heard("drop=0.2"))
    assert first == again
    client = faulty("drop=0.2")
    one, _ = client.listen(f"streams={DEPTH}")
    other, _ = client.listen(f"streams={DEPTH}")
    client.run(20)
    assert update_ids(one) != update_ids(other)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop", Fault(FaultKind.DROP, 0.01, 0, 1 << 62, "")),
        ("drop=0.5@1.5+2:depth", Fault(FaultKind.DROP, 0.5, 3 * SECOND // 2, 7 * SECOND // 2, "depth")),
        ("slow-ack=20", Fault(FaultKind.SLOW_ACK, 20.0, 0, 1 << 62, "order.")),
        ("lost-ack:order.cancel", Fault(FaultKind.LOST_ACK, 1.0, 0, 1 << 62, "order.cancel")),
    ],
)
def test_a_fault_is_read_as_written(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "drop=x", "drop=2", "drop=-1", "drop@", "drop+3", "oversized=99999999999", "drop:a b"],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="^fault "):
        parse_fault(text)


def test_cuts_end_with_their_time() -> None:
    plan = FaultPlan((parse_fault("disconnect=1@1+2"),), 0, T0)
    (fault,) = plan.faults
    times, at_ns = [], T0
    while (following := plan.next_due_ns(fault, at_ns)) is not None:
        times.append((following - T0) // MS)
        at_ns = following
    assert times == [1_000, 2_000]


def test_every_kind_has_an_example_that_is_read() -> None:
    assert set(EXAMPLES) == set(FaultKind)
    for kind, text in EXAMPLES.items():
        assert parse_fault(text).kind is kind


def test_one_gap_and_no_more() -> None:
    ids = update_ids(heard("gap@3"))
    assert gaps(ids) == 1


def test_a_crossed_frame_crosses_the_book_of_who_believes_it() -> None:
    client = faulty("crossed=1@5+0.15")
    link, _ = client.listen("streams=btcusdt@depth@100ms")
    follower = Follower()
    client.run(0.3)
    follower.take(client.raw_depth(), client.now_ns)
    states = set()
    for _ in range(80):
        client.run(0.1)
        for frame in link.frames:
            follower.take(frame, client.now_ns)
        link.frames.clear()
        states.add(follower.synced.state)
    assert BookState.CROSSED in states
    assert not follower.others, "nothing was refused"


@pytest.mark.parametrize(
    "frame",
    [
        b'{"e":"depthUpdate","b":[],"a":[["64000.10000000","1.00000000"]]}',
        b'{"e":"depthUpdate","b":[["64000.10","1.000"]],"a":[]}',
        b'{"e":"depthUpdate","b":[["64000","1"]],"a":[]}',
    ],
)
def test_a_crossed_frame_is_still_a_frame_on_the_grid(frame: bytes) -> None:
    bids = json.loads(crossed(frame))["b"]
    assert float(bids[0][0]) > 65_000
    assert bids[0][1].startswith("1")


def test_a_frame_without_prices_cannot_be_crossed() -> None:
    assert crossed(b'{"e":"depthUpdate","b":[],"a":[]}') == b'{"e":"depthUpdate","b":[],"a":[]}'
    assert crossed(b'{"e":"trade","b":[["1","1"]]}') == b'{"e":"trade","b":[["1","1"]]}'


def test_text_that_is_no_utf8_comes_beside_the_frames() -> None:
    frames = heard("bad-utf8=0.2").frames
    broken = [frame for frame in frames if b"\xff" in frame]
    assert broken
    for frame in broken:
        with pytest.raises(UnicodeDecodeError):
            frame.decode()
    assert gaps(update_ids_of([frame for frame in frames if b"\xff" not in frame])) == 0


def update_ids_of(frames: list[bytes]) -> list[tuple[int, int]]:
    link = FakeLink()
    link.frames = frames
    return update_ids(link)


def test_a_deaf_venue_neither_carries_out_nor_answers() -> None:
    client = faulty("deaf@0+1")
    assert client.place("BUY", client.touch()[0]) == {}
    assert client.http("POST", "/api/v3/order", symbol="BTCUSDT") is None
    assert client.exchange.orders.open_orders(1) == []
    client.run(1)
    assert client.place("BUY", client.touch()[0])["status"] == 200


@pytest.mark.parametrize(("delay", "status"), [(900, 200), (1_100, 400)])
def test_a_late_request_meets_its_window_when_it_arrives(delay: int, status: int) -> None:
    client = faulty(f"late-request={delay}")
    assert client.place("BUY", "60000.00") == {}, "recvWindow is 1000 ms"
    assert client.exchange.orders.open_orders(1) == []
    client.run(1.2)
    (answer,) = [one for one in client.link.take() if "id" in one]
    assert answer["status"] == status
    assert status == 200 or answer["error"]["code"] == -1021
    assert len(client.exchange.orders.open_orders(1)) == (status == 200)


def test_an_order_is_filled_while_its_cancel_is_under_way() -> None:
    client = faulty("late-fill=1")
    client.subscribe()
    client.place("BUY", "63000.00", "0.01000", newClientOrderId="a")
    refused = client.signed("order.cancel", symbol="BTCUSDT", origClientOrderId="a")
    assert refused["error"] == {"code": -2011, "msg": "Unknown order sent."}
    assert [(one["x"], one["X"]) for one in client.events() if one["e"] == "executionReport"] == [
        ("NEW", "NEW"),
        ("TRADE", "FILLED"),
    ]
    found = client.signed("order.status", symbol="BTCUSDT", origClientOrderId="a")["result"]
    assert (found["status"], found["executedQty"]) == ("FILLED", "0.01000000")


def test_a_part_of_an_order_is_filled_before_it_is_cancelled() -> None:
    client = faulty("late-fill=0.25:cancelAll")
    client.place("BUY", "63000.00", "0.01000")
    client.place("BUY", "63001.00", "0.02000")
    gone = client.signed("openOrders.cancelAll", symbol="BTCUSDT")["result"]
    assert [(one["status"], one["executedQty"]) for one in gone] == [
        ("CANCELED", "0.00250000"),
        ("CANCELED", "0.00500000"),
    ]


def test_reports_come_twice_or_late() -> None:
    client = faulty("double-report=1:executionReport", "slow-report=300:outboundAccountPosition")
    client.subscribe()
    client.place("BUY", client.touch()[0])
    assert [one["e"] for one in client.events()] == ["executionReport"] * 2
    client.run(0.31)
    assert "outboundAccountPosition" in [one["e"] for one in client.events()]


def test_user_streams_end_and_connections_stay() -> None:
    client = faulty("end-stream@2")
    client.subscribe()
    client.run(2.1)
    assert [one["e"] for one in client.events()] == ["eventStreamTerminated"]
    client.place("BUY", client.touch()[0])
    assert client.link.take() == []
    assert client.subscribe() == 1


def test_a_ban_lasts_as_long_as_the_fault() -> None:
    client = faulty("ban@1+2")
    assert client.ask("ping")["status"] == 200
    client.run(1)
    refused = client.ask("ping")
    assert (refused["status"], refused["error"]["code"]) == (418, -1003)
    assert refused["error"]["data"]["retryAfter"] == (T0 + 3 * SECOND) // MS
    answer = client.http("GET", "/api/v3/time", signed=False)
    assert answer is not None
    assert (answer.status, dict(answer.headers)["Retry-After"]) == (418, "2")
    client.run(2)
    assert client.ask("ping")["status"] == 200


def test_a_throttled_request_is_told_when_to_come_again() -> None:
    client = faulty("throttle=1")
    refused = client.place("BUY", client.touch()[0])
    assert (refused["status"], refused["error"]["code"]) == (429, -1003)
    assert refused["error"]["data"]["retryAfter"] > client.now_ms
    assert client.exchange.orders.open_orders(1) == []


def test_html_is_answered_with_status_200_and_nothing_is_done() -> None:
    client = faulty("html=1")
    answer = client.http("POST", "/api/v3/order", symbol="BTCUSDT")
    assert answer is not None
    assert (answer.status, answer.content_type, answer.body[:6]) == (200, "text/html", b"<html>")
    assert client.place("BUY", client.touch()[0]) == {}
    assert client.link.frames[-1].startswith(b"<html>")
    assert client.exchange.orders.open_orders(1) == []


def test_futures_say_closed_market_and_unknown_in_their_own_words() -> None:
    client = UsdmClient(faults=(parse_fault("reject=1@0+1"), parse_fault("unknown=1@1")))
    assert client.place("BUY", client.away("BUY"))["error"]["code"] == -1122
    client.run(1)
    unknown = client.place("BUY", client.away("BUY"), newClientOrderId="u")
    assert (unknown["status"], unknown["error"]["code"]) == (503, -1007)
    assert client.open_ids == ["u"], "it was carried out"
