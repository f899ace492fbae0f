"""The guard's dealings with its venue: one door, the venue's clock, the dead-man switch where it exists."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.runtime.guard_asks import Ask, AskKind, GuardClock, Reply
from pipeline.runtime.guard_dead_man import DeadMan
from pipeline.runtime.guard_door import Door, OpenLine
from pipeline.runtime.guard_params import GuardParams
from pipeline.runtime.guard_socket import SocketLines, target_of
from pipeline.wire.binance_requests import ApiKey
from pipeline.wire.binance_rest import (
    CLOCK,
    ROOTS,
    RestRequests,
    refusal_code_of,
    server_time_ms_of,
)

_SWITCH_TURN = -1
"""Marks the lists the dead-man switch asks for."""


class GuardVenue:
    """Asks, and hands replies to whoever asked."""

    def __init__(
        self,
        params: GuardParams,
        key: ApiKey,
        open_line: OpenLine | None = None,
        wall_ahead_ns: Callable[[], int] = lambda: time.time_ns() - time.monotonic_ns(),
    ) -> None:
        """Prepare; nothing is opened before `begin`. Connections are TCP unless `open_line` gives others.

        Raises:
            ValueError: the address is none.
            KeyError: the guard does not know the venue.
        """
        target = target_of(params.rest_url)
        self._requests = RestRequests(params.venue, target.host_header, key, params.recv_window_ms)
        self._clock = GuardClock()
        self._wall_ahead_ns = wall_ahead_ns
        self._door = Door(open_line or SocketLines(target), self._write, params.settings.answer_ms)
        self._dead_man: DeadMan | None = None
        if ROOTS[params.venue].dead_man and params.settings.dead_man_ms:
            self._dead_man = DeadMan(params.symbols, params.id_prefix, params.settings.dead_man_ms)

    @property
    def up(self) -> bool:
        """Say whether the newest thing asked was answered."""
        return self._door.up

    @property
    def knows_time(self) -> bool:
        """Say whether requests can be stamped."""
        return self._clock.offset_ns is not None

    @property
    def is_idle(self) -> bool:
        """Say whether nothing is under way."""
        return self._door.is_idle

    @property
    def descriptors(self) -> list[tuple[int, int]]:
        """Give what `poll` is to wait for."""
        return self._door.descriptors

    def venue_ms(self, now_ns: int) -> int:
        """Give the venue's time."""
        return self._clock.venue_ms(now_ns)

    def begin(self, now_ns: int, *, healthy: bool) -> None:
        """Ask what keeps the connection warm and the switch set."""
        if self._door.wants_warmth(now_ns) or (not self.knows_time and self._door.is_idle):
            self._door.ask(Ask(AskKind.TIME), now_ns)
        if self._dead_man is not None and self.knows_time:
            for ask in self._dead_man.step(now_ns, healthy=healthy):
                self._door.ask(ask, now_ns)

    def ask(self, ask: Ask, now_ns: int) -> None:
        """Ask."""
        self._door.ask(ask, now_ns)

    def pump(self, now_ns: int, *, healthy: bool) -> list[Reply]:
        """Let everything go on; give the replies that are not this room's own."""
        others = []
        for reply in self._door.pump(now_ns):
            self._heed(reply)
            if reply.ask.kind is AskKind.TIME:
                continue
            if reply.ask.kind is AskKind.COUNTDOWN or reply.ask.turn == _SWITCH_TURN:
                self._switch(reply, healthy=healthy)
            else:
                others.append(reply)
        return others

    def stop_dead_man(self, now_ns: int) -> None:
        """Stop the switches: nothing of ours is left, or somebody left it on purpose."""
        for ask in self._dead_man.stop() if self._dead_man is not None else []:
            self._door.ask(ask, now_ns)

    def dead_man_words(self, now_ns: int) -> str:
        """Say how the switch stands."""
        return "NONE" if self._dead_man is None else self._dead_man.words(now_ns)

    @property
    def dead_man_s(self) -> int:
        """Give the switch's timeout in seconds; 0 without one."""
        return 0 if self._dead_man is None else self._dead_man.timeout_ms // 1_000

    @property
    def refreshed_wall_ns(self) -> int:
        """Give the wall clock of the last refresh, whole seconds; 0 before one."""
        if self._dead_man is None or not self._dead_man.refreshed_ns:
            return 0
        return (self._dead_man.refreshed_ns + self._wall_ahead_ns()) // 1_000_000_000 * 1_000_000_000

    def close(self) -> None:
        """End every connection."""
        self._door.close()

    def _write(self, ask: Ask, now_ns: int) -> bytes:
        stamp_ms = self._clock.venue_ms(now_ns)
        match ask.kind:
            case AskKind.TIME:
                return self._requests.time()
            case AskKind.LIST:
                return self._requests.open_orders(ask.symbol, stamp_ms)
            case AskKind.CANCEL:
                return self._requests.cancel(ask.symbol, ask.client_order_id, stamp_ms)
            case AskKind.COUNTDOWN:
                return self._requests.countdown(ask.symbol, ask.countdown_ms, stamp_ms)

    def _heed(self, reply: Reply) -> None:
        """Learn the time from its answer, and that it was wrong from a refusal."""
        if reply.answer is None:
            return
        if reply.ask.kind is AskKind.TIME and reply.is_ok:
            server_ms = server_time_ms_of(reply.answer.body)
            if server_ms is not None:
                self._clock.answered(server_ms, reply.asked_ns, reply.came_ns)
        elif not reply.is_ok and refusal_code_of(reply.answer.body) == CLOCK:
            self._clock.forget()

    def _switch(self, reply: Reply, *, healthy: bool) -> None:
        assert self._dead_man is not None
        for ask in self._dead_man.take(reply, healthy=healthy):
            self._door.ask(ask, reply.came_ns)
