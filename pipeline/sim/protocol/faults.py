"""Faults on purpose: what is to go wrong, when, how often; each from its own stream of chance.

A fault is written `KIND[=AMOUNT][@START[+LENGTH]][:TARGET]`, times in seconds since the venue started:
`drop=0.01`, `silence@3+2:depth`, `oversized=9000000@2`, `disconnect@5`, `lost-ack=1:order.cancel`.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

SECOND_NS = 1_000_000_000
_FOR_EVER_NS = 1 << 62


class FaultKind(enum.StrEnum):
    """What goes wrong. AMOUNT is a probability unless said otherwise; TARGET is a part of a stream's name."""

    DROP = "drop"
    """A market frame is not sent."""
    DUPLICATE = "duplicate"
    """A market frame is sent twice."""
    REORDER = "reorder"
    """A market frame is sent after the next one of its stream."""
    SILENCE = "silence"
    """No market frame is sent."""
    GAP = "gap"
    """One market frame is not sent to each connection; TARGET is depth unless said otherwise."""
    CROSSED = "crossed"
    """A depth frame brings a bid above every ask."""
    GARBAGE = "garbage"
    """A frame that cannot be believed is sent before a market frame."""
    BAD_UTF8 = "bad-utf8"
    """A text frame that is no UTF-8 is sent before a market frame."""
    OVERSIZED = "oversized"
    """One frame of AMOUNT bytes is sent to each connection before a market frame."""
    DISCONNECT = "disconnect"
    """Connections are cut at START, and each AMOUNT seconds after; TARGET is market, api or all."""
    DEAF = "deaf"
    """A request is neither carried out nor answered; TARGET is a part of a method's name."""
    LATE_REQUEST = "late-request"
    """A request reaches the venue AMOUNT milliseconds late, when its recvWindow may be over."""
    LOST_ACK = "lost-ack"
    """A request is carried out and not answered; TARGET is a part of a method's name."""
    SLOW_ACK = "slow-ack"
    """Answers come AMOUNT milliseconds late."""
    UNKNOWN = "unknown"
    """A request is carried out and answered with -1007: execution status unknown."""
    LATE_FILL = "late-fill"
    """AMOUNT of what is left of an order is filled right before its cancel is carried out."""
    LOST_REPORT = "lost-report"
    """An event of the user data stream is not sent; TARGET is a part of its name."""
    DOUBLE_REPORT = "double-report"
    """An event of the user data stream is sent twice."""
    SLOW_REPORT = "slow-report"
    """Events of the user data stream come AMOUNT milliseconds late."""
    END_STREAM = "end-stream"
    """User data streams are ended at START, and each AMOUNT seconds after; connections stay."""
    REJECT = "reject"
    """Requests are refused as orders to a closed market are, not carried out."""
    OVERLOAD = "overload"
    """Requests are refused: -1008 with status 503, not carried out."""
    THROTTLE = "throttle"
    """Requests are refused: -1003 with status 429 and when to ask again; not carried out."""
    BAN = "ban"
    """Every request is refused: -1003 with status 418 until the fault ends."""
    HTML = "html"
    """A request is not carried out and answered with a page of HTML, over REST with status 200."""


_DEFAULT_AMOUNT = {
    FaultKind.DROP: 0.01,
    FaultKind.CROSSED: 0.01,
    FaultKind.BAD_UTF8: 0.01,
    FaultKind.LATE_REQUEST: 1_000.0,
    FaultKind.SLOW_REPORT: 1_000.0,
    FaultKind.END_STREAM: 0.0,
    FaultKind.DUPLICATE: 0.01,
    FaultKind.REORDER: 0.01,
    FaultKind.GARBAGE: 0.01,
    FaultKind.OVERSIZED: float(16 << 20),
    FaultKind.DISCONNECT: 0.0,
    FaultKind.SLOW_ACK: 1_000.0,
}
_DEFAULT_TARGET = {
    FaultKind.GAP: "depth",
    FaultKind.DISCONNECT: "market",
    FaultKind.DEAF: "order.place",
    FaultKind.LATE_REQUEST: "order.place",
    FaultKind.LATE_FILL: "cancel",
    FaultKind.LOST_ACK: "order.place",
    FaultKind.SLOW_ACK: "order.",
    FaultKind.UNKNOWN: "order.place",
    FaultKind.REJECT: "order.place",
    FaultKind.OVERLOAD: "order.place",
    FaultKind.THROTTLE: "order.place",
    FaultKind.HTML: "order.place",
}
_NOT_A_CHANCE = (
    FaultKind.OVERSIZED,
    FaultKind.DISCONNECT,
    FaultKind.SLOW_ACK,
    FaultKind.LATE_REQUEST,
    FaultKind.SLOW_REPORT,
    FaultKind.END_STREAM,
)
_MOST_BYTES = 24 << 20

