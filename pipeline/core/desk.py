"""Everything the engine keeps of one symbol: book, features, decisions, execution, and what its panels show.

A desk holds state and answers small questions; `market.py` moves its market side, `trader.py` its orders.
"""

from __future__ import annotations

from collections import deque

from pipeline.core.decision import Decider, Decision, decision_terms
from pipeline.core.execution import ExecutionPolicy
from pipeline.core.features import FeatureEngine, FeatureParams
from pipeline.core.funnel import Funnel
from pipeline.core.health import FeedLag
from pipeline.core.history import NO_SCORE_E6, MidRange, PathRing
from pipeline.core.market_sense import MarketSense
from pipeline.core.outcomes import Outcomes
from pipeline.core.params import EngineParams, ModelSpec
from pipeline.core.row_window import RowWindow
from pipeline.core.seen import SeenIds
from pipeline.core.sizing import MarketState
from pipeline.core.symbol_watch import SymbolWatch
from pipeline.core.sync_streamed import synced_book
from pipeline.core.types import E6, BookState, Instrument, Trigger

SHOWN_FEATURES = ("qi_1", "qi_5", "qi_10", "dwi", "micro_dev", "ofi_1s", "ofi_5s", "tfi_1s")
"""Features the imbalance panel shows whatever the model uses."""

PRINTS_KEPT = 64
FILLS_MARKED = 64

_NO_HORIZON_NS = 1_000_000_000


