"""The settings of trading: when a score is a signal, how much, how orders are worked, permits and limits.

Kinds of numbers are in `config_fields.py`. Defaults are those of `pipeline.core.params`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.config_fields import (
    Amount,
    Bps,
    Milliseconds,
    Multiple,
    Number,
    Ratio,
    Seconds,
    Section,
    Whole,
    require,
)


class DecisionSettings(Section):
    """When a score becomes a signal."""

    entry_above_half: Annotated[Number, Field(ge=0, lt=Decimal("0.5"), decimal_places=6)] = Field(
        default=Decimal("0.12"),
        description="A side is entered when its probability exceeds one half by this.",
    )
    leave_above_half: Annotated[Number, Field(ge=0, lt=Decimal("0.5"), decimal_places=6)] = Field(
        default=Decimal("0.06"), description="A side is left below this; it must be below entry_above_half."
    )
    grid_ms: Milliseconds = Field(default=100, description="Time between decisions when nothing happens.")
    min_interval_ms: Milliseconds = Field(
        default=20, description="Least time between decisions caused by a change of the best prices or sizes."
    )
    max_row_age_ms: Milliseconds = Field(
        default=200, description="A prediction whose feature row is older decides nothing."
    )

    @model_validator(mode="after")
    def _leave_below_entry(self) -> DecisionSettings:
        entry = self.entry_above_half
        require(self.leave_above_half < entry, f"leave_above_half below entry_above_half ({entry})")
        return self


class SizingSettings(Section):
    """How much is wanted at which confidence."""

    shape: Literal["linear", "power", "z_cdf", "kelly"] = Field(
        default="linear", description="How size grows with confidence: linear, power, z_cdf or kelly."
    )
    power_gamma: Multiple = Field(default=Decimal(2), description="Exponent of the power shape.")
    kelly_fraction: Annotated[Number, Field(gt=0, le=1, decimal_places=6)] = Field(
        default=Decimal("0.25"), description="Share of the full Kelly bet the kelly shape takes."
    )
    kelly_win_bps: Annotated[Bps, Field(gt=0)] = Field(
        default=Decimal(1), description="Mean favourable move the kelly shape expects."
    )
    kelly_loss_bps: Annotated[Bps, Field(gt=0)] = Field(
        default=Decimal(1), description="Mean adverse move the kelly shape expects."
    )
    kelly_reference: Multiple = Field(
        default=Decimal("0.25"), description="Kelly fraction that counts as full size."
    )
    max_notional_quote: Amount = Field(
        default=Decimal(1_000), description="Target position at full confidence; sizes are shares of it."
    )
    sigma_target_bps: Annotated[Bps, Field(gt=0)] = Field(
        default=Decimal("0.6"), description="Volatility over the model's horizon above which sizes shrink."
    )
    sigma_floor_bps: Annotated[Bps, Field(gt=0)] = Field(
        default=Decimal("0.05"), description="Least volatility that is believed."
    )
    edge_margin_bps: Bps = Field(
        default=Decimal(0),
        description="Expected gain after all costs must exceed this, or nothing is wanted.",
    )
    slippage_bps: Bps = Field(default=Decimal(0), description="Cost of a round trip beyond fees and spread.")
    expected_move_bps: Bps = Field(
        default=Decimal("0.6"),
        description="Mean size of a move over the horizon, where the model does not say.",
    )
    no_trade_band_ratio: Ratio = Field(
        default=Decimal("0.05"), description="Orders below this share of max_notional_quote are not sent."
    )
    max_l1_share_ratio: Ratio = Field(
        default=Decimal(1), description="Largest share of the opposite best size one order may want."
    )


class ExecutionSettings(Section):
    """How orders are worked."""

    entry: Literal["passive", "cross"] = Field(
        default="passive", description="passive: post-only at the touch; cross: take inside the collar."
    )
    collar_bps: Annotated[Bps, Field(gt=0)] = Field(
        default=Decimal(5), description="How far beyond the mid an order that takes may reach."
    )
    requote_ticks: Annotated[Whole, Field(ge=1, le=1_000_000)] = Field(
        default=2, description="An entry this far from the touch is placed anew ..."
    )
    requote_after_ms: Milliseconds = Field(default=500, description="... when it has been for this long.")
    exit_after_s: Seconds = Field(default=30, description="A position older than this is closed.")
    exit_rest_s: Seconds = Field(
        default=5, description="How long an exit rests at the touch before it takes."
    )
    retry_after_ms: Milliseconds = Field(
        default=500, description="Least time between two entries, and between two exits."
    )


class PermitSettings(Section):
    """Ideas on offer and what a person's permit covers."""

    born_after_ms: Milliseconds = Field(
        default=200, description="A card appears when the score has passed the entry for this long."
    )
    offer_s: Seconds = Field(default=8, description="How long a card stays after the score fell away.")
    revise_every_s: Seconds = Field(default=2, description="Least time between two revisions of a card.")
    max_cards_per_minute: Annotated[Whole, Field(ge=1, le=120)] = Field(
        default=6, description="New cards a minute; the rest are counted."
    )
    one_shot_life_s: Seconds = Field(
        default=10, description="How long a permit for one order waits for its moment."
    )
    arming_ms: Annotated[Milliseconds, Field(ge=300)] = Field(
        default=350, description="A permit key is ignored for this long after a card appeared."
    )
    repeat_ms: Milliseconds = Field(default=700, description="A second permit key within this is dropped.")
    decline_s: Seconds = Field(default=30, description="How long a declined side is silent.")
    decline_twice_s: Seconds = Field(default=300, description="How long a side declined twice is silent.")
    window_default_s: Seconds = Field(default=300, description="Length of a window permit as first offered.")
    window_max_s: Annotated[Seconds, Field(le=3_600)] = Field(
        default=1_800, description="Longest window permit; it never renews itself."
    )
    book_lost_s: Seconds = Field(
        default=3, description="A window permit ends when the book was not ok for this long."
    )
    vacated_s: Seconds = Field(default=2, description="How long the row of a card that is gone stays empty.")

    drift_ticks: Annotated[Whole, Field(ge=0, le=1_000_000)] = Field(
        default=2, description="A card's worst price is this far beyond the touch, or by drift_bps ..."
    )
    drift_bps: Bps = Field(
        default=Decimal(1), description="... if that is more, or by half the spread if that is most."
    )

    @model_validator(mode="after")
    def _default_within_max(self) -> PermitSettings:
        most = self.window_max_s
        require(self.window_default_s <= most, f"window_default_s at most window_max_s ({most})")
        return self


