"""What the venue was asked, by whom, and what it answered: the witness of tests on who cancelled what.

Append-only and numbered without a hole. The newest entries are kept in memory, all go to the sink when there
is one. Connections are numbered from 1; the ledger names them by the same numbers. Nothing secret is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

KEPT = 100_000
_MOST_TEXT = 200


class LogEntry(msgspec.Struct, frozen=True):
    """One line: a connection opened or gone, or a request on it."""

    seq: int
    ts_ns: int
    connection: int
    what: str
    """`opened`, `closed` or `asked`."""
    name: str = ""
    """A connection's path; a request's method, or verb and path over REST."""
    agent: str = ""
    """What the client of a connection says it is (its `User-Agent`)."""
    symbol: str = ""
    order_id: str = ""
    client_order_id: str = ""
    """The one a new order brings, or the one a request refers to."""
    status: int = 0
    """Of the answer; 0 for none, when a fault made the venue deaf."""
    code: int = 0
    """The venue's refusal; 0 for none."""
    answered: bool = False
    """Whether the answer was sent, or is to be sent later; false when a fault lost it."""


Sink = Callable[[LogEntry], None]


class RequestLog:
    """Everything that was asked, in order of time."""

    def __init__(self, sink: Sink | None = None, kept: int = KEPT) -> None:
        self.entries: deque[LogEntry] = deque(maxlen=kept)
        self.length = 0
        self._connections = 0
        self._sink = sink

    def opened(self, name: str, agent: str, now_ns: int) -> int:
        """Note a new connection; give its number."""
        self._connections += 1
        connection = self._connections
        self._write(LogEntry(0, now_ns, connection, "opened", name[:_MOST_TEXT], agent[:_MOST_TEXT]))
        return connection

    def closed(self, connection: int, now_ns: int) -> None:
        """Note that a connection is gone."""
        self._write(LogEntry(0, now_ns, connection, "closed"))

    def asked(
        self,
        connection: int,
        name: str,
        texts: dict[str, str],
        outcome: tuple[int, int],
        answered: bool,
        now_ns: int,
    ) -> None:
        """Note a request and what became of it: (status, code)."""
        own_id = texts.get("origClientOrderId") or texts.get("newClientOrderId", "")
        self._write(
            LogEntry(
                *(0, now_ns, connection, "asked", name[:_MOST_TEXT]),
                symbol=texts.get("symbol", "")[:_MOST_TEXT],
                order_id=texts.get("orderId", "")[:_MOST_TEXT],
                client_order_id=own_id[:_MOST_TEXT],
                status=outcome[0],
                code=outcome[1],
                answered=answered,
            )
        )

    def _write(self, entry: LogEntry) -> None:
        entry = msgspec.structs.replace(entry, seq=self.length)
        self.length += 1
        self.entries.append(entry)
        if self._sink is not None:
            self._sink(entry)
