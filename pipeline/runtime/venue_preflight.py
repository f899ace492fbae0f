"""Before a session that trades at a venue begins: its clock, filters and fees are read from there.

A connection of its own that is closed again. Where the venue does not answer in time nothing starts: a
session on filters and fees that are only assumed would send orders the venue refuses or that do not pay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_socket import Connect, ConnectError, Socket, open_socket
from pipeline.runtime.venue_clock import VenueClock
from pipeline.runtime.venue_facts import VenueFactsError
from pipeline.runtime.venue_params import VenueParams
from pipeline.wire.binance_answers import (
    MOST_BYTES,
    AnswerReader,
    ApiAnswer,
    Unreadable,
    server_time_ms_of,
)
from pipeline.wire.binance_info import SymbolFacts, commission_of, symbols_of
from pipeline.wire.binance_outcomes import is_bad_key, reason_of
from pipeline.wire.binance_requests import ApiKey, SpotRequests
from pipeline.wire.fields import WireError

_OK = 200
_Given = TypeVar("_Given")

Facts = tuple[dict[str, SymbolFacts], dict[str, tuple[int, int]]]
"""Filters, and (maker, taker) in 1e-6, by symbol."""


async def read_facts(
    params: VenueParams, key: ApiKey, symbols: Sequence[str], *, connect: Connect = open_socket
) -> Facts:
    """Read filters and fees of these symbols; tried again and again until `ready_ms` have passed.

    Raises:
        VenueFactsError: the venue did not tell in time, or does not take the key: at once, since asking again
            and again with a wrong key is what venues ban for.
    """
    problem = "no answer"
    try:
        async with asyncio.timeout(params.ready_ms / 1_000):
            while True:
                try:
                    return await _Reader(params, key, symbols).read(connect)
                except _KeyRefusedError:
                    raise
                except (ConnectError, WireError, VenueFactsError) as refused:
                    problem = str(refused)
                await asyncio.sleep(params.backoff_first_ms / 1_000)
    except TimeoutError:
        words = f"the venue did not tell its filters and fees within {params.ready_ms} ms: {problem}"
        raise VenueFactsError(words) from None


class _KeyRefusedError(VenueFactsError):
    """The venue does not know the key, or it may not do this."""


class _Reader:
    """One connection's questions, each asked when the one before is answered."""

    def __init__(self, params: VenueParams, key: ApiKey, symbols: Sequence[str]) -> None:
        self._params = params
        self._requests = SpotRequests(key, params.recv_window_ms)
        self._symbols = tuple(symbols)
        self._session_clock = SessionClock()
        self._clock = VenueClock()
        self._answers = AnswerReader({})
        self._socket: Socket | None = None
        self._waiting: asyncio.Future[ApiAnswer] | None = None
        self._number = 0

    async def read(self, connect: Connect) -> Facts:
        """Connect, ask everything, close."""
        await self._soon(connect(self._params.api_url, self, self._session_clock, MOST_BYTES))
        try:
            return await self._read()
        finally:
            if self._socket is not None:
                self._socket.close()

    async def _read(self) -> Facts:
        sent_ns = self._session_clock.now_ns()
        told = await self._ask(self._requests.time(self._next()))
        self._clock.answered(server_time_ms_of(told.result), sent_ns, self._session_clock.now_ns())
        info = await self._ask(self._requests.exchange_info(self._next(), self._symbols))
        fees: dict[str, tuple[int, int]] = {}
        for symbol in self._symbols:
            stamp_ms = self._clock.timestamp_ms(self._session_clock.now_ns())
            told = await self._ask(self._requests.commission(self._next(), symbol, stamp_ms))
            fees[symbol] = commission_of(told.result, symbol)
        return symbols_of(info.result), fees

    async def _ask(self, frame: bytes) -> ApiAnswer:
        if self._socket is None:
            raise VenueFactsError("connection lost")
        self._waiting = asyncio.get_running_loop().create_future()
        self._socket.send(frame)
        answer = await self._soon(self._waiting)
        if is_bad_key(answer):
            raise _KeyRefusedError(f"the venue does not take the key: {reason_of(answer)}")
        if answer.status != _OK:
            raise VenueFactsError(reason_of(answer))
        return answer

    async def _soon(self, wanted: Awaitable[_Given]) -> _Given:
        try:
            async with asyncio.timeout(self._params.answer_ms / 1_000):
                return await wanted
        except TimeoutError:
            raise VenueFactsError("no answer") from None

    def _next(self) -> str:
        self._number += 1
        return f"start{self._number}"

    def on_open(self, socket: Socket) -> None:
        """Take the connection."""
        self._socket = socket

    def on_message(self, payload: bytes, ts_recv_ns: int, received: int) -> None:  # noqa: ARG002  as received
        """Take an answer; what nobody waits for is nobody's."""
        try:
            message = self._answers.read_message(payload)
        except WireError as problem:
            message = Unreadable(problem.reason, problem.detail)
        waiting = self._waiting
        if waiting is None or waiting.done():
            return
        if isinstance(message, Unreadable):
            waiting.set_exception(VenueFactsError(message.detail))
        elif isinstance(message, ApiAnswer) and message.request_id in (f"start{self._number}", ""):
            waiting.set_result(message)

    def on_lost(self, reason: str) -> None:
        """Take the end of the connection."""
        self._socket = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(VenueFactsError(reason))