EXAMPLES = {
    FaultKind.DROP: "drop=0.01",
    FaultKind.DUPLICATE: "duplicate=0.05:depth",
    FaultKind.REORDER: "reorder=0.05",
    FaultKind.SILENCE: "silence@3+2:depth",
    FaultKind.GAP: "gap@5",
    FaultKind.CROSSED: "crossed=1@5+0.2",
    FaultKind.GARBAGE: "garbage=0.02",
    FaultKind.BAD_UTF8: "bad-utf8=0.02",
    FaultKind.OVERSIZED: "oversized=9000000@2",
    FaultKind.DISCONNECT: "disconnect=10@5:all",
    FaultKind.DEAF: "deaf@5+1:order",
    FaultKind.LATE_REQUEST: "late-request=300",
    FaultKind.LOST_ACK: "lost-ack=0.5:order.cancel",
    FaultKind.SLOW_ACK: "slow-ack=700:order.place",
    FaultKind.UNKNOWN: "unknown=0.1",
    FaultKind.LATE_FILL: "late-fill=0.5:order.cancel",
    FaultKind.LOST_REPORT: "lost-report=0.2:executionReport",
    FaultKind.DOUBLE_REPORT: "double-report=1",
    FaultKind.SLOW_REPORT: "slow-report=400:executionReport",
    FaultKind.END_STREAM: "end-stream@10",
    FaultKind.REJECT: "reject=1@5+3",
    FaultKind.OVERLOAD: "overload=0.3",
    FaultKind.THROTTLE: "throttle=0.3",
    FaultKind.BAN: "ban@5+3",
    FaultKind.HTML: "html=0.1",
}
"""One of each kind as it may be written; a test reads them all."""

_FORM = re.compile(
    r"(?P<kind>[a-z0-9-]+)(?:=(?P<amount>\d+(?:\.\d+)?))?"
    r"(?:@(?P<start>\d+(?:\.\d+)?)(?:\+(?P<length>\d+(?:\.\d+)?))?)?(?::(?P<target>[\w.@]+))?"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; times in ns since the venue started."""

    kind: FaultKind
    amount: float
    start_ns: int
    end_ns: int
    target: str

    def is_on(self, elapsed_ns: int, name: str) -> bool:
        """Say whether it is its time and this is its target."""
        return self.start_ns <= elapsed_ns < self.end_ns and self.target in name


def default_form(kind: FaultKind) -> tuple[str, str]:
    """Give AMOUNT and TARGET of a fault that names none, as they would be written."""
    amount = _DEFAULT_AMOUNT.get(kind, 1.0)
    return f"{amount:.0f}" if amount == int(amount) else f"{amount}", _DEFAULT_TARGET.get(kind, "")


def parse_fault(text: str) -> Fault:
    """Read a fault as it is written on the command line.

    Raises:
        ValueError: it is of another form; the message says what is wanted.
    """
    found = _FORM.fullmatch(text)
    known = [kind.value for kind in FaultKind]
    if found is None or found["kind"] not in known:
        wanted = "KIND[=AMOUNT][@START[+LENGTH]][:TARGET]"
        raise ValueError(f"fault {text[:60]!r}: wanted {wanted}, KIND one of {', '.join(known)}")
    kind = FaultKind(found["kind"])
    amount = float(found["amount"]) if found["amount"] else _DEFAULT_AMOUNT.get(kind, 1.0)
    most = float(_MOST_BYTES) if kind in _NOT_A_CHANCE else 1.0
    if amount > most:
        raise ValueError(f"fault {text[:60]!r}: {kind} takes an amount of at most {most:g}")
    start_ns = int(float(found["start"] or 0) * SECOND_NS)
    length_ns = int(float(found["length"]) * SECOND_NS) if found["length"] else _FOR_EVER_NS
    target = found["target"] or _DEFAULT_TARGET.get(kind, "")
    return Fault(kind, amount, start_ns, start_ns + length_ns, target)
