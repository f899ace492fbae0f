"""One decision a prediction: the score's side with hysteresis, its size, and the reason when nothing opens.

A decision only ever opens or adds. What reduces a position is its exit rule (`execution.py`), in every
authority and without a permit; so a score against the position stops here with EXIT_FIRST.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.inputs import PredictionReceived
from pipeline.core.params import (
    DecisionParams,
    EntryStyle,
    ExecutionParams,
    ModelSpec,
    PermitParams,
    RiskLimits,
    SizingParams,
)
from pipeline.core.shapes import require
from pipeline.core.sizing import MarketState, SizedTarget, SizingRefused, score_of, size_target
from pipeline.core.sizing_terms import SizingTerms, sizing_terms
from pipeline.core.types import E6, DenyReason, Instrument, Side


@dataclass(frozen=True, slots=True)
class Signal:
    """A score past the entry threshold, before costs and size; counted as `signals`."""

    symbol: str
    side: Side
    score_e6: int
    gross_edge_e6: int
    ts_ns: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What one prediction amounts to; `reason` is None exactly when an order may open or add."""

    symbol: str
    ts_ns: int
    feature_seq: int
    row_age_ns: int
    model_id: str
    generation: int
    horizon_ms: int
    p_down_e6: int
    p_flat_e6: int
    p_up_e6: int
    score_e6: int
    """p_up - p_down; 0 when the probabilities were refused."""
    side: Side | None
    """Side past the entry threshold, None where there is none or nothing may be decided."""
    held_side: Side | None
    """Side entered and not left yet. An entry order of another side is to be withdrawn, of any side when this
    is None; against a position it says that the score flipped."""
    sized: SizedTarget | None
    """None when the book, the row's age or a number forbade sizing."""
    passive: bool
    worst_ticks: int
    """Price an order of this side must not exceed (buy) or go below (sell); 0 without a side."""
    drift_ticks: int
    """Room between the touch and `worst_ticks`; a smaller move of the touch is no new price."""
    reason: DenyReason | None

    @property
    def passes_entry(self) -> bool:
        """Tell whether the score is past the entry threshold."""
        return self.side is not None

    @property
    def passes_leave(self) -> bool:
        """Tell whether the side entered still stands."""
        return self.held_side is not None

    @property
    def pays(self) -> bool:
        """Tell whether the score is past entry and its edge exceeds costs."""
        return self.side is not None and self.sized is not None and self.sized.pays

    @property
    def qty_lots(self) -> int:
        """Give the quantity that may open, 0 when the decision is stopped."""
        return abs(self.sized.order_lots) if self.reason is None and self.sized is not None else 0

    @property
    def signal(self) -> Signal | None:
        """Give the signal this decision carries, None below the entry threshold."""
        if self.side is None or self.sized is None:
            return None
        return Signal(self.symbol, self.side, self.score_e6, self.sized.gross_edge_e6, self.ts_ns)


@dataclass(frozen=True, slots=True)
class DecisionTerms:
    """Everything one symbol decides with; rebuilt when fees, limits or the model change."""

    symbol: str
    sizing: SizingTerms
    entry_e6: int
    """Score magnitude (twice the parameter) past which a side is entered."""
    leave_e6: int
    """Score magnitude below which it is left."""
    max_row_age_ns: int
    passive: bool
    collar_e6: int
    drift_ticks: int
    drift_e6: int


def decision_terms(
    decision: DecisionParams,
    sizing: SizingParams,
    execution: ExecutionParams,
    permits: PermitParams,
    instrument: Instrument,
    limits: RiskLimits | None,
    model: ModelSpec,
) -> DecisionTerms:
    """Build the terms of one symbol; `limits` None means that the symbol cannot trade.

    Raises:
        ValueError: a parameter is outside its range; the message names it, the value and the range.

    """
    bounds = f"in [0, {decision.entry_e6}), below decision.entry_e6"
    require(0 <= decision.leave_e6 < decision.entry_e6, "decision.leave_e6", decision.leave_e6, bounds)
    return DecisionTerms(
        symbol=instrument.symbol,
        sizing=sizing_terms(sizing, decision, execution, instrument, limits, model),
        entry_e6=2 * decision.entry_e6,
        leave_e6=2 * decision.leave_e6,
        max_row_age_ns=decision.max_row_age_ns,
        passive=execution.entry is EntryStyle.PASSIVE,
        collar_e6=execution.collar_e6,
        drift_ticks=permits.drift_ticks,
        drift_e6=permits.drift_e6,
    )


