"""What the console draws: one immutable `ConsoleSnapshot`, one slice a panel.

Built by the engine at frame rate, sent as MessagePack, drawn by `widgets`. Widgets do no arithmetic beyond
layout: every derived number, age and reason is here. Prices are in ticks, book sizes in size units,
quantities in lots, money in 1e-8 quote units, scores in 1e-6; `InstrumentView` has the scales to print
them. Ages are in milliseconds at `ts_ns`; -1 means it never happened.
"""

from __future__ import annotations

import msgspec

from pipeline.core.snapshot_machine import (
    ChainView,
    FeatureRow,
    FeedView,
    ModelView,
    ReplayView,
    StageView,
    WorkerView,
)
from pipeline.core.snapshot_market import (
    ChartView,
    ImbalanceView,
    InstrumentView,
    LadderView,
    OtherSymbol,
    ScoreView,
    TapeView,
)
from pipeline.core.snapshot_model import (
    DRIFT_WAITS,
    DecileView,
    DriftView,
    FateView,
    RecordView,
    SkillView,
    WatchView,
)
from pipeline.core.types import (
    Authority,
    OrderState,
    Severity,
    Side,
    TradingState,
    VenueMode,
)

__all__ = [
    "AlertView",
    "ChainView",
    "ChartView",
    "ConsoleSnapshot",
    "CountsView",
    "DRIFT_WAITS",
    "DecileView",
    "DriftView",
    "FateView",
    "FeatureRow",
    "FeedView",
    "HeaderView",
    "ImbalanceView",
    "InstrumentView",
    "KillView",
    "LadderView",
    "LimitRow",
    "ModelView",
    "NONE_E6",
    "OrderView",
    "OtherSymbol",
    "PermitView",
    "PositionView",
    "ProposalView",
    "ReplayView",
    "RecordView",
    "ScoreView",
    "SkillView",
    "StageView",
    "StartView",
    "TapeView",
    "WatchView",
    "WhyView",
    "WorkerView",
]

NONE_E6 = 1 << 52
"""What stands where a number in 1e-6 is not known or not ready; far outside of all that can be."""


class HeaderView(msgspec.Struct, frozen=True, eq=False):
    """The three axes and what must never leave the screen."""

    mode: VenueMode
    authority: Authority
    trading_state: TradingState
    session: str
    operator: str
    controllers: int
    """Consoles attached."""
    model: str
    """`name@id8`, or empty without a model."""
    gate_open: bool
    gate_closers: tuple[str, ...]
    position_lots: int
    day_quote_e8: int
    loss_used_e6: int
    """Share of the daily loss limit used, 1e-6; -1 without a limit."""
    loss_limit_quote_e8: int
    gross_quote_e8: int
    unmanaged_lots: int
    """Position no exit rule manages; 0 normally."""
    alerts_unnoted: int
    window: str
    """State of the window permit as the status line prints it, e.g. `both 3:41 12/20`; empty without one.

    Of another symbol it begins with that symbol."""
    limits_profile: str
    replay: ReplayView | None
    model_note: str = ""
    """What there is to say of the models beside the live one's name; empty for nothing."""
    model_loading: bool = False
    """A model is being loaded: a swap is under way."""


class KillView(msgspec.Struct, frozen=True, eq=False):
    """The kill in progress or latched; None on the snapshot while the gate is open."""

    latched: bool
    who: str
    reason: str
    ts_ns: int
    ours_total: int
    cancels_sent: int
    gone: int
    filled_late: int
    unknown: int
    position_lots: int
    """Of the symbol on the screen, as the value; those of the others are in `others`."""
    position_quote_e8: int
    confirmed_ts_ns: int
    """When the venue reported zero orders; 0 before."""
    choosing: bool = False
    """Ours are not cancelled yet: a person may still choose."""
    left: bool = False
    """A person left ours resting."""
    account: bool = False
    """Every order of the account is being cancelled, foreign ones too."""


class StartView(msgspec.Struct, frozen=True, eq=False):
    """What an earlier session left and nobody has settled; quantities as exact texts, signed."""

    session: str
    """Whose journal the books are from; empty for none."""
    orders_known: int
    orders_unknown: int
    """Ours by their ids, and in no journal."""
    missed: tuple[tuple[str, int, str], ...]
    """(symbol, fills, net quantity) the journal did not have."""
    balances: tuple[tuple[str, str, str], ...]
    """(symbol, expected, found) of the base currency where they differ."""
    held: tuple[tuple[str, str], ...]
    """(symbol, position) as the books have it."""
    trouble: str
    canceling: bool


class WhyView(msgspec.Struct, frozen=True, eq=False):
    """Why (not): the funnel of the last 60 s and what stopped the rest."""

    decisions: int
    past_entry: int
    pays: int
    offered: int
    permitted: int
    declined: int
    lapsed: int
    sent: int
    stopped: tuple[tuple[str, int], ...]
    """(reason, count) of the last 60 s, most frequent first."""
    score_e6: int
    entry_e6: int
    gross_edge_e6: int
    """Expected edge before costs in 1e-6 of the price; 100 is one basis point."""
    cost_e6: int
    net_edge_e6: int
    maker_e6: int
    taker_e6: int
    fee_source: str
    p_star_maker_e6: int
    """Probability at which a maker round trip breaks even; above 1e6 means never."""
    p_star_taker_e6: int
    planted: bool
    """True in SIM: the flow is planted, profit here means nothing."""


