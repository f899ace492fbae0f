"""Whole books by request: one at a time, within the weight, and what a venue's refusals lead to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import pytest

from pipeline.core.params import SECOND
from pipeline.runtime.feed_snapshots import SnapshotFetcher, WeightBudget
from tests.fakes.feeds import Times, settle


def test_requests_wait_when_the_minute_is_spent() -> None:
    budget = WeightBudget(100)
    for at_s in (0, 10):
        assert budget.wait_ns(50, at_s * SECOND) == 0
        budget.spend(50, at_s * SECOND)
    assert budget.wait_ns(50, 20 * SECOND) == 40 * SECOND
    assert budget.wait_ns(100, 20 * SECOND) == 50 * SECOND
    assert budget.wait_ns(50, 60 * SECOND) == 0


def test_no_minute_ever_holds_more_than_the_budget() -> None:
    budget = WeightBudget(300)
    sent: list[int] = []
    now_ns = 0
    while now_ns < 600 * SECOND:
        wait_ns = budget.wait_ns(50, now_ns)
        if wait_ns:
            now_ns += wait_ns
            continue
        budget.spend(50, now_ns)
        sent.append(now_ns)
        now_ns += SECOND
    busiest = max(sum(50 for at in sent if begin <= at < begin + 60 * SECOND) for begin in sent)
    assert busiest == 300
    assert len(sent) >= 55


def test_the_venue_counts_more_than_we_do_when_others_share_the_address() -> None:
    budget = WeightBudget(100)
    budget.spend(10, 0)
    budget.correct(90, SECOND)
    assert budget.wait_ns(50, 2 * SECOND) > 0
    budget.correct(5, 3 * SECOND)
    assert budget.wait_ns(10, 3 * SECOND) == 0


def test_a_ban_is_waited_for() -> None:
    budget = WeightBudget(100)
    budget.close_for(30, 0)
    assert budget.wait_ns(1, 10 * SECOND) == 20 * SECOND


@dataclass
class Bench:
    """A fetcher whose venue is a function of the test."""

    answer: Callable[[httpx.Request], httpx.Response]
    per_minute: int = 1_000
    max_bytes: int = 1_000
    times: Times = field(default_factory=Times)
    books: list[tuple[str, bytes, int]] = field(default_factory=list)
    reports: list[tuple[bool, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[SnapshotFetcher]:
        async def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(str(request.url))
            return self.answer(request)

        fetcher = SnapshotFetcher(
            lambda symbol: f"http://venue/depth?symbol={symbol}",
            50,
            WeightBudget(self.per_minute),
            self.times.clock,
            lambda symbol, body, epoch: self.books.append((symbol, body, epoch)),
            lambda works, reason: self.reports.append((works, reason)),
            timeout_ms=1_000,
            max_bytes=self.max_bytes,
            transport=httpx.MockTransport(handle),
        )
        serving = asyncio.ensure_future(fetcher.serve())
        try:
            yield fetcher
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving


def ok(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b"{}")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_book_comes_with_the_epoch_it_was_asked_for() -> None:
    bench = Bench(ok)
    async with bench.running() as fetcher:
        fetcher.want("BTCUSDT", 3)
        await until(lambda: bool(bench.books))
    assert bench.books == [("BTCUSDT", b"{}", 3)]
    assert bench.reports == []


async def test_asking_again_while_it_waits_asks_once_with_the_newer_epoch() -> None:
    bench = Bench(ok)
    async with bench.running() as fetcher:
        for epoch in (1, 2, 1):
            fetcher.want("BTCUSDT", epoch)
        fetcher.want("ETHUSDT", 1)
        await until(lambda: len(bench.books) == 2)
        await settle()
    assert [(symbol, epoch) for symbol, _, epoch in bench.books] == [("BTCUSDT", 2), ("ETHUSDT", 1)]
    assert len(bench.asked) == 2


async def test_fifty_symbols_at_once_stay_within_the_weight() -> None:
    bench = Bench(ok, per_minute=500)
    async with bench.running() as fetcher:
        for number in range(50):
            fetcher.want(f"C{number}USDT", 1)
        await until(lambda: len(bench.books) == 10)
        for _ in range(20):
            await settle()
    assert len(bench.asked) == 10


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _: httpx.Response(500), "HTTP 500"),
        (
            lambda _: httpx.Response(400, content=b'{"code":-1121,"msg":"Invalid symbol."}'),
            "HTTP 400 (-1121: the venue knows no such symbol)",
        ),
        (lambda _: httpx.Response(503, content=b'{"code":-1008,"msg":"\x1b[2J"}'), "HTTP 503"),
        (lambda _: httpx.Response(403, content=b'{"code":-1003}'), "HTTP 403 (-1003)"),
        (lambda _: httpx.Response(502, content=b"x" * 5_000), "HTTP 502"),
        (lambda _: httpx.Response(451, content=b"\x1b[2Jnot here"), "HTTP 451"),
        (lambda _: httpx.Response(200, content=b"x" * 2_000), "a book over 1000 bytes"),
    ],
)
async def test_a_refusal_is_reported_and_brings_no_book(
    answer: Callable[[httpx.Request], httpx.Response], reason: str
) -> None:
    bench = Bench(answer)
    async with bench.running() as fetcher:
        fetcher.want("BTCUSDT", 1)
        await until(lambda: bool(bench.reports))
    assert bench.reports == [(False, f"BTCUSDT: {reason}")]
    assert fetcher.view("snapshots", 1).reason == f"BTCUSDT: {reason}"
    assert bench.books == []
    assert fetcher.failed == 1


async def test_a_venue_that_cannot_be_reached_is_reported_and_then_its_return() -> None:
    down = [True]

    def answer(request: httpx.Request) -> httpx.Response:
        if down.pop():
            down.append(False)
            raise httpx.ConnectError("no", request=request)
        down.append(False)
        return httpx.Response(200, content=b"{}")

    bench = Bench(answer)
    async with bench.running() as fetcher:
        fetcher.want("BTCUSDT", 1)
        await until(lambda: bool(bench.reports))
        fetcher.want("BTCUSDT", 1)
        await until(lambda: bool(bench.books))
    assert bench.reports == [(False, "BTCUSDT: cannot connect"), (True, "")]


async def test_too_many_requests_closes_the_service_for_as_long_as_the_venue_says() -> None:
    bench = Bench(lambda _: httpx.Response(429, headers={"Retry-After": "7"}))
    async with bench.running() as fetcher:
        fetcher.want("BTCUSDT", 1)
        await until(lambda: bool(bench.reports))
        assert fetcher._budget.wait_ns(50, bench.times.pass_s(1)) == pytest.approx(6 * SECOND, abs=1_000)
