"""Features of one symbol: fed by the engine with every event, asked for rows on the decision clock.

An event costs O(1); everything that can wait is computed when a row asks. A feature is *ready* when what it
is computed from has been whole for its warm-up (`FeatureSpec.ready_after_ns`): a row holds ready features
only. It may be *shown* earlier, as soon as its own window is full. Times are receive times in ns; one that
goes back counts as the newest before it. Values are floats of `math`'s log, exp and sqrt alone and leave
as integers of 1e-6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from pipeline.core.feature_column import Column, Demand
from pipeline.core.feature_depth import DepthFeatures
from pipeline.core.feature_spec import MS_NS, FeatureSpec, Needs, Reader
from pipeline.core.feature_touch import TouchFeatures
from pipeline.core.feature_trades import TradeFeatures
from pipeline.core.inputs import Trade
from pipeline.core.registry import NAMES, spec_of
from pipeline.core.sync import SyncedBook
from pipeline.core.types import E6, BookState, Instrument

MAX_PLANS: Final = 16
"""Different rows remembered; the models in use ask for one or two."""

ALWAYS: Final = ("qi_1", "qi_5", "qi_10", "dwi", "micro_dev", "ofi_1s", "ofi_5s", "tfi_1s", "rv")
"""What the screen and the sizing read, whatever the model needs."""


class FeatureParams(msgspec.Struct, frozen=True):
    """What a feature engine is built from."""

    needed: tuple[str, ...] = NAMES
    """Features a row may ask for; mean imbalance, flow by level and cancels are kept up only then."""
    max_book_age_ns: int = 500 * MS_NS
    """Silence after which book features are invalid; at least three times the feed's cadence."""
    ring_capacity: int = 4096
    """Changes of the touch, trades, or depth updates that 5 s can hold."""


DEFAULT_PARAMS: Final = FeatureParams()


@dataclass(frozen=True, slots=True)
class _Plan:
    """A row somebody asks for, looked up once."""

    columns: tuple[Column, ...]
    ready: Demand


