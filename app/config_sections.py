"""The settings a person can write, section by section, each with its unit, range and meaning.

Names carry the unit: `_ms` and `_s` are times, `_bps` is 1e-4 of the price, `_quote` and `_base` are amounts
of that currency, `_ratio` is a share of one. Numbers are exact decimals; a setting with more decimals than
the core can hold is refused instead of rounded. Defaults are those of `pipeline.core.params`.
How files and variables become a `Config` is in `config.py`, what the core gets of it in `config_build.py`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ENVIRONMENT_PREFIX = "LOBDECK_"


def _exact(value: object) -> Decimal:
    """Take a number as it was written; text and booleans are not numbers."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(repr(value))
    raise PydanticCustomError("number", "Input should be a number")


Whole = Annotated[int, Strict()]
Number = Annotated[Decimal, BeforeValidator(_exact)]
Ratio = Annotated[Number, Field(ge=0, le=1, decimal_places=6)]
Bps = Annotated[Number, Field(ge=0, le=10_000, decimal_places=2)]
Amount = Annotated[Number, Field(ge=0, le=10**12, decimal_places=8)]
Multiple = Annotated[Number, Field(gt=0, le=100, decimal_places=6)]
Milliseconds = Annotated[Whole, Field(ge=1, le=3_600_000)]
Seconds = Annotated[Whole, Field(ge=1, le=86_400)]