class ProposalView(msgspec.Struct, frozen=True, eq=False):
    """One card: an idea on offer, as it is bound by (idea_id, revision)."""

    idea_id: int
    revision: int
    symbol: str
    side: Side
    qty_lots: int
    notional_quote_e8: int
    worst_ticks: int
    passive: bool
    score_e6: int
    entry_e6: int
    leave_e6: int
    p_up_e6: int
    p_flat_e6: int
    p_down_e6: int
    edge_e6: int
    """Expected move in favour of the card's own side: negative when the score has flipped."""
    cost_e6: int
    net_e6: int
    net_quote_e8: int
    after_lots: int
    worst_case_lots: int
    worst_share_e6: int
    """Worst case as a share of the position limit."""
    life_ms: int
    """How long a permit would live."""
    offer_left_ms: int
    armed: bool
    """False within the arming time after the card appeared or changed."""
    exit_after_ms: int
    exit_rest_ms: int
    collar_e6: int
    model: str
    horizon_ms: int
    row_age_ms: int
    live: bool
    """True while the score passes the entry now."""
    waits_for: str = ""
    """Code of why no order of it would go now; empty when live."""
    content_hash: str = ""
    """Hash of the card's fixed part; a press says which one it saw."""


class PermitView(msgspec.Struct, frozen=True, eq=False):
    """One permit, open or just ended."""

    permit_id: int
    kind: str
    """`one-shot`, `window` or `auto`."""
    idea_id: int
    who: str
    side: int
    """+1, -1, 0 for both."""
    qty_lots: int
    worst_ticks: int
    used: int
    max_orders: int
    left_ms: int
    state: str
    """`waiting`, `used`, `open`, `ended`."""
    why: str
    """Reason code of the end or of the wait; empty while nothing is to be said."""
    passive: bool
    symbol: str = ""


class OrderView(msgspec.Struct, frozen=True, eq=False):
    """One line of the blotter."""

    number: int
    client_order_id: str
    state: OrderState
    symbol: str
    side: Side
    qty_lots: int
    filled_lots: int
    price_ticks: int
    avg_half_ticks: int
    """Twice the average fill price in ticks; 0 without fills."""
    post_only: bool
    queue_ahead_units: int
    """Paper and sim: size ahead of us; -1 unknown."""
    age_ms: int
    ack_us: int
    """Send to acknowledgement; -1 before."""
    origin: str
    reason: str
    permit_id: int


class PositionView(msgspec.Struct, frozen=True, eq=False):
    """Position and profit of the selected symbol and the account."""

    lots: int
    avg_price_e8: int
    """Average entry price in 1e-8 quote units for one base unit; 0 when flat."""
    notional_quote_e8: int
    limit_share_e6: int
    open_quote_e8: int
    """Marked at the price one could leave at."""
    exit_fee_quote_e8: int
    closed_quote_e8: int
    fees_quote_e8: int
    day_quote_e8: int
    loss_limit_quote_e8: int
    loss_used_e6: int
    drawdown_quote_e8: int
    fills: int
    maker_share_e6: int
    worst_case_lots: int
    after_1s_e6: int
    """Mean signed mid move after our fills, 1e-6 of the price; NONE_E6 = none matured."""
    after_10s_e6: int
    home_base_e8: int
    exit_resting: bool
    dust: bool = False
    """Less than the venue takes as an order: it cannot be sold."""


class CountsView(msgspec.Struct, frozen=True, eq=False):
    """Totals of the session for the order panel's foot."""

    sent: int
    filled: int
    canceled: int
    rejected: int
    denied: int
    unknown: int
    foreign: int
    press_to_sent_p50_ms: int
    press_to_sent_p90_ms: int


class AlertView(msgspec.Struct, frozen=True, eq=False):
    """One alert; widgets make the words from the code, detail and values."""

    alert_id: int
    ts_ns: int
    code: str
    severity: Severity
    symbol: str
    detail: str
    values: tuple[int, ...]
    noted_by: str
    repeats: int = 0


class LimitRow(msgspec.Struct, frozen=True, eq=False):
    """One limit and how much of it is used."""

    name: str
    limit_text: str
    used_text: str
    used_e6: int


class ConsoleSnapshot(msgspec.Struct, frozen=True, eq=False):
    """Everything one frame of the console shows; `seq` rises by one with each."""

    seq: int
    ts_ns: int
    """The engine's time: the capture's in REPLAY."""
    instrument: InstrumentView
    symbols: tuple[str, ...]
    header: HeaderView
    kill: KillView | None
    ladder: LadderView
    chart: ChartView
    score: ScoreView
    imbalance: ImbalanceView
    why: WhyView
    proposals: tuple[ProposalView, ...]
    permits: tuple[PermitView, ...]
    snoozed: tuple[tuple[str, int, int], ...]
    """Declined sides: (symbol, side, milliseconds left)."""
    orders: tuple[OrderView, ...]
    counts: CountsView
    position: PositionView
    tape: TapeView
    alerts: tuple[AlertView, ...]
    chain: ChainView
    limits: tuple[LimitRow, ...]
    model: ModelView | None
    others: tuple[OtherSymbol, ...] = ()
    """The other symbols of the session, in its order."""
    start: StartView | None = None
    """None while nothing waits to be settled from before."""
