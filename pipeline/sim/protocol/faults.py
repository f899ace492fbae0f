"""Faults on purpose: what is to go wrong, when, how often; each from its own stream of chance.

A fault is written `KIND[=AMOUNT][@START[+LENGTH]][:TARGET]`, times in seconds since the venue started:
`drop=0.01`, `silence@3+2:depth`, `oversized=9000000@2`, `disconnect@5`, `lost-ack=1:order.cancel`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.sim.chance import Chance

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
    GARBAGE = "garbage"
    """A frame that cannot be believed is sent before a market frame."""
    OVERSIZED = "oversized"
    """One frame of AMOUNT bytes is sent to each connection before a market frame."""
    DISCONNECT = "disconnect"
    """Connections are cut at START, and each AMOUNT seconds after; TARGET is market, api or all."""
    LOST_ACK = "lost-ack"
    """A request is carried out and not answered; TARGET is a part of a method's name."""
    SLOW_ACK = "slow-ack"
    """Answers come AMOUNT milliseconds late."""
    UNKNOWN = "unknown"
    """A request is carried out and answered with -1007: execution status unknown."""
    LOST_REPORT = "lost-report"
    """An event of the user data stream is not sent; TARGET is a part of its name."""
    REJECT = "reject"
    """New orders are refused: -2010, the market is closed."""
    OVERLOAD = "overload"
    """Requests are refused: -1008 with status 503, not carried out."""


_DEFAULT_AMOUNT = {
    FaultKind.DROP: 0.01,
    FaultKind.DUPLICATE: 0.01,
    FaultKind.REORDER: 0.01,
    FaultKind.GARBAGE: 0.01,
    FaultKind.OVERSIZED: float(16 << 20),
    FaultKind.DISCONNECT: 0.0,
    FaultKind.SLOW_ACK: 1_000.0,
}
_DEFAULT_TARGET = {
    FaultKind.DISCONNECT: "market",
    FaultKind.LOST_ACK: "order.place",
    FaultKind.SLOW_ACK: "order.",
    FaultKind.UNKNOWN: "order.place",
    FaultKind.REJECT: "order.place",
    FaultKind.OVERLOAD: "order.place",
}
_NOT_A_CHANCE = (FaultKind.OVERSIZED, FaultKind.DISCONNECT, FaultKind.SLOW_ACK)
_MOST_BYTES = 24 << 20

_FORM = re.compile(
    r"(?P<kind>[a-z-]+)(?:=(?P<amount>\d+(?:\.\d+)?))?"
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


class FaultPlan:
    """All faults of a venue; each connection draws its own chances, the same for the same seed."""

    def __init__(self, faults: Sequence[Fault], seed: int, start_ns: int) -> None:
        """Plan the faults of a venue that started at `start_ns`."""
        self.faults = tuple(faults)
        self._seed = seed
        self._start_ns = start_ns
        self._connections = 0
        self._requests = Chance(~seed)

    def for_connection(self) -> MarketFaults:
        """Give the faults of a new market connection."""
        self._connections += 1
        seed = self._seed + 104_729 * self._connections
        return MarketFaults(self.faults, Chance(seed), self._start_ns)

    def strikes(self, kind: FaultKind, name: str, now_ns: int) -> bool:
        """Say whether a fault on requests or reports happens to this one."""
        for fault in self.faults:
            if fault.kind is kind and fault.is_on(now_ns - self._start_ns, name):
                return self._requests.unit() < fault.amount
        return False

    def answer_delay_ns(self, method: str, now_ns: int) -> int:
        """Give how late the answer to a request is sent."""
        for fault in self.faults:
            if fault.kind is FaultKind.SLOW_ACK and fault.is_on(now_ns - self._start_ns, method):
                return int(fault.amount * 1_000_000)
        return 0

    def disconnects(self, after_ns: int, now_ns: int) -> list[str]:
        """Give which connections (market, api, all) are cut in the time after one instant up to another."""
        found = []
        for fault in self.faults:
            at_ns = self.next_disconnect_ns(fault, after_ns)
            if at_ns is not None and at_ns <= now_ns:
                found.append(fault.target)
        return found

    def next_disconnect_ns(self, fault: Fault, after_ns: int) -> int | None:
        """Give when a fault cuts connections next; None for never."""
        if fault.kind is not FaultKind.DISCONNECT:
            return None
        first_ns, period_ns = self._start_ns + fault.start_ns, int(fault.amount * SECOND_NS)
        if after_ns < first_ns:
            return first_ns
        if not period_ns:
            return None
        at_ns = first_ns + ((after_ns - first_ns) // period_ns + 1) * period_ns
        return at_ns if at_ns < self._start_ns + fault.end_ns else None


class MarketFaults:
    """What becomes of the market frames of one connection."""

    def __init__(self, faults: Sequence[Fault], chance: Chance, start_ns: int) -> None:
        self._faults = tuple(fault for fault in faults if fault.kind in _ON_FRAMES)
        self._chance = chance
        self._start_ns = start_ns
        self._held: dict[str, bytes] = {}
        self._oversized: dict[Fault, None] = {}
        """The faults whose one oversized frame was sent."""

    def of(self, stream: str, frame: bytes, at_ns: int) -> tuple[bytes, ...]:
        """Give what is sent in a frame's place."""
        if not self._faults:
            return (frame,)
        sent: list[bytes] = [frame]
        holds = False
        for fault in self._faults:
            if not fault.is_on(at_ns - self._start_ns, stream):
                continue
            if fault.kind is FaultKind.OVERSIZED:
                if fault not in self._oversized:
                    self._oversized[fault] = None
                    sent.insert(0, oversized(int(fault.amount)))
                continue
            if self._chance.unit() >= fault.amount:
                continue
            match fault.kind:
                case FaultKind.DROP | FaultKind.SILENCE:
                    sent = []
                case FaultKind.DUPLICATE:
                    sent = sent * 2
                case FaultKind.GARBAGE:
                    sent.insert(0, garbage(frame, self._chance))
                case FaultKind.REORDER:
                    holds = True
                case _:
                    pass
        held = self._held.pop(stream, None)
        if held is not None:
            return (*sent, held)
        if holds and sent:
            self._held[stream] = sent.pop()
        return tuple(sent)


_ON_FRAMES = (
    FaultKind.DROP,
    FaultKind.DUPLICATE,
    FaultKind.REORDER,
    FaultKind.SILENCE,
    FaultKind.GARBAGE,
    FaultKind.OVERSIZED,
)


def oversized(length: int) -> bytes:
    """Give a text frame of that many bytes that begins like a depth update."""
    head = b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","pad":"'
    return head + b"x" * max(0, length - len(head) - 3) + b'"}}'


def garbage(frame: bytes, chance: Chance) -> bytes:
    """Give a frame nobody should believe, made from a right one."""
    match chance.below(5):
        case 0:
            return frame[: chance.between(1, max(1, len(frame) - 1))]
        case 1:
            return b"[" * 10_000
        case 2:
            return frame.replace(b'"u":', b'"u":-', 1).replace(b'"p":"', b'"p":"-', 1)
        case 3:
            return re.sub(rb'"\d+\.\d+"', b"NaN", frame)
        case _:
            return bytes(chance.between(32, 126) for _ in range(chance.between(1, 200)))
