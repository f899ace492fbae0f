"""The slices of the picture that show the market: book, chart, score, imbalance, tape.

Units and rules are those of `snapshot.py`, from which everybody takes them.
"""

from __future__ import annotations

import msgspec

from pipeline.core.types import BookState


class InstrumentView(msgspec.Struct, frozen=True, eq=False):
    """Scales of the selected symbol: price = ticks * tick_units / 10**price_decimals, and so on."""

    venue: str
    symbol: str
    base: str
    quote: str
    price_decimals: int
    tick_units: int
    size_decimals: int
    lot_units: int
    lot_decimals: int


class OtherSymbol(msgspec.Struct, frozen=True, eq=False):
    """A symbol of the session that is not the one on the screen: its scales, and what is open there."""

    instrument: InstrumentView
    lots: int
    notional_quote_e8: int
    orders: int
    """Our orders the venue has or may have."""
    exit_resting: bool
    dust: bool = False
    """As in `PositionView`."""


class LadderView(msgspec.Struct, frozen=True, eq=False):
    """The book around the touch; `bids` and `asks` best first, (price_ticks, size_units)."""

    state: BookState
    age_ms: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    mine: tuple[tuple[int, int, str, str], ...]
    """Our orders: (price_ticks, signed lots, order state, client_order_id)."""
    last_price_ticks: int
    last_side: int
    """+1 buy, -1 sell, 0 none yet."""
    range_10s_ticks: int
    """High minus low of the mid over 10 s, in ticks."""
    mid_half_ticks: int
    """Twice the mid in ticks; 0 while there is none."""
    gaps: int
    last_gap_age_ms: int


class ChartView(msgspec.Struct, frozen=True, eq=False):
    """60 s of the mid, oldest first; one point each 250 ms, 0 where there was no ok book."""

    mid_half_ticks: tuple[int, ...]
    marks: tuple[tuple[int, int, int], ...]
    """Our fills: (index into the path, signed lots, price_ticks)."""
    spread_ticks: int


class ScoreView(msgspec.Struct, frozen=True, eq=False):
    """The model's opinion and how its last calls came out."""

    p_up_e6: int
    p_flat_e6: int
    p_down_e6: int
    score_e6: int
    entry_e6: int
    """Score (twice the half-score threshold) at which an entry starts; compare with |score_e6|."""
    leave_e6: int
    age_ms: int
    """Age of the row the newest prediction was made from."""
    ready: bool
    not_ready: tuple[str, ...]
    """Features that are not ready yet, by name."""
    horizon_ms: int
    path_e6: tuple[int, ...]
    """60 s of the score, oldest first, one point each 250 ms; NONE_E6 where there was none."""
    came_true: str
    """Newest last: `+` right, `-` wrong, `.` no move."""


class ImbalanceView(msgspec.Struct, frozen=True, eq=False):
    """Order-book imbalance and flow; ratios in 1e-6, NONE_E6 = not ready."""

    qi_1_e6: int
    qi_5_e6: int
    qi_10_e6: int
    dwi_e6: int
    micro_dev_e6: int
    """Microprice minus mid in 1e-6 ticks."""
    ofi_1s_e6: int
    """OFI over 1 s in 1e-6 depths."""
    ofi_5s_e6: int
    tfi_1s_e6: int
    age_ms: int


class TapeView(msgspec.Struct, frozen=True, eq=False):
    """Newest prints first: (ts_ns, side, price_ticks, size_units)."""

    prints: tuple[tuple[int, int, int, int], ...]
    large_units: int
    """Prints at or above this size are marked."""
