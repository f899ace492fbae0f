"""Every feature computed afresh from the whole list of events: slow, plain, and nothing shared with the core.

Values are in the feature's natural unit, before the signed logarithm and the cut; None where there is
nothing to compute one from. The list starts after the last reset.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pipeline.core.types import Level, Side
from tests.fakes.market import MS, SECOND, BookEvent, Event, TickerEvent, TradeEvent

Touch = tuple[int, Level, Level]
"""(time, bid, ask)."""


def touches(events: Iterable[Event]) -> list[Touch | None]:
    """The touch after each book and ticker message, None where a side is missing."""
    found: list[Touch | None] = []
    for event in events:
        match event:
            case BookEvent(ts_ns, bids, asks):
                found.append((ts_ns, bids[0], asks[0]) if bids and asks else None)
            case TickerEvent(ts_ns, bid, ask):
                found.append((ts_ns, bid, ask))
            case _:
                pass
    return found


def held_mean(levels: list[tuple[int, float]], now: int, tau_ms: int) -> float:
    """Exponential mean over time of a level that holds until the next, the first one since ever."""
    tau = tau_ms * MS
    mean = levels[0][1] * math.exp((levels[0][0] - now) / tau)
    for (start, value), stop in zip(levels, [t for t, _ in levels[1:]] + [now], strict=True):
        mean += value * (math.exp((stop - now) / tau) - math.exp((start - now) / tau))
    return mean


def decayed(items: Iterable[tuple[int, float]], now: int, tau_ms: int) -> float:
    return math.fsum(x * math.exp((t - now) / (tau_ms * MS)) for t, x in items)


def flow_event(before: tuple[Level, Level], after: tuple[Level, Level]) -> int:
    """Cont, Kukanov and Stoikov's event, as the paper writes it."""
    (b0, q0), (a0, r0) = before
    (b1, q1), (a1, r1) = after
    event = q1 * (b1 >= b0) - q0 * (b1 <= b0)
    return event - r1 * (a1 <= a0) + r0 * (a1 >= a0)


def in_window(items: Iterable[tuple[int, int]], now: int, window_ms: int) -> int:
    return sum(x for t, x in items if t > now - window_ms * MS)


