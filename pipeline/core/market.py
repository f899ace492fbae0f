"""The market side of an input: book, features, tape, and when a row is asked for.

Rows are asked for on a grid, and at once when the best prices or sizes change, at most every 20 ms. The row
contains only events received before its decision time: a row after a change is decided one nanosecond
after the event that changed it.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.desk import SymbolDesk
from pipeline.core.effects import AlertCode, RequestInference, RequestSnapshot
from pipeline.core.history import POINT_NS
from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate, Trade
from pipeline.core.state import EngineState
from pipeline.core.sync_step import SyncEvent, SyncStep
from pipeline.core.types import Severity, Trigger

_DIGEST_STEP = 6_364_136_223_846_793_005
_DIGEST_MASK = (1 << 64) - 1
"""A linear congruential step keeps a running checksum for a third of a microsecond a change."""

_SECOND_NS = 1_000_000_000

_LOST = {
    SyncEvent.GAP: AlertCode.BOOK_GAP,
    SyncEvent.CROSSED: AlertCode.BOOK_CROSSED,
    SyncEvent.STALE: AlertCode.BOOK_STALE,
    SyncEvent.RESYNC: AlertCode.BOOK_GAP,
    SyncEvent.REPLACED: AlertCode.BOOK_GAP,
}


class MarketSide:
    """Applies market data to a desk and asks for rows."""

    def __init__(self, state: EngineState) -> None:
        self._state = state
        self._decision = state.params.decision
        self.on_row: Callable[[SymbolDesk, int, int], None] = lambda *_: None
        """Told of every row that was asked for: desk, sequence number, decision time."""

    def on_snapshot(self, snapshot: DepthSnapshot) -> None:
        """Take a whole book."""
        desk = self._desk(snapshot.symbol)
        if desk is not None:
            desk.newest_recv_ns = snapshot.ts_recv_ns
            self._after_depth(desk, desk.synced.on_snapshot(snapshot), snapshot.ts_recv_ns)

    def on_update(self, update: DepthUpdate) -> None:
        """Take a batch of levels."""
        desk = self._desk(update.symbol)
        if desk is not None:
            desk.newest_recv_ns = update.ts_recv_ns
            desk.feed_lag.on_event(update.ts_event_ns, update.ts_recv_ns)
            self._after_depth(desk, desk.synced.on_update(update), update.ts_recv_ns)

    def on_ticker(self, ticker: BookTicker) -> None:
        """Take the best prices and sizes."""
        desk = self._desk(ticker.symbol)
        if desk is None:
            return
        ts_ns = desk.newest_recv_ns = ticker.ts_recv_ns
        if desk.synced.on_ticker(ticker) and desk.book_ok:
            desk.confirmed_recv_ns = ts_ns
            desk.features.on_ticker(desk.synced, ts_ns)
            self._touch_may_have_changed(desk, ts_ns)

    def on_trade(self, trade: Trade) -> None:
        """Take a print of the tape, once."""
        desk = self._desk(trade.symbol)
        if desk is None:
            return
        if not desk.trades_seen.is_new(trade.trade_id):
            self._state.counters.ignored_frames += 1
            return
        desk.newest_recv_ns = trade.ts_recv_ns
        self._state.counters.trades += 1
        desk.features.on_trade(trade)
        desk.last_price_ticks = trade.price_ticks
        desk.last_side = int(trade.aggressor_side)
        desk.prints.append((trade.ts_recv_ns, desk.last_side, trade.price_ticks, trade.size_units))

    def on_feed_down(self, desk: SymbolDesk, ts_ns: int) -> None:
        """Believe nothing of a book whose connection is down."""
        desk.feed_lag.begin()
        self._after_depth(desk, desk.synced.on_feed_down(), ts_ns)

    def on_beat(self, desk: SymbolDesk, ts_ns: int) -> None:
        """Let time pass: silence, locked books, the decision grid, a point of the charts."""
        step = desk.synced.on_beat(ts_ns)
        if step.event is not SyncEvent.NOTHING:
            self._after_depth(desk, step, ts_ns)
        desk.watch.advance(ts_ns, desk.mid_half_ticks)
        second = ts_ns // _SECOND_NS
        if second != desk.mid_second[0]:
            mid, (bid_ticks, _, ask_ticks, _) = desk.mid_half_ticks, desk.synced.l1
            desk.sense.on_second(desk.mid_second[1], mid, 2 * (ask_ticks - bid_ticks))
            desk.mid_before, desk.mid_second = desk.mid_second[1], (second, mid)
        grid = ts_ns // self._decision.grid_ns
        if grid != desk.last_grid:
            desk.last_grid = grid
            self._ask(desk, Trigger.GRID, ts_ns)
        point = ts_ns // POINT_NS
        if point != desk.last_point:
            desk.last_point = point
            self._chart_point(desk, ts_ns)

    def _desk(self, symbol: str) -> SymbolDesk | None:
        desk = self._state.desks.get(symbol)
        if desk is None:
            self._state.counters.unknown_symbols += 1
        return desk

    def _after_depth(self, desk: SymbolDesk, step: SyncStep, ts_ns: int) -> None:
        state = self._state
        if step.snapshot_reason:
            epoch = desk.synced.epoch
            state.out.put(RequestSnapshot(desk.symbol, step.snapshot_reason, epoch, ts_ns))
        match step.event:
            case SyncEvent.APPLIED:
                self._applied(desk, ts_ns)
            case SyncEvent.SYNCED | SyncEvent.RECOVERED:
                self._believed(desk, step, ts_ns)
            case SyncEvent.REPLACED:
                self._lost(desk, step, ts_ns)
                self._believed(desk, step, ts_ns)
            case SyncEvent.GAP | SyncEvent.CROSSED | SyncEvent.STALE | SyncEvent.RESYNC:
                self._lost(desk, step, ts_ns)
            case _:
                pass

    def _believed(self, desk: SymbolDesk, step: SyncStep, ts_ns: int) -> None:
        values = (desk.synced.last_update_id, desk.synced.gaps)
        self._state.out.alert(AlertCode.BOOK_SYNCED, Severity.INFO, ts_ns, desk.symbol, "", values)
        if step.event is not SyncEvent.RECOVERED:
            desk.features.on_reset(ts_ns)
        self._applied(desk, ts_ns)

    def _applied(self, desk: SymbolDesk, ts_ns: int) -> None:
        desk.confirmed_recv_ns = ts_ns
        desk.features.on_book(desk.synced, ts_ns)
        self._touch_may_have_changed(desk, ts_ns)

    def _lost(self, desk: SymbolDesk, step: SyncStep, ts_ns: int) -> None:
        state = self._state
        if step.event is SyncEvent.GAP:
            desk.last_gap_ns = ts_ns
        if step.event in (SyncEvent.GAP, SyncEvent.RESYNC):
            desk.features.on_reset(ts_ns)
        begun = step.event is SyncEvent.REPLACED or step.snapshot_reason in ("start", "epoch", "retry")
        severity = Severity.INFO if begun else Severity.WARN
        state.out.alert(_LOST[step.event], severity, ts_ns, desk.symbol, "", (desk.synced.gaps,))
        desk.row_epoch += 1
        if desk.window is not None:
            desk.window.clear()
        desk.shadow_windows.clear()
        desk.outcomes.forget()
        desk.watch.forget()
        if desk.decider is not None:
            desk.decider.reset()
        desk.decision = None
        # The touch that comes next is news, also when it is the same one.
        desk.last_l1 = (0, 0, 0, 0)
        state.portfolio.on_book_lost(desk.symbol)
        state.ideas.withdraw(desk.symbol, ts_ns)

    def _touch_may_have_changed(self, desk: SymbolDesk, ts_ns: int) -> None:
        l1 = desk.synced.l1
        if l1 == desk.last_l1:
            return
        bid_ticks, _, ask_ticks, _ = desk.last_l1
        desk.watch.advance(ts_ns, bid_ticks + ask_ticks if bid_ticks > 0 and ask_ticks > 0 else 0)
        desk.last_l1 = l1
        desk.touch_digest = (
            desk.touch_digest * _DIGEST_STEP + 3 * l1[0] + 5 * l1[1] + 7 * l1[2] + l1[3]
        ) & _DIGEST_MASK
        if l1[0] > 0 and l1[2] > 0:
            self._state.portfolio.on_mark(desk.symbol, l1[0], l1[2])
        else:
            desk.watch.forget()
        if ts_ns - desk.last_asked_ns >= self._decision.min_interval_ns:
            self._ask(desk, Trigger.L1_CHANGE, ts_ns + 1)

    def _ask(self, desk: SymbolDesk, trigger: Trigger, ts_ns: int) -> None:
        state = self._state
        model = state.models.live
        if model is None or not desk.book_ok or not desk.features.ready(model.features, ts_ns):
            return
        desk.last_asked_ns = ts_ns
        epoch = desk.row_epoch
        row = desk.features.row_e6(model.features, ts_ns)
        if desk.window is not None:
            row = desk.window.joined(trigger, row, ts_ns)
            if not row:
                return
        state.counters.features += 1
        seq = state.inference.ask(desk.symbol, epoch, trigger, ts_ns, desk.newest_recv_ns)
        l1 = desk.synced.l1
        desk.watch.asked(seq, ts_ns, l1[1], l1[3], row)
        state.out.put(
            RequestInference(
                symbol=desk.symbol,
                feature_seq=seq,
                epoch=epoch,
                trigger=trigger,
                row_e6=row,
                model_id=model.model_id,
                generation=model.generation,
                schema_hash=model.schema_hash,
                ts_ns=ts_ns,
                newest_recv_ns=desk.newest_recv_ns,
                touch_digest=desk.touch_digest,
            )
        )
        if state.models.shadows:
            self._ask_shadows(desk, trigger, seq, ts_ns)
        self.on_row(desk, seq, ts_ns)

    def _ask_shadows(self, desk: SymbolDesk, trigger: Trigger, row_seq: int, ts_ns: int) -> None:
        """Ask every shadow whose features are ready for the row of the same moment."""
        state = self._state
        for model in state.models.shadows:
            row = desk.shadow_row(state.params, model, trigger, ts_ns)
            if not row:
                continue
            seq = state.inference.next_seq()
            state.shadows.ask(seq, model, desk.symbol, row_seq, ts_ns, desk.row_epoch)
            desk.watch.asked_beside(model, row_seq, ts_ns, row)
            state.out.put(
                RequestInference(
                    symbol=desk.symbol,
                    feature_seq=seq,
                    epoch=desk.row_epoch,
                    trigger=trigger,
                    row_e6=row,
                    model_id=model.model_id,
                    generation=model.generation,
                    schema_hash=model.schema_hash,
                    ts_ns=ts_ns,
                    newest_recv_ns=desk.newest_recv_ns,
                    touch_digest=desk.touch_digest,
                    shadow_of=row_seq,
                )
            )

    def _chart_point(self, desk: SymbolDesk, ts_ns: int) -> None:
        mid = desk.mid_half_ticks
        desk.mid_path.push(mid)
        desk.mid_range.push(mid)
        desk.outcomes.mature(mid, ts_ns)
        decision = desk.decision
        fresh = decision is not None and ts_ns - decision.ts_ns <= self._decision.max_row_age_ns + POINT_NS
        if decision is None or not fresh:
            desk.score_path.push_missing()
        else:
            desk.score_path.push(decision.score_e6)
