"""The market panels of a snapshot: ladder, chart, score, imbalance, tape."""

from __future__ import annotations

from pipeline.core.desk import SymbolDesk
from pipeline.core.history import POINT_NS, POINTS
from pipeline.core.order import Order
from pipeline.core.params import ModelSpec
from pipeline.core.snapshot import (
    NONE_E6,
    ChartView,
    ImbalanceView,
    InstrumentView,
    LadderView,
    ScoreView,
    TapeView,
)
from pipeline.core.types import E6, Instrument

LADDER_LEVELS = 300
TAPE_PRINTS = 40
_LARGE_PRINT_E6 = 100_000
"""Prints above this share of the size shown at the touch are marked."""


def instrument_view(instrument: Instrument) -> InstrumentView:
    """Give the scales the widgets print with."""
    return InstrumentView(
        venue=instrument.venue,
        symbol=instrument.symbol,
        base=instrument.base,
        quote=instrument.quote,
        price_decimals=instrument.price_decimals,
        tick_units=instrument.tick_units,
        size_decimals=instrument.size_decimals,
        lot_units=instrument.lot_units,
        lot_decimals=instrument.lot_decimals,
    )


def ladder_view(desk: SymbolDesk, orders: tuple[Order, ...], now_ns: int) -> LadderView:
    """Give the book around the touch; its best level is the fresher ticker's."""
    bids, asks = desk.synced.book.top(LADDER_LEVELS)
    gap_ms = -1 if desk.last_gap_ns < 0 else _ms(now_ns - desk.last_gap_ns)
    return LadderView(
        state=desk.synced.state,
        age_ms=_ms(desk.book_age_ns(now_ns)) if desk.confirmed_recv_ns else -1,
        bids=bids,
        asks=asks,
        mine=tuple(
            (o.intent.price_ticks, o.side * o.leaves_lots, o.state.value, o.client_order_id) for o in orders
        ),
        last_price_ticks=desk.last_price_ticks,
        last_side=desk.last_side,
        range_10s_ticks=desk.mid_range.range_ticks,
        mid_half_ticks=desk.mid_half_ticks,
        gaps=desk.synced.gaps,
        last_gap_age_ms=gap_ms,
    )


def chart_view(desk: SymbolDesk, now_ns: int) -> ChartView:
    """Give the minute's mid with our fills on it."""
    bid_ticks, _, ask_ticks, _ = desk.synced.l1
    newest_point = now_ns // POINT_NS
    marks = []
    for ts_ns, lots, price_ticks in desk.fill_marks:
        index = POINTS - 1 - (newest_point - ts_ns // POINT_NS)
        if index >= 0:
            marks.append((index, lots, price_ticks))
    return ChartView(
        mid_half_ticks=desk.mid_path.oldest_first(),
        marks=tuple(marks),
        spread_ticks=ask_ticks - bid_ticks if desk.book_ok else 0,
    )


def score_view(
    desk: SymbolDesk, model: ModelSpec | None, entry_e6: int, leave_e6: int, now_ns: int
) -> ScoreView:
    """Give the newest opinion and its path."""
    decision = desk.decision
    not_ready = desk.features.not_ready(model.features, now_ns) if model is not None else ()
    return ScoreView(
        p_up_e6=decision.p_up_e6 if decision else 0,
        p_flat_e6=decision.p_flat_e6 if decision else 0,
        p_down_e6=decision.p_down_e6 if decision else 0,
        score_e6=decision.score_e6 if decision else 0,
        entry_e6=entry_e6,
        leave_e6=leave_e6,
        age_ms=_ms(now_ns - decision.ts_ns + decision.row_age_ns) if decision else -1,
        ready=model is not None and desk.book_ok and not not_ready and desk.window_whole(now_ns),
        not_ready=not_ready,
        horizon_ms=model.horizon_ms if model is not None else 0,
        path_e6=desk.score_path.oldest_first(),
        came_true=desk.outcomes.marks,
    )


def imbalance_view(desk: SymbolDesk, now_ns: int) -> ImbalanceView:
    """Give imbalance and flow as they stand."""

    def shown(name: str) -> int:
        value = desk.features.shown_e6(name, now_ns) if desk.book_ok else None
        return NONE_E6 if value is None else value

    return ImbalanceView(
        qi_1_e6=shown("qi_1"),
        qi_5_e6=shown("qi_5"),
        qi_10_e6=shown("qi_10"),
        dwi_e6=shown("dwi"),
        micro_dev_e6=shown("micro_dev"),
        ofi_1s_e6=shown("ofi_1s"),
        ofi_5s_e6=shown("ofi_5s"),
        tfi_1s_e6=shown("tfi_1s"),
        age_ms=_ms(desk.book_age_ns(now_ns)) if desk.confirmed_recv_ns else -1,
    )


def tape_view(desk: SymbolDesk) -> TapeView:
    """Give the newest prints, newest first."""
    newest = tuple(desk.prints)[-TAPE_PRINTS:]
    _, bid_units, _, ask_units = desk.synced.l1
    return TapeView(
        prints=newest[::-1],
        large_units=max(1, (bid_units + ask_units) * _LARGE_PRINT_E6 // E6),
    )


def _ms(span_ns: int) -> int:
    return max(0, span_ns) // 1_000_000