class SymbolDesk:
    """State of one symbol; the engine is its only writer."""

    def __init__(self, params: EngineParams, instrument: Instrument) -> None:
        model = params.model
        self.symbol = instrument.symbol
        self.instrument = instrument
        self.limits = params.limits.get(instrument.symbol)
        self.synced = synced_book(
            instrument,
            locked_grace_ns=params.health.locked_grace_ns,
            stale_after_ns=params.health.stale_after_ns,
        )
        self.features = _feature_engine(instrument, model, params.shadows)
        horizon_ns = model.horizon_ms * 1_000_000 if model is not None else _NO_HORIZON_NS
        self.policy = ExecutionPolicy(instrument, params.execution, self.limits, horizon_ns)
        self.decider: Decider | None = None
        if model is not None:
            self.decider = self._decider_of(params, model)
        self.window = _window(params, model)
        self.shadow_windows: dict[int, RowWindow] = {}
        """By generation, the rows before its own of a shadow that reads several."""
        self.funnel = Funnel()
        self.outcomes = Outcomes(horizon_ns)
        self.watch = SymbolWatch(model, params.watch)
        self.decision: Decision | None = None
        self.row_epoch = 0
        """Counts losses of the book; an answer to a row from before one decides nothing."""
        self.tradable = True
        self.status_ns = 0
        """When the venue last spoke of the symbol's state; 0 before."""
        self.feed_lag = FeedLag()
        self.feed_slow = False
        self.sense = MarketSense(self.limits)
        self.mid_before = 0
        """Twice the mid in ticks, one to two seconds ago; 0 without one."""
        self.mid_second = (0, 0)
        """The newest whole second, and twice the mid when it began."""
        self.flatten_who = ""
        self.auto_ended = False
        """A person flattened: no AUTO permit opens here again before a person asks for one."""
        self.refused_seq = 0
        """The row whose entry no permit covered; it is not asked about again."""
        self.newest_recv_ns = 0
        self.confirmed_recv_ns = 0
        """Receive time of the newest event that confirmed the book or the touch."""
        self.last_l1 = (0, 0, 0, 0)
        self.touch_digest = 0
        self.last_asked_ns = 0
        self.last_grid = -1
        self.last_gap_ns = -1
        self.last_price_ticks = 0
        self.last_side = 0
        self.last_point = -1
        self.mid_path = PathRing(missing=0)
        self.score_path = PathRing(missing=NO_SCORE_E6)
        self.mid_range = MidRange()
        self.trades_seen = SeenIds()
        self.prints: deque[tuple[int, int, int, int]] = deque(maxlen=PRINTS_KEPT)
        self.fill_marks: deque[tuple[int, int, int]] = deque(maxlen=FILLS_MARKED)

    def take_model(
        self,
        params: EngineParams,
        model: ModelSpec,
        shadows: tuple[ModelSpec, ...],
        before: ModelSpec | None,
        now_ns: int,
    ) -> None:
        """Decide with another model from now on: nothing of the old one's calls, side or decision stays.

        Features nobody kept up start cold: rows come once they are warm. Those of `before` stay, for the way
        back.
        """
        horizon_ns = model.horizon_ms * 1_000_000
        self.decider = self._decider_of(params, model)
        self.window = _window(params, model)
        self.policy.set_horizon(horizon_ns)
        self.outcomes = Outcomes(horizon_ns)
        self.watch.take_model(model)
        self.decision = None
        self.refused_seq = 0
        self.auto_ended = True
        if before is None or not all(self.features.keeps(name) for name in model.features):
            rest = (*shadows, *((before,) if before is not None else ()))
            self.features = _feature_engine(self.instrument, model, rest)
            if self.book_ok:
                self.features.on_book(self.synced, now_ns)

    def _decider_of(self, params: EngineParams, model: ModelSpec) -> Decider:
        return Decider(
            decision_terms(
                params.decision,
                params.sizing,
                params.execution,
                params.permits,
                self.instrument,
                self.limits,
                model,
            )
        )

    @property
    def book_ok(self) -> bool:
        """Say whether the book feeds anything at all."""
        return self.synced.state is BookState.SYNCED

    def book_age_ns(self, now_ns: int) -> int:
        """Give the time since an event last confirmed the book."""
        return now_ns - self.confirmed_recv_ns if self.confirmed_recv_ns else now_ns

    def window_whole(self, ts_ns: int) -> bool:
        """Say whether a row now would have the rows before it that its model reads with it."""
        return self.window is None or self.window.whole(ts_ns)

    def shadow_row(
        self, params: EngineParams, model: ModelSpec, trigger: Trigger, ts_ns: int
    ) -> tuple[int, ...]:
        """Make the row of a shadow, with those before it where it reads several; empty until it is whole."""
        if not self.features.ready(model.features, ts_ns):
            return ()
        row = self.features.row_e6(model.features, ts_ns)
        if model.window == 1:
            return row
        window = self.shadow_windows.get(model.generation)
        if window is None:
            window = self.shadow_windows[model.generation] = RowWindow(model.window, params.decision.grid_ns)
        return window.joined(trigger, row, ts_ns)

    @property
    def mid_half_ticks(self) -> int:
        """Give twice the mid in ticks; 0 unless there is an ok book with both sides."""
        if not self.book_ok:
            return 0
        bid_ticks, _, ask_ticks, _ = self.synced.l1
        return bid_ticks + ask_ticks if bid_ticks > 0 and ask_ticks > 0 else 0

    def market_numbers(self) -> tuple[int, int, int, int]:
        """Give spread, jump since a second ago and the most it may be, in 1e-6, and the larger touch's worth.

        The worth is in 1e-8 of the quote currency. All are 0 without an ok book.
        """
        mid = self.mid_half_ticks
        if not mid:
            return 0, 0, 0, 0
        bid_ticks, bid_units, ask_ticks, ask_units = self.synced.l1
        spread, before, instrument = ask_ticks - bid_ticks, self.mid_before, self.instrument
        touch = max(bid_ticks * bid_units, ask_ticks * ask_units) // instrument.lot_units
        return (
            -(-spread * E6 // bid_ticks),
            abs(mid - before) * E6 // before if before > 0 else 0,
            self.sense.most_jump_e6(mid, 2 * spread),
            instrument.notional_quote_e8(touch, 1),
        )

    def market_state(self, aimed_lots: int, now_ns: int) -> MarketState:
        """Give what one decision sees; `aimed_lots` is the position with open entries counted as filled."""
        bid_ticks, bid_units, ask_ticks, ask_units = self.synced.l1
        lot_units = self.instrument.lot_units
        return MarketState(
            book_ok=self.book_ok and 0 < bid_ticks < ask_ticks,
            bid_ticks=bid_ticks,
            bid_lots=bid_units // lot_units,
            ask_ticks=ask_ticks,
            ask_lots=ask_units // lot_units,
            rv_1s=self.features.rv_1s(now_ns),
            position_lots=aimed_lots,
        )


def _feature_engine(
    instrument: Instrument, model: ModelSpec | None, others: tuple[ModelSpec, ...]
) -> FeatureEngine:
    """Build features that keep up what the screen, the live model and others beside it need."""
    models = (*((model,) if model is not None else ()), *others)
    rows = [name for one in models for name in one.features]
    return FeatureEngine(instrument, FeatureParams(needed=tuple(dict.fromkeys((*SHOWN_FEATURES, *rows)))))


def _window(params: EngineParams, model: ModelSpec | None) -> RowWindow | None:
    """Begin the window of a model that reads several rows; None for one that reads its own alone."""
    if model is None or model.window == 1:
        return None
    return RowWindow(model.window, params.decision.grid_ns)
