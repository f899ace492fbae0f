"""What a session's facts come to: fills by permit, delays by stage, moves after fills; numbers and cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.core.health import STAGES
from pipeline.core.session_facts import FillFact, SessionFacts
from pipeline.core.types import Instrument, Side
from pipeline.research.report_parts import moment, money

MS_NS = 1e6
E6_A_BP = 100

PERMIT_HEADS = (
    *("permit", "kind", "who", "opened", "orders", "fills", "bought", "sold", "resting"),
    *("better than mid bp", "fees", "end"),
)
DELAY_HEADS = ("stage", "measured", "p50 ms", "p99 ms", "worst ms")
AFTER_HEADS = ("after s", "orders that", "fills", "mid moved for us bp")

_STAGE_WORDS = {
    "features": "receive → row",
    "model": "receive → answer",
    "decide": "receive → decision",
    "order": "receive → order",
}


@dataclass(slots=True)
class Filled:
    """What fills came to."""

    orders: set[int] = field(default_factory=set)
    fills: int = 0
    bought_lots: int = 0
    sold_lots: int = 0
    makers: int = 0
    fees_quote_e8: int = 0
    edge_sum_bp: float = 0.0
    with_mid: int = 0

    def add(self, fill: FillFact) -> None:
        """Count one."""
        self.orders.add(fill.number)
        self.fills += 1
        self.makers += fill.maker
        self.fees_quote_e8 += fill.fee_quote_e8
        if fill.side is Side.BUY:
            self.bought_lots += fill.lots
        else:
            self.sold_lots += fill.lots
        if fill.mid_half_ticks > 0:
            self.with_mid += 1
            better = fill.side * (fill.mid_half_ticks - 2 * fill.price_ticks) / fill.mid_half_ticks
            self.edge_sum_bp += 1e4 * better

    def cells(self, instrument: Instrument) -> tuple[str, ...]:
        """Give the cells of its row, from the orders on."""
        better = f"{self.edge_sum_bp / self.with_mid:+.2f}" if self.with_mid else "–"
        return (
            f"{len(self.orders):,}",
            f"{self.fills:,}",
            instrument.qty_text(self.bought_lots),
            instrument.qty_text(self.sold_lots),
            f"{self.makers / self.fills:.0%}" if self.fills else "–",
            better,
            money(self.fees_quote_e8),
        )


def fills_by_permit(facts: SessionFacts) -> dict[tuple[int, str], Filled]:
    """Give what was filled by (permit id, symbol), in order of the first fill; 0 where none is needed."""
    permits = {order.number: order.intent.permit_id for order in facts.orders}
    found: dict[tuple[int, str], Filled] = {}
    for fill in facts.fills:
        found.setdefault((permits.get(fill.number, 0), fill.symbol), Filled()).add(fill)
    return found


def permit_rows(facts: SessionFacts, instruments: dict[str, Instrument]) -> Iterator[tuple[str, ...]]:
    """Give a row for each permit that was opened, unused ones too, and one a symbol for orders without."""
    filled = fills_by_permit(facts)
    for one in facts.permits:
        permit = one.permit
        found = filled.get((permit.permit_id, permit.symbol), Filled())
        words = (str(permit.permit_id), f"{permit.kind.value} {permit.symbol}", permit.who)
        cells = found.cells(instruments[permit.symbol])
        yield *words, moment(permit.starts_ns), *cells, one.end or "open"
    for (permit_id, symbol), found in filled.items():
        if not permit_id:
            yield "–", f"exits, flatten {symbol}", "–", "–", *found.cells(instruments[symbol]), "–"


def delays(facts: SessionFacts) -> dict[str, list[int]]:
    """Give every measured delay in ns by stage, in the order of a frame's life; stages without any left out.

    What the session read of itself is once a second, answers at most once a second, orders all.
    """
    found: dict[str, list[int]] = {}
    for at, name in enumerate(STAGES):
        read = [one.stages_ns[at] for one in facts.health if at < len(one.stages_ns)]
        found[_STAGE_WORDS[name]] = [value for value in read if value >= 0]
    found["worker"] = [one.worked_ns for one in facts.answers]
    found["row → decision"] = [one.age_ns for one in facts.answers]
    orders = facts.orders
    found["row → order"] = [one.sent_ns - one.row_ns for one in orders if one.row_ns > 0]
    found["order → venue's word"] = [one.answered_ns - one.sent_ns for one in orders if one.answered_ns >= 0]
    canceled = [one for one in orders if one.cancel_asked_ns >= 0 and one.ended_ns >= 0]
    found["cancel → end"] = [one.ended_ns - one.cancel_asked_ns for one in canceled]
    return {name: values for name, values in found.items() if values}


def delay_rows(facts: SessionFacts) -> Iterator[tuple[str, ...]]:
    """Give a row for each stage that was measured."""
    for name, values in delays(facts).items():
        ranked = sorted(values)
        shown = (quantile(ranked, 0.5), quantile(ranked, 0.99), ranked[-1])
        yield name, f"{len(ranked):,}", *(f"{value / MS_NS:.3f}" for value in shown)


def quantile(ranked: Sequence[int], share: float) -> int:
    """Give the value of sorted ones, at least one, that so large a share does not pass."""
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)]


def after_rows(facts: SessionFacts) -> Iterator[tuple[str, ...]]:
    """Give a row for each horizon and kind of fill."""
    for one in facts.after_fills:
        moved = f"{one.mean_e6 / E6_A_BP:+.3f}" if one.fills else "–"
        kind = "rested" if one.maker else "took"
        yield f"{one.horizon_ns / 1e9:g}", kind, f"{one.fills:,}", moved
