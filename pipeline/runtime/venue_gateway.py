"""Orders over a socket to a venue that speaks Binance spot's WebSocket API: the sim or the real one.

The connection is opened, watched and opened again here, with jittered back-off; everything that is decided
about orders is decided by `venue_desk`. Messages are handled in the callback that read them, requests leave
in the call that caused them. Reports wait for the run to take them (`due`); it is called when there are some.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence

from pipeline.core.earlier import BooksCarried
from pipeline.core.effects import CancelAccount, CancelAll, CancelOrder, SubmitOrder
from pipeline.core.inputs import Input, SendRefused, Trade
from pipeline.core.params import MS
from pipeline.core.sync import SyncedBook
from pipeline.core.types import Instrument
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_backoff import Backoff
from pipeline.runtime.feed_socket import Connect, ConnectError, Socket, open_socket
from pipeline.runtime.gateway import GateReader
from pipeline.runtime.order_parking import Durability, OrderParking
from pipeline.runtime.venue_budget import RequestBudget
from pipeline.runtime.venue_clock import VenueClock
from pipeline.runtime.venue_desk import VenueDesk
from pipeline.runtime.venue_line import RequestLine
from pipeline.runtime.venue_params import VenueParams
from pipeline.runtime.venue_state import Phase
from pipeline.wire.binance_answers import MOST_BYTES
from pipeline.wire.binance_requests import ApiKey, SpotRequests

NO_JOURNAL = "NO_JOURNAL"
"""Why an order did not leave: its cause could not be put on record."""


class VenueGateway:
    """One order connection of one session; on the event loop, one owner."""

    def __init__(
        self,
        params: VenueParams,
        instruments: Mapping[str, Instrument],
        key: ApiKey,
        session_number: int,
        gate: GateReader | None,
        clock: SessionClock,
        *,
        journal: Durability | None = None,
        books: BooksCarried | None = None,
        connect: Connect = open_socket,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Prepare; nothing is opened before `start`. `on_reports` is set to the run's before that.

        With a `journal` an order waits until its cause is durable there. `books` is what the account's last
        session left; the engine is to be given the same.
        """
        self.on_reports: Callable[[], None] = lambda: None
        self.connections = 0
        self.lost = 0
        self._params = params
        self._clock = clock
        self._connect = connect
        self._backoff = Backoff(params, chance)
        self._socket: Socket | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._opened_ns = 0
        self._pinged_ns = 0
        self._closed = False
        self._parking = OrderParking(journal)
        self._venue_clock = VenueClock()
        self._desk = VenueDesk(
            params,
            instruments,
            session_number,
            RequestLine(
                SpotRequests(key, params.recv_window_ms), RequestBudget(params), self._venue_clock, self._send
            ),
            gate,
            books,
        )

    @property
    def desk(self) -> VenueDesk:
        """Give what decides."""
        return self._desk

    @property
    def clock_ahead_ns(self) -> int:
        """Give how far the venue's clock is ahead of ours, as last measured."""
        return self._venue_clock.offset_ns

    @property
    def is_up(self) -> bool:
        """Say whether orders may be sent."""
        return self._desk.phase is Phase.UP

    # --- the connection -----------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """Look after the connection and what time has brought; about a hundred times a second.

        Raises:
            BaseException: whatever ended an attempt to connect that was no refusal.
        """
        if self._closed:
            return
        if self._attempt is not None and self._attempt.done():
            attempt, self._attempt = self._attempt, None
            attempt.result()
        if self._socket is None:
            if self._attempt is None and self._backoff.is_due(now_ns):
                self._backoff.tried(now_ns)
                self._attempt = asyncio.ensure_future(self._open())
            return
        self.release_parked(now_ns)
        self._desk.tick(now_ns)
        self._tell()
        self._give_up_if_troubled(self._no_sign_of_life(self._socket, now_ns), now_ns)

    def close(self) -> None:
        """End the connection; nothing is delivered after this."""
        self._closed = True
        if self._attempt is not None:
            self._attempt.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def on_open(self, socket: Socket) -> None:
        """Take a connection whose handshake is done."""
        self._socket, self._opened_ns, self._pinged_ns = socket, self._clock.now_ns(), 0
        self.connections += 1
        self._desk.opened(self._opened_ns)

    def on_message(self, payload: bytes, ts_recv_ns: int, received: int) -> None:  # noqa: ARG002  as received
        """Take a message of the venue's."""
        self._desk.message(payload, ts_recv_ns)
        self._tell()
        self._give_up_if_troubled("", ts_recv_ns)

    def on_lost(self, reason: str) -> None:
        """Take the end of the connection."""
        now_ns = self._clock.now_ns()
        self._socket = None
        self.lost += 1
        self._backoff.lost(now_ns, self._opened_ns)
        self._desk.lost(reason, now_ns)
        self._tell()

    # --- the run's side -----------------------------------------------------------------------------------

    @property
    def next_due_ns(self) -> int | None:
        """Give a time that has passed when there are reports."""
        return 0 if self._desk.has_reports else None

    def due(self, now_ns: int) -> Sequence[Input]:  # noqa: ARG002  what came is due
        """Take the reports."""
        return self._desk.take_reports()

    @property
    def sent(self) -> int:
        """Give how many orders went out."""
        return self._desk.counts.placed

    @property
    def refused(self) -> int:
        """Give how many orders a closed gate held back."""
        return self._desk.counts.gate_refused

    def submit(self, effect: SubmitOrder, now_ns: int) -> SendRefused | None:
        """Send an order, now or once its cause is durable, or give the proof that it did not leave."""
        if self._parking.is_refused():
            return SendRefused(effect.approved.client_order_id, NO_JOURNAL, now_ns)
        return None if self._parking.parks(effect) else self._desk.submit(effect, now_ns)

    def release_parked(self, now_ns: int) -> None:
        """Send what waited for the journal; to be called when that may have become durable."""
        for effect in self._parking.due():
            refused = self._desk.submit(effect, now_ns)
            if refused is not None:
                self._desk.tell(refused)
        for effect in self._parking.given_up():
            self._desk.tell(SendRefused(effect.approved.client_order_id, NO_JOURNAL, now_ns))
        self._tell()

    def cancel(self, effect: CancelOrder, now_ns: int) -> None:
        """Cancel one order, now or as soon as the connection and the venue's limits allow."""
        if self._parking.take(effect.client_order_id) is not None:
            self._desk.tell(SendRefused(effect.client_order_id, "CANCELED_UNSENT", now_ns))
            return
        self._desk.cancel(effect.symbol, effect.client_order_id, now_ns)

    def cancel_all(self, effect: CancelAll, now_ns: int) -> None:
        """Cancel all our orders on a symbol, one by one."""
        self._desk.cancel_all(effect.symbol, now_ns)

    def take_home(self, now_ns: int) -> None:
        """Take the account as it is found for home inventory, less what our fills added."""
        self._desk.take_home(now_ns)

    def cancel_account(self, effect: CancelAccount, now_ns: int) -> None:  # noqa: ARG002  all is all
        """Cancel every order of the account, foreign ones too."""
        self._desk.cancel_account(now_ns)

    def on_book(self, synced: SyncedBook, ts_ns: int) -> None:
        """Need no book: this venue has its own."""

    def on_trade(self, trade: Trade) -> None:
        """Need no print."""

    def queue_ahead(self) -> dict[str, int]:
        """Give nothing: a venue does not say where in its queues we stand."""
        return {}

    # ------------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(self._params.connect_ms / 1_000):
                await self._connect(self._params.api_url, self, self._clock, MOST_BYTES)
        except (ConnectError, TimeoutError):
            self._backoff.failed(self._clock.now_ns())

    def _send(self, frame: bytes) -> None:
        if self._socket is not None:
            self._socket.send(frame)

    def _tell(self) -> None:
        if self._desk.has_reports:
            self.on_reports()

    def _give_up_if_troubled(self, silence: str, now_ns: int) -> None:
        """End a connection that is of no use; a new one is opened by the back-off."""
        reason = self._desk.trouble or silence
        if not reason or self._socket is None:
            return
        self._socket.close()
        self._socket = None
        self.lost += 1
        self._backoff.lost(now_ns, self._opened_ns)
        self._desk.lost(reason, now_ns)
        self._tell()

    def _no_sign_of_life(self, socket: Socket, now_ns: int) -> str:
        if now_ns - socket.heard_ns < self._params.ping_after_ms * MS:
            self._pinged_ns = 0
        elif not self._pinged_ns:
            self._pinged_ns = now_ns
            socket.ping()
        elif now_ns - self._pinged_ns >= self._params.ping_answer_ms * MS:
            return "no answer to a ping"
        return ""
