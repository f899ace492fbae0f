"""Whole books by request: one at a time, within a budget of the venue's request weight.

The engine asks (`RequestSnapshot`) and asks again by itself when nothing comes, so a request that fails is
not repeated here. Answers go in like any raw frame. After an outage every symbol wants its book at once;
they are served in the order they asked, as the weight allows. The venue's own word on weight
(`X-MBX-USED-WEIGHT-1M`) and on waiting (`Retry-After`) counts more than ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Callable

import httpx
import msgspec

from pipeline.core.params import MS, SECOND
from pipeline.core.snapshot import FeedView
from pipeline.runtime.clock import SessionClock

MINUTE_NS = 60 * SECOND
_LONGEST_BAN_S = 3_600
_USED_WEIGHT = "x-mbx-used-weight-1m"
_MOST_REFUSAL = 2_048
_NO_SYMBOL = -1_121


class _Refusal(msgspec.Struct):
    code: int


class WeightBudget:
    """A sliding minute of request weight; times are the session's, in nanoseconds."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._spent: deque[tuple[int, int]] = deque()
        self._total = 0
        self._closed_until_ns = 0

    def wait_ns(self, weight: int, now_ns: int) -> int:
        """Give how long a request of this weight must wait; 0 for none."""
        self._forget(now_ns)
        wait_ns = max(0, self._closed_until_ns - now_ns)
        over = self._total + weight - self._per_minute
        for spent_ns, spent in self._spent:
            if over <= 0:
                break
            over -= spent
            wait_ns = max(wait_ns, spent_ns + MINUTE_NS - now_ns)
        return wait_ns

    def spend(self, weight: int, now_ns: int) -> None:
        """Take note of a request being sent."""
        self._spent.append((now_ns, weight))
        self._total += weight

    def correct(self, used: int, now_ns: int) -> None:
        """Take the venue's own count for the running minute, where it is higher: others share the address."""
        self._forget(now_ns)
        if used > self._total:
            self.spend(used - self._total, now_ns)

    def close_for(self, seconds: int, now_ns: int) -> None:
        """Send nothing for a while: the venue said so."""
        self._closed_until_ns = max(self._closed_until_ns, now_ns + min(seconds, _LONGEST_BAN_S) * SECOND)

    def _forget(self, now_ns: int) -> None:
        while self._spent and now_ns - self._spent[0][0] >= MINUTE_NS:
            self._total -= self._spent.popleft()[1]


class SnapshotFetcher:
    """Fetches books for one venue; `want` queues, a task of its own serves."""

    def __init__(
        self,
        url_of: Callable[[str], str],
        weight: int,
        budget: WeightBudget,
        clock: SessionClock,
        deliver: Callable[[str, bytes, int], None],
        report: Callable[[bool, str], None],
        *,
        timeout_ms: int,
        max_bytes: int,
        tls: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare; `deliver` gets symbol, body and epoch, `report` whether the service works and why not.

        `tls` None is for a service without TLS; making a client loads certificates, so it is made here.
        """
        self.asked = self.answered = self.failed = 0
        self._url_of = url_of
        self._weight = weight
        self._budget = budget
        self._clock = clock
        self._deliver = deliver
        self._report = report
        self._timeout_ms = timeout_ms
        self._max_bytes = max_bytes
        timeout = httpx.Timeout(timeout_ms / 1000)
        self._client = httpx.AsyncClient(timeout=timeout, verify=tls or False, transport=transport)
        self._wanted: dict[str, int] = {}
        self._in_flight: tuple[str, int] | None = None
        self._wake = asyncio.Event()
        self._works = True
        self._reason = ""

    def want(self, symbol: str, epoch: int) -> None:
        """Ask for a symbol's book; one that is waiting or on its way already is not asked for twice."""
        if self._in_flight == (symbol, epoch):
            return
        self._wanted[symbol] = max(epoch, self._wanted.get(symbol, 0))
        self._wake.set()

    async def serve(self) -> None:
        """Serve requests until cancelled."""
        async with self._client as client:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._wanted:
                    await self._turn()
                    await self._serve_next(client)

    def view(self, name: str, now_ns: int) -> FeedView:
        """Give how the service stands: well, or why not; and how long what is wanted must wait."""
        wait_ns = self._budget.wait_ns(self._weight, now_ns) if self._wanted else 0
        reason = self._reason
        if wait_ns:
            reason = f"{len(self._wanted)} books wait for request weight"
        return FeedView(name, not reason, reason, wait_ns // MS if wait_ns else -1)

    async def _turn(self) -> None:
        while wait_ns := self._budget.wait_ns(self._weight, self._clock.now_ns()):
            await asyncio.sleep(wait_ns / SECOND)

    async def _serve_next(self, client: httpx.AsyncClient) -> None:
        symbol = next(iter(self._wanted))
        epoch = self._wanted.pop(symbol)
        self._in_flight = symbol, epoch
        self.asked += 1
        self._budget.spend(self._weight, self._clock.now_ns())
        try:
            async with asyncio.timeout(self._timeout_ms * MS / SECOND):
                body, problem = await self._fetch(client, self._url_of(symbol))
        except (httpx.HTTPError, OSError) as error:
            body, problem = b"", _words(error)
        self._in_flight = None
        if problem:
            self.failed += 1
            self._say(works=False, reason=f"{symbol}: {problem}")
            return
        self.answered += 1
        self._say(works=True, reason="")
        # An epoch that began while the answer was on its way is served by its own request.
        self._deliver(symbol, body, epoch)

    async def _fetch(self, client: httpx.AsyncClient, url: str) -> tuple[bytes, str]:
        body = bytearray()
        async with client.stream("GET", url) as answer:
            self._heed(answer)
            if answer.status_code != httpx.codes.OK:
                return b"", _refusal(answer.status_code, await _beginning(answer))
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > self._max_bytes:
                    return b"", f"a book over {self._max_bytes} bytes"
        return bytes(body), ""

    def _heed(self, answer: httpx.Response) -> None:
        now_ns = self._clock.now_ns()
        with contextlib.suppress(ValueError):
            self._budget.correct(int(answer.headers.get(_USED_WEIGHT, "")), now_ns)
        if answer.status_code in (418, 429):
            seconds = answer.headers.get("retry-after", "")
            self._budget.close_for(int(seconds) if seconds.isdecimal() else 60, now_ns)

    def _say(self, *, works: bool, reason: str) -> None:
        if works is not self._works or reason:
            self._works, self._reason = works, reason
            self._report(works, reason)


async def _beginning(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) >= _MOST_REFUSAL:
            break
    return bytes(body[:_MOST_REFUSAL])


def _refusal(status: int, body: bytes) -> str:
    """Say what a refusal means, by the venue's code where it gives one."""
    try:
        code = msgspec.json.decode(body, type=_Refusal).code
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return f"HTTP {status}"
    return f"HTTP {status} ({code}{': the venue knows no such symbol' if code == _NO_SYMBOL else ''})"


def _words(error: Exception) -> str:
    match error:
        case httpx.TimeoutException() | TimeoutError():
            return "no answer"
        case httpx.ConnectError():
            return "cannot connect"
        case _:
            return type(error).__name__
