"""What becomes of the market frames of one connection under faults; each from its own stream of chance."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.sim.chance import Chance
from pipeline.sim.protocol.faults import Fault, FaultKind


class MarketFaults:
    """What becomes of the market frames of one connection."""

    def __init__(self, faults: Sequence[Fault], chance: Chance, start_ns: int) -> None:
        self._faults = tuple(fault for fault in faults if fault.kind in _ON_FRAMES)
        self._chance = chance
        self._start_ns = start_ns
        self._held: dict[str, bytes] = {}
        self._struck: dict[Fault, None] = {}
        """The faults that happen once to a connection and did."""

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
                if self._is_first(fault):
                    sent.insert(0, oversized(int(fault.amount)))
                continue
            if fault.kind is FaultKind.GAP:
                if self._is_first(fault):
                    sent = []
                continue
            if self._chance.unit() >= fault.amount:
                continue
            match fault.kind:
                case FaultKind.DROP | FaultKind.SILENCE:
                    sent = []
                case FaultKind.DUPLICATE:
                    sent = sent * 2
                case FaultKind.CROSSED:
                    sent = [crossed(one) for one in sent]
                case FaultKind.BAD_UTF8:
                    sent.insert(0, BAD_UTF8)
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

    def _is_first(self, fault: Fault) -> bool:
        if fault in self._struck:
            return False
        self._struck[fault] = None
        return True


_ON_FRAMES = (
    FaultKind.DROP,
    FaultKind.DUPLICATE,
    FaultKind.REORDER,
    FaultKind.SILENCE,
    FaultKind.GAP,
    FaultKind.CROSSED,
    FaultKind.GARBAGE,
    FaultKind.BAD_UTF8,
    FaultKind.OVERSIZED,
)
BAD_UTF8 = b'{"e":"depthUpdate","s":"\xff\xfe\xc3\x28"}'
_FIRST_LEVEL = re.compile(rb'"[ab]":\[\["(\d+)((?:\.\d+)?)","([\d.]+)"')


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


def crossed(frame: bytes) -> bytes:
    """Give a depth frame with one more bid, far above the prices in it; another frame as it is."""
    found = _FIRST_LEVEL.search(frame)
    if found is None or b'"depthUpdate"' not in frame:
        return frame
    # Whole units of the quote currency keep the price on any grid.
    price = b"%d%s" % (int(found[1]) + int(found[1]) // 50 + 1, found[2])
    _, point, decimals = found[3].partition(b".")
    level = b'["%s","1%s%s"]' % (price, point, b"0" * len(decimals))
    start = frame.index(b'"b":[') + len(b'"b":[')
    rest = frame[start:]
    return frame[:start] + level + (b"" if rest.startswith(b"]") else b",") + rest