class Decider:
    """Decisions of one symbol; its only state is the side entered."""

    def __init__(self, terms: DecisionTerms) -> None:
        """Start with no side entered."""
        self.terms = terms
        self._held: Side | None = None

    def reset(self) -> None:
        """Forget the side entered: after a resync, a halt or a change of model."""
        self._held = None

    def decide(
        self, prediction: PredictionReceived, market: MarketState, row_age_ns: int, now_ns: int
    ) -> Decision:
        """Decide on one answer; `row_age_ns` is the age at `now_ns` of the newest event in its row."""
        answer = score_of(prediction.p_down, prediction.p_flat, prediction.p_up)
        known = not isinstance(answer, SizingRefused)
        score = 0 if isinstance(answer, SizingRefused) else answer
        sized, reason = self._size(answer, market, row_age_ns)
        side = self._held if sized is not None and abs(score) > self.terms.entry_e6 else None
        worst_ticks, drift_ticks = worst_price(side, market, self.terms) if side is not None else (0, 0)
        return Decision(
            symbol=prediction.symbol,
            ts_ns=now_ns,
            feature_seq=prediction.feature_seq,
            row_age_ns=row_age_ns,
            model_id=prediction.model_id,
            generation=prediction.generation,
            horizon_ms=prediction.horizon_ms,
            p_down_e6=round(prediction.p_down * E6) if known else 0,
            p_flat_e6=round(prediction.p_flat * E6) if known else 0,
            p_up_e6=round(prediction.p_up * E6) if known else 0,
            score_e6=score,
            side=side,
            held_side=self._held,
            sized=sized,
            passive=self.terms.passive,
            worst_ticks=worst_ticks,
            drift_ticks=drift_ticks,
            reason=reason,
        )

    def _size(
        self, score: int | SizingRefused, market: MarketState, row_age_ns: int
    ) -> tuple[SizedTarget | None, DenyReason | None]:
        """Size a score that may be believed and move the side entered; else give the reason."""
        if isinstance(score, SizingRefused):
            return None, DenyReason.NOT_A_NUMBER
        if not market.book_ok:
            self._held = None
            return None, DenyReason.BOOK_NOT_OK
        if row_age_ns > self.terms.max_row_age_ns:
            return None, DenyReason.STALE_PREDICTION
        sized = size_target(score, market, self.terms.sizing)
        if isinstance(sized, SizingRefused):
            return None, DenyReason.NOT_A_NUMBER
        self._held = self._side_after(score)
        return sized, sized.stop

    def _side_after(self, score_e6: int) -> Side | None:
        """Enter past the entry threshold; keep the side until its own score is below the leaving one."""
        if abs(score_e6) > self.terms.entry_e6:
            return Side.BUY if score_e6 > 0 else Side.SELL
        if self._held is not None and score_e6 * self._held >= self.terms.leave_e6:
            return self._held
        return None


def worst_price(side: Side, market: MarketState, terms: DecisionTerms) -> tuple[int, int]:
    """Give the worst price of an entry and its room from the touch, both in ticks.

    The room is the widest of a few ticks, a share of the price and half the spread: at a tiny tick the touch
    moves many ticks between looking and pressing. A crossing entry stays inside the collar around the mid.
    """
    mid_twice = market.bid_ticks + market.ask_ticks
    share = mid_twice * terms.drift_e6 // (2 * E6)
    drift = max(terms.drift_ticks, share, (market.ask_ticks - market.bid_ticks) // 2)
    touch = market.bid_ticks if (side is Side.BUY) is terms.passive else market.ask_ticks
    worst = max(1, touch + side * drift)
    if terms.passive:
        return worst, drift
    if side is Side.BUY:
        return min(worst, mid_twice * (E6 + terms.collar_e6) // (2 * E6)), drift
    return max(worst, -(-mid_twice * (E6 - terms.collar_e6) // (2 * E6))), drift