class WatchSettings(Section):
    """How a running model is judged by what came true, and what follows."""

    before_proof: Literal["trade", "reduce"] | None = Field(
        default=None,
        examples=["reduce"],
        description="What a model may do before enough of its calls have come of age: trade, or reduce only. "
        "Unset: trade, but in LIVE reduce.",
    )
    least_calls: Annotated[Whole, Field(ge=30, le=1_000_000)] = Field(
        default=200,
        description="Calls that moved and do not overlap, before a skill counts as proven or not.",
    )
    temperature: Literal["shown", "applied"] = Field(
        default="shown", description="What the online temperature is for: to be shown, or applied to sizes."
    )
    fallback: Literal["imbalance", "none"] = Field(
        default="imbalance",
        description="What decides while the model may not: queue imbalance, if its own skill is proven, "
        "or nothing.",
    )


class LimitSettings(Section):
    """Risk limits of one symbol; the first five have no default, for a forgotten limit is no limit."""

    max_qty_base: Annotated[Amount, Field(gt=0)] = Field(
        examples=[Decimal("0.05")], description="Largest order, in the base currency."
    )
    max_notional_quote: Annotated[Amount, Field(gt=0)] = Field(
        examples=[Decimal(5_000)], description="Largest order, in money."
    )
    max_position_quote: Annotated[Amount, Field(gt=0)] = Field(
        examples=[Decimal(15_000)],
        description="Largest position of the symbol, open orders counted as filled.",
    )
    max_gross_quote: Annotated[Amount, Field(gt=0)] = Field(
        examples=[Decimal(25_000)], description="Largest sum of all positions, open orders counted as filled."
    )
    max_daily_loss_quote: Annotated[Amount, Field(gt=0)] = Field(
        examples=[Decimal(400)],
        description="Loss since 00:00 UTC, fees included, at which the session is killed.",
    )
    collar_mid_bps: Annotated[Bps, Field(gt=0)] = Field(
        default=Decimal(50), description="Largest distance of an order's price from the mid."
    )
    collar_last_bps: Annotated[Bps, Field(gt=0)] = Field(
        default=Decimal(50), description="Largest distance of an order's price from the last trade."
    )
    max_book_age_ms: Milliseconds = Field(default=500, description="An older book permits no new risk.")
    max_open_orders: Annotated[Whole, Field(ge=1, le=200)] = Field(
        default=4, description="Working orders at once."
    )
    new_per_second: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=5, description="New orders a second."
    )
    new_burst: Annotated[Whole, Field(ge=1, le=100)] = Field(default=5, description="New orders at once.")
    cancels_per_second: Annotated[Whole, Field(ge=1, le=1_000)] = Field(
        default=20, description="Cancels a second; they have a budget of their own."
    )
    throttle_orders: Annotated[Whole, Field(ge=1, le=10_000)] = Field(
        default=10, description="Orders of the model within throttle_window_s after which it is stopped."
    )
    throttle_window_s: Seconds = Field(default=60, description="Window of throttle_orders.")
    throttle_rejects: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=5, description="Rejects in a row after which the model is stopped."
    )
    throttle_same_side: Annotated[Whole, Field(ge=1, le=10_000)] = Field(
        default=5,
        description="Orders of one side that traded without one of the other; then a person is asked.",
    )
    max_drawdown_quote: Amount = Field(
        default=Decimal(0), description="Fall from the day's best that kills; 0: as max_daily_loss_quote."
    )
    aggressive_times: Annotated[Whole, Field(ge=1, le=1_000)] = Field(
        default=5, description="Largest orders' worth that may be taken on one side within a minute."
    )
    max_spread_bps: Annotated[Bps, Field(gt=0)] = Field(
        default=Decimal(50), description="A wider spread permits no new risk."
    )
    max_jump_bps: Annotated[Bps, Field(gt=0)] = Field(
        default=Decimal(100), description="A larger move of the mid within a second permits no new risk."
    )
    max_jump_sigmas: Annotated[Whole, Field(ge=0, le=1_000)] = Field(
        default=20,
        description="Nor does a move of so many usual ones, known after 30 s; 0: max_jump_bps alone.",
    )
    max_touch_quote: Annotated[Amount, Field(gt=0)] = Field(
        default=Decimal(1_000_000_000), description="More than this at a best price is no market."
    )
    max_market_breaches: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=3,
        description="So often within a minute no sound market, and the model is stopped on the symbol.",
    )
    max_orders_per_trade: Annotated[Whole, Field(ge=1, le=100_000)] = Field(
        default=100, description="Orders of the model within ten minutes for each that traded."
    )
    margin_percent: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=5, description="What a margin position binds of its worth; 5 is leverage 20."
    )
    max_margin_percent: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=50, description="Most of the account that margin positions may bind, open orders as filled."
    )
    duplicate_window_ms: Milliseconds = Field(
        default=500, description="The same order again within this is a duplicate."
    )

    @model_validator(mode="after")
    def _order_within_position_within_gross(self) -> LimitSettings:
        order, position, gross = self.max_notional_quote, self.max_position_quote, self.max_gross_quote
        require(order <= position, f"max_notional_quote at most max_position_quote ({position})")
        require(position <= gross, f"max_position_quote at most max_gross_quote ({gross})")
        return self