class Section(BaseModel):
    """A table of the file: unknown keys are refused, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _require(holds: bool, wanted: str) -> None:
    """Refuse settings that contradict each other.

    Raises:
        PydanticCustomError: `holds` is false; it says what was wanted.

    """
    if not holds:
        raise PydanticCustomError("contradiction", "{wanted}", {"wanted": wanted})


class SessionSettings(Section):
    """How a session starts and ends."""

    authority: Literal["observe", "approve", "auto"] | None = Field(
        default=None,
        examples=["approve"],
        description="What the machine may do at the start: observe, approve or auto. Unset: approve. "
        "LIVE always starts in observe.",
    )
    linger_s: Annotated[Whole, Field(ge=0, le=86_400)] = Field(
        default=60,
        description="A session nobody watches ends after this, unless it was detached; 0 never ends it.",
    )
    journal_segment_mb: Annotated[Whole, Field(ge=1, le=4_096)] = Field(
        default=64, description="Size of one journal segment; it is preallocated."
    )
    home_base: Amount = Field(
        default=Decimal(10), description="Base currency the SIM, PAPER or REPLAY account opens with."
    )
    balance_quote: Amount = Field(
        default=Decimal(1_000_000), description="Quote currency the SIM, PAPER or REPLAY account opens with."
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
        _require(self.leave_above_half < entry, f"leave_above_half below entry_above_half ({entry})")
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
        _require(self.window_default_s <= most, f"window_default_s at most window_max_s ({most})")
        return self


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
    duplicate_window_ms: Milliseconds = Field(
        default=500, description="The same order again within this is a duplicate."
    )

    @model_validator(mode="after")
    def _order_within_position_within_gross(self) -> LimitSettings:
        order, position, gross = self.max_notional_quote, self.max_position_quote, self.max_gross_quote
        _require(order <= position, f"max_notional_quote at most max_position_quote ({position})")
        _require(position <= gross, f"max_position_quote at most max_gross_quote ({gross})")
        return self


class HealthSettings(Section):
    """When a slow or silent part is reported, and when it takes authority away."""

    stale_after_ms: Milliseconds = Field(default=2_000, description="A book silent for this long is STALE.")
    latency_warn_ms: Milliseconds = Field(
        default=20, description="Delay from receive to decision that warns."
    )
    latency_degrade_ms: Milliseconds = Field(default=200, description="Delay that lowers the authority.")
    loop_lag_warn_ms: Milliseconds = Field(default=100, description="Lag of the session's loop that warns.")
    loop_lag_halt_ms: Milliseconds = Field(default=500, description="Lag of the session's loop that halts.")
    clock_warn_ms: Milliseconds = Field(default=50, description="Offset from the venue's clock that warns.")
    clock_halt_ms: Milliseconds = Field(default=500, description="Offset that stops new orders.")
    locked_grace_ms: Milliseconds = Field(
        default=100, description="How long best bid and ask may be equal before the book counts as crossed."
    )
    memory_warn_mb: Annotated[Whole, Field(ge=64, le=1_048_576)] = Field(
        default=1_024, description="Memory of the session that warns."
    )

    @model_validator(mode="after")
    def _warn_before_acting(self) -> HealthSettings:
        for warn, act in (
            ("latency_warn_ms", "latency_degrade_ms"),
            ("loop_lag_warn_ms", "loop_lag_halt_ms"),
            ("clock_warn_ms", "clock_halt_ms"),
        ):
            limit = getattr(self, act)
            _require(getattr(self, warn) <= limit, f"{warn} at most {act} ({limit})")
        return self


class WorkerSettings(Section):
    """The inference processes."""

    count: Annotated[Whole, Field(ge=1, le=64)] = Field(default=2, description="Worker processes.")
    spares: Annotated[Whole, Field(ge=0, le=8)] = Field(
        default=1, description="Warm processes that take over at once; each costs about 60 MB."
    )
    ring_depth: Annotated[Whole, Field(ge=1, le=4_096)] = Field(
        default=64,
        description="Rows a worker's queue holds, a power of two; deeper means older answers, not more.",
    )
    deadline_ms: Milliseconds = Field(default=50, description="An answer later than this is dropped.")
    hang_ms: Milliseconds = Field(
        default=400, description="A worker silent for this long with rows in flight is killed and replaced."
    )
    restart_first_ms: Milliseconds = Field(default=50, description="Wait before a dead worker's restart.")
    restart_max_ms: Milliseconds = Field(default=5_000, description="The wait doubles up to this.")

    @model_validator(mode="after")
    def _depth_and_orders(self) -> WorkerSettings:
        depth, hang, most = self.ring_depth, self.hang_ms, self.restart_max_ms
        _require(depth.bit_count() == 1, f"ring_depth a power of two, as {1 << depth.bit_length() - 1}")
        _require(self.deadline_ms <= hang, f"deadline_ms at most hang_ms ({hang})")
        _require(self.restart_first_ms <= most, f"restart_first_ms at most restart_max_ms ({most})")
        return self


class FeedSettings(Section):
    """Live market data."""

    base_url: Annotated[str, Field(max_length=200)] = Field(
        default="",
        examples=["ws://127.0.0.1:9000"],
        description="A server that answers streams and requests in the venue's place. Unset: the venue.",
    )
    orders_url: Annotated[str, Field(max_length=200)] = Field(
        default="",
        examples=["wss://ws-api.testnet.binance.vision/ws-api/v3"],
        description="Where LIVE orders go, with its path. Unset: the server of base_url, else the venue.",
    )
    max_frame_mb: Annotated[Whole, Field(ge=1, le=1_024)] = Field(
        default=32, description="A message beyond this ends its connection."
    )
    first_message_ms: Milliseconds = Field(
        default=5_000, description="A channel silent for so long after connecting is reported."
    )
    silent_depth_ms: Milliseconds = Field(
        default=10_000, description="A depth or ticker channel silent for so long is reported."
    )
    silent_trades_ms: Milliseconds = Field(
        default=60_000, description="The same for a trade channel; quiet symbols print seldom."
    )
    deaf_ms: Milliseconds = Field(
        default=30_000, description="A connection that brings no message for so long is replaced."
    )
    reconnect_first_ms: Milliseconds = Field(
        default=500, description="Longest wait before the first reconnection; the wait is drawn below it."
    )
    reconnect_max_ms: Milliseconds = Field(
        default=30_000, description="The longest wait doubles up to this while connecting fails."
    )
    reconnects: Annotated[Whole, Field(ge=1, le=300)] = Field(
        default=30, description="Connections each route may open in ten minutes."
    )
    notice_age_ms: Annotated[Milliseconds, Field(le=3_600_000)] = Field(
        default=5_000, description="A venue's notice of its end is heeded on connections at least so old."
    )
    snapshot_levels: Annotated[Whole, Field(ge=5, le=5_000)] = Field(
        default=1_000, description="Levels of each side a whole book is asked for with."
    )

    @model_validator(mode="after")
    def _waits_rise(self) -> FeedSettings:
        most = self.reconnect_max_ms
        _require(self.reconnect_first_ms <= most, f"reconnect_first_ms at most reconnect_max_ms ({most})")
        return self


class ReplaySettings(Section):
    """The virtual delays of a replay and of the paper venue."""

    inference_latency_ms: Annotated[Milliseconds, Field(le=60_000)] = Field(
        default=2, description="From decision to answer; workers are waited for, so this is exact."
    )
    ack_latency_ms: Annotated[Milliseconds, Field(le=60_000)] = Field(
        default=12, description="From order to the paper venue's acknowledgement."
    )
    cancel_latency_ms: Annotated[Milliseconds, Field(le=60_000)] = Field(
        default=12, description="From cancel to the paper venue's acknowledgement."
    )


class ConsoleSettings(Section):
    """The screen."""

    frame_rate_hz: Annotated[Whole, Field(ge=1, le=30)] = Field(
        default=10, description="Pictures a second on a good terminal."
    )
    slow_frame_rate_hz: Annotated[Whole, Field(ge=1, le=30)] = Field(
        default=4, description="Pictures a second while the terminal does not keep up."
    )

    @model_validator(mode="after")
    def _slow_is_slower(self) -> ConsoleSettings:
        most = self.frame_rate_hz
        _require(self.slow_frame_rate_hz <= most, f"slow_frame_rate_hz at most frame_rate_hz ({most})")
        return self


def _symbol(name: str) -> str:
    """Take a symbol as venues print it.

    Raises:
        PydanticCustomError: it has characters no symbol has.

    """
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{0,31}", name):
        raise PydanticCustomError("symbol", "Input should be a symbol in capitals, as BTCUSDT")
    return name


Symbol = Annotated[str, AfterValidator(_symbol)]


class Config(BaseSettings):
    """All settings; each section may be missing, each value has the default that is safe to start with."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__"
    )

    session: SessionSettings = SessionSettings()
    decision: DecisionSettings = DecisionSettings()
    sizing: SizingSettings = SizingSettings()
    execution: ExecutionSettings = ExecutionSettings()
    permits: PermitSettings = PermitSettings()
    limits: Annotated[dict[Symbol, LimitSettings], Field(max_length=256)] = Field(
        default={},
        description="Limits by symbol, as [limits.BTCUSDT]. A symbol without them cannot trade in LIVE.",
    )
    health: HealthSettings = HealthSettings()
    workers: WorkerSettings = WorkerSettings()
    feed: FeedSettings = FeedSettings()
    replay: ReplaySettings = ReplaySettings()
    console: ConsoleSettings = ConsoleSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_config` merged and nothing else, so that every value's source is known."""
        return (init_settings,)