class FeatureEngine:
    """All features of one symbol."""

    __slots__ = (
        *("_book", "_book_since_ns", "_columns", "_depth", "_max_age_ns", "_now_ns", "_plans"),
        *("_since_ns", "_touch", "_trades", "instrument", "rows", "rows_disagreeing"),
    )

    def __init__(self, instrument: Instrument, params: FeatureParams = DEFAULT_PARAMS) -> None:
        """Start empty, with everything as cold as after a disconnect.

        Raises: ValueError for a name in `params.needed` that no feature has.
        """
        self.instrument = instrument
        names = tuple(dict.fromkeys((*params.needed, *ALWAYS)))
        specs = tuple(spec_of(name) for name in names)
        self._max_age_ns = params.max_book_age_ns
        formulas = tuple(spec.formula for spec in specs)
        self._touch = TouchFeatures(params.ring_capacity, formulas)
        self._depth = DepthFeatures(self._touch, params.ring_capacity, formulas)
        self._trades = TradeFeatures(params.ring_capacity)
        self._columns = {spec.name: Column(spec, self._reader(spec)) for spec in specs}
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._book: SyncedBook | None = None
        self._now_ns = 0
        self._since_ns = -1
        self._book_since_ns = -1
        self.rows = 0
        """Rows given so far."""
        self.rows_disagreeing = 0
        """Rows made while ticker and depth book differed in the touch they show."""

    @property
    def overflows(self) -> int:
        """Give how many items were given up because a bound was reached."""
        return self._touch.overflows + self._depth.overflows + self._trades.overflows

    @property
    def invalid_touches(self) -> int:
        """Give how many one-sided, locked or crossed touches were seen and not used."""
        return self._touch.invalid_touches

    @property
    def l1_disagrees(self) -> bool:
        """Say whether ticker and depth book differ in the touch they show now."""
        return self._book is not None and self._book.l1_disagrees

    def on_book(self, book: SyncedBook, ts_ns: int) -> None:
        """Take in the book after a depth update or snapshot was applied to it."""
        ts_ns = self._arrival(ts_ns)
        self._book = book
        if book.state is BookState.SYNCED:
            self._depth.update(ts_ns, book.book)
            self._update_touch(book, ts_ns)

    def on_ticker(self, book: SyncedBook, ts_ns: int) -> None:
        """Take in the book after it was told of a ticker."""
        ts_ns = self._arrival(ts_ns)
        self._book = book
        if book.state is BookState.SYNCED:
            self._update_touch(book, ts_ns)

    def on_trade(self, trade: Trade) -> None:
        """Take in one print of the tape; one without a size is no trade."""
        ts_ns = self._arrival(trade.ts_recv_ns)
        if trade.size_units > 0:
            self._trades.update(ts_ns, trade.size_units, trade.aggressor_side)
            self._depth.on_trade(trade.price_ticks, trade.size_units, trade.aggressor_side)

    def on_reset(self, ts_ns: int, *, trades: bool = False) -> None:
        """Start the warm-up of all book features again; of those of the tape too when `trades` were lost."""
        self._clock(ts_ns)
        self._touch.clear()
        self._depth.clear()
        self._book_since_ns = -1
        if trades:
            self._trades.clear()
            self._since_ns = -1

    def ready(self, names: tuple[str, ...], ts_ns: int) -> bool:
        """Say whether a row of these features may be made at `ts_ns`."""
        return self._meets(self._plan(names).ready, max(ts_ns, self._now_ns))

    def keeps(self, name: str) -> bool:
        """Say whether a row may ask for this feature at all."""
        return name in self._columns

    def not_ready(self, names: tuple[str, ...], ts_ns: int) -> tuple[str, ...]:
        """Give the names, in their order, of the features that keep a row from being made."""
        now_ns = max(ts_ns, self._now_ns)
        return tuple(c.name for c in self._plan(names).columns if not self._meets(c.ready, now_ns))

    def row_e6(self, names: tuple[str, ...], ts_ns: int) -> tuple[int, ...]:
        """Give the features in the order asked for, each value * 1e6 rounded half to even.

        Raises: ValueError when one is not ready; ask `ready` first.
        """
        plan = self._plan(names)
        ts_ns = self._clock(ts_ns)
        if not self._meets(plan.ready, ts_ns):
            raise ValueError(f"not ready: {', '.join(self.not_ready(names, ts_ns))}")
        self.rows += 1
        if self.l1_disagrees:
            self.rows_disagreeing += 1
        return tuple([round(column.value(ts_ns) * E6) for column in plan.columns])

    def value(self, name: str, ts_ns: int) -> float:
        """Give one feature as a row holds it, warm or not.

        Raises: ValueError when there is nothing to compute it from; ask `ready` first.
        """
        column, ts_ns = self._column(name), self._clock(ts_ns)
        if not self._meets(column.valid, ts_ns):
            raise ValueError(f"{name} has nothing to be computed from")
        return column.value(ts_ns)

    def shown_e6(self, name: str, ts_ns: int) -> int | None:
        """Give one feature for the screen: in its own unit * 1e6, neither logged nor cut.

        None while its window is not full or its source is not whole. A slow mean it is divided by may
        still be settling, so this is for eyes, not for models.
        """
        column, ts_ns = self._column(name), self._clock(ts_ns)
        return round(column.natural(ts_ns) * E6) if self._meets(column.shown, ts_ns) else None

    def rv_1s(self, ts_ns: int) -> float | None:
        """Give the realised volatility over one second as a fraction of the price; None until ready."""
        column, ts_ns = self._columns["rv"], self._clock(ts_ns)
        return self._touch.volatility(ts_ns) if self._meets(column.ready, ts_ns) else None

    def _arrival(self, ts_ns: int) -> int:
        now_ns = self._clock(ts_ns)
        if self._since_ns < 0:
            self._since_ns = now_ns
        return now_ns

    def _clock(self, ts_ns: int) -> int:
        if ts_ns > self._now_ns:
            self._now_ns = ts_ns
        return self._now_ns

    def _update_touch(self, book: SyncedBook, ts_ns: int) -> None:
        self._touch.update(ts_ns, book.l1)
        if self._book_since_ns < 0 and self._touch.valid:
            self._book_since_ns = ts_ns

    def _meets(self, demand: Demand, ts_ns: int) -> bool:
        if demand.trades_after_ns >= 0 and (
            self._since_ns < 0
            or ts_ns - self._since_ns < demand.trades_after_ns
            or (demand.a_trade and not self._trades.any_trade)
        ):
            return False
        if demand.book_after_ns < 0:
            return True
        book, touch = self._book, self._touch
        if book is None or book.state is not BookState.SYNCED or not touch.valid:
            return False
        if ts_ns - touch.last_ns > self._max_age_ns or ts_ns - self._book_since_ns < demand.book_after_ns:
            return False
        return not demand.levels or (
            self._depth.levels >= demand.levels and ts_ns - self._depth.last_ns <= self._max_age_ns
        )

    def _plan(self, names: tuple[str, ...]) -> _Plan:
        plan = self._plans.get(names)
        if plan is None:
            columns = tuple(self._column(name) for name in names)
            ready = Demand()
            for column in columns:
                ready = ready.joined(column.ready)
            if len(self._plans) == MAX_PLANS:
                self._plans.clear()
            plan = self._plans[names] = _Plan(columns, ready)
        return plan

    def _column(self, name: str) -> Column:
        column = self._columns.get(name)
        if column is None:
            raise ValueError(f"{spec_of(name).name} is not kept up; add it to FeatureParams.needed")
        return column

    def _reader(self, spec: FeatureSpec) -> Reader:
        match spec.needs:
            case Needs.TOUCH:
                return self._touch.reader(spec)
            case Needs.DEPTH:
                return self._depth.reader(spec)
            case Needs.TRADES:
                return self._trades.reader(spec)
