"""Frozen parameters of the core; `app/config.py` validates what a person wrote and builds these.

Fractions are integers of 1e-6, money is in 1e-8 of the quote currency, times are in nanoseconds. The
journal's header stores the whole tree, so that a journal can be replayed without the configuration file.
"""

from __future__ import annotations

import enum
import hashlib

import msgspec

from pipeline.core.types import Authority, Instrument, VenueMode

MS = 1_000_000
SECOND = 1_000_000_000


class Shape(enum.StrEnum):
    """How size grows with the thresholded score (MODELS 3.3)."""

    LINEAR = "LINEAR"
    POWER = "POWER"
    Z_CDF = "Z_CDF"
    KELLY = "KELLY"


class DecisionParams(msgspec.Struct, frozen=True):
    """When a score becomes a signal."""

    entry_e6: int = 120_000
    """|p_eff - 0.5| (half the score) at which a side is entered, in [0, 500000)."""
    leave_e6: int = 60_000
    """|p_eff - 0.5| below which it is left; < entry_e6."""
    grid_ns: int = 100 * MS
    min_interval_ns: int = 20 * MS
    """Least time between decisions triggered by a change of the best prices or sizes."""
    max_row_age_ns: int = 200 * MS
    """A prediction whose row is older than this is stale and decides nothing."""


class SizingParams(msgspec.Struct, frozen=True):
    """How much (MODELS 3.1)."""

    shape: Shape = Shape.LINEAR
    power_gamma: float = 2.0
    kelly_fraction: float = 0.25
    kelly_win_e6: int = 100
    """Mean favourable move in 1e-6 of the price; 100 is one basis point."""
    kelly_loss_e6: int = 100
    kelly_reference: float = 0.25
    """Kelly fraction that counts as full size."""
    max_notional_quote_e8: int = 1_000 * 100_000_000
    """N_max: target notional at full confidence."""
    sigma_target_e6: int = 60
    """Volatility over the horizon at which sizes start to be scaled down, in 1e-6 of the price."""
    sigma_floor_e6: int = 5
    edge_margin_e6: int = 0
    """Net edge must exceed this."""
    slippage_e6: int = 0
    expected_move_e6: int = 60
    """E|r| given a move over the horizon, where the model's manifest gives none."""
    no_trade_band_e6: int = 50_000
    """Orders below this share of N_max are not worth their message, unless they close to flat."""
    max_l1_share_e6: int = 1_000_000
    """Largest share of the opposite best size one order may want."""


class EntryStyle(enum.StrEnum):
    """How an entry meets the book."""

    PASSIVE = "PASSIVE"
    CROSS = "CROSS"


class ExecutionParams(msgspec.Struct, frozen=True):
    """How orders are worked (DESIGN section 4, execution policy)."""

    entry: EntryStyle = EntryStyle.PASSIVE
    collar_e6: int = 500
    """How far beyond the mid an aggressive order may reach; 500 is 5 basis points."""
    requote_ticks: int = 2
    """An entry this far off the touch ..."""
    requote_after_ns: int = 500 * MS
    """... for this long is cancelled, and placed anew while the decision stands."""
    exit_after_ns: int = 30 * SECOND
    """A position older than this is closed, as is one whose score flipped."""
    exit_rest_ns: int = 5 * SECOND
    """How long an exit rests at the touch before it takes."""
    retry_after_ns: int = 500 * MS
    """Least time between two entries, and between two exits: what a refused order waits before the next."""


class PermitParams(msgspec.Struct, frozen=True):
    """Ideas, cards and permits (INTERACTION 1.4)."""

    born_after_ns: int = 200 * MS
    offer_ns: int = 8 * SECOND
    """How long a card stands after the score left."""
    revise_every_ns: int = 2 * SECOND
    max_cards_a_minute: int = 6
    one_shot_life_ns: int = 10 * SECOND
    arming_ns: int = 350 * MS
    repeat_ns: int = 700 * MS
    """A second permit key within this is dropped."""
    decline_ns: int = 30 * SECOND
    decline_twice_ns: int = 300 * SECOND
    window_default_ns: int = 300 * SECOND
    window_max_ns: int = 1_800 * SECOND
    book_lost_ns: int = 3 * SECOND
    """A window ends when the book has not been ok for this long."""
    vacated_ns: int = 2 * SECOND
    drift_ticks: int = 2
    """A card's worst price stands beyond the touch by the widest of this, `drift_e6` and half the spread."""
    drift_e6: int = 100
    """The same in 1e-6 of the price; 100 is one basis point."""