def sigma_half_ticks(mids: list[tuple[int, int]], now: int) -> float:
    first = mids[0][0]
    samples, before = [], mids[0][1]
    for n in range(1, (now - first) // SECOND + 1):
        at = first + n * SECOND
        standing = [mid for t, mid in mids if t < at][-1]
        samples.append((standing - before) ** 2)
        before = standing
    if not samples:
        return 0.0
    keep = math.exp(-1 / 30)
    mean = samples[0] * keep ** (len(samples) - 1)
    mean += sum((1 - keep) * keep**age * x for age, x in enumerate(samples[:0:-1]))
    return math.sqrt(mean)


def level_changes(before: BookEvent, after: BookEvent, between: list[TradeEvent]) -> tuple[int, int]:
    """Changes and cancels among the best five levels of both sides."""
    changes = cancels = 0
    for sign, old, new, taker in (
        (1, before.bids[:5], after.bids[:5], Side.SELL),
        (-1, before.asks[:5], after.asks[:5], Side.BUY),
    ):
        old_end = sign * old[-1][0] if len(old) == 5 else -(1 << 62)
        new_end = sign * new[-1][0] if len(new) == 5 else -(1 << 62)
        for price in sorted({p for p, _ in old + new}):
            if sign * price < max(old_end, new_end):
                continue
            was, now = dict(old).get(price, 0), dict(new).get(price, 0)
            traded = sum(e.size_units for e in between if e.side is taker and e.price_ticks == price)
            changes += now != was
            cancels += was - now > traded
    return changes, cancels


def reference(events: list[Event], now: int) -> dict[str, float | None]:
    """Every feature at `now`, which no event is later than."""
    return {**_tape(events, now), **_touch(events, now), **_depth(events, now)}


def _tape(events: list[Event], now: int) -> dict[str, float | None]:
    trades = [e for e in events if isinstance(e, TradeEvent)]
    signed = [(e.ts_ns, e.size_units * int(e.side)) for e in trades]
    sizes = [(e.ts_ns, e.size_units) for e in trades]
    values: dict[str, float | None] = {
        "rate_trade": math.log(1 + decayed(((t, 1.0) for t, _ in sizes), now, 1_000)),
        "sv_ewma": None,
    }
    for name, window_ms in (("tfi_1s", 1_000), ("tfi_5s", 5_000)):
        both = in_window(sizes, now, window_ms)
        values[name] = in_window(signed, now, window_ms) / both if both else 0.0
    if trades:
        mean = decayed(sizes, now, 60_000) / decayed(((t, 1.0) for t, _ in sizes), now, 60_000)
        values["sv_ewma"] = decayed(signed, now, 3_000) / mean
    return values


def _touch(events: list[Event], now: int) -> dict[str, float | None]:
    names = "qi_1 qi_1_ewma micro_dev spread_t ofi_1s ofi_5s ret_100ms ret_1s ret_5s rv rate_book gap depth_z"
    messages = [e for e in events if not isinstance(e, TradeEvent)]
    seen = touches(events)
    if not seen or seen[-1] is None:
        return dict.fromkeys(names.split())
    proper = [touch for touch in seen if touch is not None]
    _, (bid, bid_units), (ask, ask_units) = proper[-1]
    depth = held_mean([(t, (b[1] + a[1]) / 2) for t, b, a in proper], now, 30_000)
    flows = [
        (after[0], flow_event(before[1:], after[1:]))
        for before, after in zip(proper, proper[1:], strict=False)
    ]
    mids = [(t, b[0] + a[0]) for t, b, a in proper]
    sigma = sigma_half_ticks(mids, now)
    micro = (ask * bid_units + bid * ask_units) / (bid_units + ask_units)
    leans = [(t, (b[1] - a[1]) / (b[1] + a[1])) for t, b, a in proper]
    values: dict[str, float | None] = {
        "qi_1_ewma": held_mean(leans, now, 1_500),
        "qi_1": (bid_units - ask_units) / (bid_units + ask_units),
        "micro_dev": micro - (ask + bid) / 2,
        "spread_t": math.log(ask - bid),
        "ofi_1s": in_window(flows, now, 1_000) / depth,
        "ofi_5s": in_window(flows, now, 5_000) / depth,
        "rv": math.log(max(sigma, 1.0) / (bid + ask) * 1e6),
        "rate_book": math.log(1 + decayed(((e.ts_ns, 1.0) for e in messages), now, 1_000)),
        "gap": math.log(1 + (now - messages[-1].ts_ns) / MS),
        "depth_z": math.log((bid_units + ask_units) / 2 / depth),
    }
    for name, window_ms in (("ret_100ms", 100), ("ret_1s", 1_000), ("ret_5s", 5_000)):
        old = [mid for t, mid in mids if t <= now - window_ms * MS]
        values[name] = (mids[-1][1] - (old[-1] if old else mids[0][1])) / max(sigma, 1.0)
    return values


def _depth(events: list[Event], now: int) -> dict[str, float | None]:
    names = "qi_5 qi_10 dwi qi_band_5bps slope mlofi_mean_1s cancel_ratio"
    values: dict[str, float | None] = dict.fromkeys(names.split())
    values |= dict.fromkeys(f"mlofi_{level}_1s" for level in range(2, 6))
    books = [(n, e) for n, e in enumerate(events) if isinstance(e, BookEvent)]
    seen = touches(events)
    if not books or seen[-1] is None:
        return values
    bids, asks = books[-1][1].bids, books[-1][1].asks
    least = min(len(bids), len(asks))
    if not least:
        return values

    def ratio(b: float, a: float) -> float:
        return (b - a) / (b + a) if b + a else 0.0

    def total(side: Iterable[Level]) -> int:
        return sum(size for _, size in side)

    half = seen[-1][1][0] + seen[-1][2][0]
    # A ticker far ahead of the book leaves levels on the wrong side of the mid; they count as near.
    near = [
        [(p, s) for p, s in side if away * (20_000 * p - 10_000 * half) <= 5 * half]
        for away, side in ((-1, bids), (1, asks))
    ]
    values["qi_band_5bps"] = ratio(total(near[0]), total(near[1]))
    if least >= 3:
        values["qi_5"] = ratio(total(bids[:5]), total(asks[:5]))
    if least >= 5:
        weigh = [sum(s * math.exp(-n / 3) for n, (_, s) in enumerate(x[:10])) for x in (bids, asks)]
        dense = [total(x[:10]) / abs(x[0][0] - x[:10][-1][0]) for x in (bids, asks)]
        values["qi_10"] = ratio(total(bids[:10]), total(asks[:10]))
        values["dwi"] = ratio(*weigh)
        values["slope"] = math.log(dense[0] / dense[1])
    _flows(values, events, books, now, least)
    return values


def _flows(
    values: dict[str, float | None],
    events: list[Event],
    books: list[tuple[int, BookEvent]],
    now: int,
    least: int,
) -> None:
    flows: dict[int, list[tuple[int, int]]] = {level: [] for level in range(1, 6)}
    changes, cancels = [], []
    for (n, before), (m, after) in zip(books, books[1:], strict=False):
        shared = min(len(s) for s in (before.bids, before.asks, after.bids, after.asks))
        for level in range(1, min(shared, 5) + 1):
            pair = [(e.bids[level - 1], e.asks[level - 1]) for e in (before, after)]
            flows[level].append((after.ts_ns, flow_event(*pair)))
        between = [e for e in events[n:m] if isinstance(e, TradeEvent)]
        changed, cancelled = level_changes(before, after, between)
        changes.append((after.ts_ns, changed))
        cancels.append((after.ts_ns, cancelled))
    sizes = [
        (e.ts_ns, sum(s for _, s in e.bids[:5] + e.asks[:5]) / len(e.bids[:5] + e.asks[:5]))
        for _, e in books
        if e.bids or e.asks
    ]
    depth = held_mean(sizes, now, 3_000)
    for level in range(2, 6):
        if least >= level:
            values[f"mlofi_{level}_1s"] = in_window(flows[level], now, 1_000) / depth
    if least >= 5:
        values["mlofi_mean_1s"] = sum(in_window(f, now, 1_000) for f in flows.values()) / 5 / depth
    # As of the last change: both counts decay alike, and only so does the ratio not drown after minutes.
    last = max((t for t, x in changes if x), default=now)
    changed_by_then = decayed([(t, float(x)) for t, x in changes if t <= last], last, 5_000)
    cancelled_by_then = decayed([(t, float(x)) for t, x in cancels if t <= last], last, 5_000)
    values["cancel_ratio"] = cancelled_by_then / changed_by_then if changed_by_then else 0.0