class RiskLimits(msgspec.Struct, frozen=True):
    """Limits of one symbol and of the account (CONTROLS C1-C16); a symbol without limits cannot trade."""

    profile: str
    """`practice`, or the file the limits were read from."""
    max_qty_lots: int
    max_notional_quote_e8: int
    max_position_quote_e8: int
    max_gross_quote_e8: int
    max_daily_loss_quote_e8: int
    collar_mid_e6: int = 5_000
    collar_last_e6: int = 5_000
    max_book_age_ns: int = 500 * MS
    max_open_orders: int = 4
    new_per_second: int = 5
    new_burst: int = 5
    cancels_per_second: int = 20
    throttle_orders: int = 10
    throttle_window_ns: int = 60 * SECOND
    throttle_rejects: int = 5
    duplicate_window_ns: int = 500 * MS
    max_drawdown_quote_e8: int = 0
    """Most the day may fall from its best; 0: as much as `max_daily_loss_quote_e8` (C6)."""
    aggressive_times: int = 5
    """Times `max_notional_quote_e8` that may be taken on one side within a minute (C4)."""
    max_spread_e6: int = 5_000
    """A wider spread adds no risk (C20)."""
    max_jump_e6: int = 10_000
    """A mid further than this from the one of a second ago adds no risk (C20)."""
    max_jump_sigmas: int = 20
    """Nor one further than so many of its usual moves, once they are known; 0 for no such bound (C20)."""
    max_touch_quote_e8: int = 1_000_000_000 * 10**8
    """More than this at a best price is no market (C20)."""
    max_market_breaches: int = 3
    """So often within a minute, and the model stops here until a person lets it go on (C20)."""
    max_orders_per_trade: int = 100
    """Model orders within ten minutes for each that traded, and for the first one (C7)."""
    margin_percent: int = 5
    """What a margin position binds of its worth; a twentieth is leverage 20 (C6)."""
    max_margin_percent: int = 50
    """Most of the account that positions may bind, every order counted as filled (C6); margin only."""
    throttle_same_side: int = 5
    """Orders of one side that traded without one of the other side; more need a person (C8)."""


class HealthParams(msgspec.Struct, frozen=True):
    """Thresholds of the health agents."""

    stale_after_ns: int = 2 * SECOND
    """Silence of a book's channels after which it is STALE."""
    latency_warn_ns: int = 20 * MS
    """recv -> decision above this warns; the agent degrades authority at ten times as much."""
    latency_degrade_ns: int = 200 * MS
    loop_lag_warn_ns: int = 100 * MS
    loop_lag_halt_ns: int = 500 * MS
    clock_warn_ns: int = 50 * MS
    clock_halt_ns: int = 500 * MS
    locked_grace_ns: int = 100 * MS
    memory_warn_mb: int = 1_024
    memory_halt_mb: int = 4_096
    disk_warn_percent: int = 5
    """Free share of the journal's disk; below `disk_halt_percent` the session is HALTED."""
    disk_halt_percent: int = 2
    files_warn_percent: int = 80
    files_halt_percent: int = 95
    feed_lag_warn_ns: int = 100 * MS
    feed_lag_halt_ns: int = 250 * MS
    """News that comes so much later than usual holds the symbol's new orders back."""
    misses_warn_percent: int = 60
    misses_degrade_percent: int = 70
    """Share of the model's last judged calls that were wrong; more lowers AUTO to APPROVE."""
    bad_answers: int = 3
    """So many bad answers within ten seconds stop the model (C19)."""
    frozen_rows: int = 500
    """So many equal answers in a row while the best prices moved stop the model."""
    worker_deadline_ns: int = 50 * MS


class WatchParams(msgspec.Struct, frozen=True):
    """How a running model is judged by what came true (MODELS 4.6)."""

    trade_unproven: bool = True
    """What holds before enough calls have come of age: entries, or reductions only."""
    least_calls: int = 200
    """Calls that moved and do not overlap, before anything counts as proven or not."""
    temper: bool = False
    """True: the online temperature is applied before sizing; False: it is shown."""
    fallback: bool = True
    """Queue imbalance decides while the model may not, if its own skill is proven."""


class ModelSpec(msgspec.Struct, frozen=True):
    """What the engine must know of the model in use; read from the model's own metadata."""

    model_id: str
    name: str
    generation: int
    schema_hash: str
    features: tuple[str, ...]
    horizon_ms: int
    binary: bool
    """True: the model gives P(up | the mid moves) and p_flat is 0."""
    sigma_train_e6: int
    """Training volatility over the horizon in 1e-6 of the price; used until realised volatility is ready."""
    mean_move_e6: int
    """E|r| given a move over the horizon, in 1e-6 of the price."""
    move_rate_e6: int
    """P(move) over the horizon in training, in 1e-6."""
    window: int = 1
    """Rows the model reads at once, see `row_window.py`."""

    @property
    def width(self) -> int:
        """Give how many numbers one request holds."""
        return self.window * len(self.features)

    delay_ms: int = 0
    """From the decision to the first price of its outcome."""
    reference_e6: tuple[tuple[int, ...], ...] = ()
    """Inner decile edges of each feature in training, in the row's order; empty where none are declared."""


class EngineParams(msgspec.Struct, frozen=True):
    """Everything an engine is built from."""

    mode: VenueMode
    authority: Authority
    instruments: tuple[Instrument, ...]
    model: ModelSpec | None
    decision: DecisionParams
    sizing: SizingParams
    execution: ExecutionParams
    permits: PermitParams
    limits: dict[str, RiskLimits]
    """By symbol; a symbol that is missing here cannot trade."""
    health: HealthParams
    watch: WatchParams = WatchParams()
    session_number: int = 1
    home_base_e8: int = 0
    """Base currency held at session start, in 1e-8; the position is the balance minus this."""
    balance_quote_e8: int = 0
    ring_depth: int = 64
    shadows: tuple[ModelSpec, ...] = ()
    """Models scored beside the live one from the start, each with a generation of its own."""

    def digest(self) -> str:
        """Give the sha256 of the canonical MessagePack of all parameters, in hex; the `policy_hash`."""
        return hashlib.sha256(msgspec.msgpack.encode(self, order="sorted")).hexdigest()
