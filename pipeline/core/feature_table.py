"""The table of features: one `FeatureSpec` each, in the order of the reference page.

When a formula's numbers change, its version here changes; the digest test fails until it does. Deliberately
absent: VPIN (a diagnostic, never an input), and Stoikov's micro-price, whose table is fitted offline and
therefore belongs into a model's graph.
"""

from __future__ import annotations

from typing import Final

from pipeline.core.feature_spec import FeatureSpec, Missing, Needs, Parity

OFI_WINDOWS_MS: Final = (1_000, 5_000)
TFI_WINDOWS_MS: Final = (1_000, 5_000)
RET_WINDOWS_MS: Final = (100, 1_000, 5_000)
MLOFI_WINDOW_MS: Final = 1_000
MLOFI_LEVELS: Final = 5
TOP_LEVELS: Final = 10
DECAY_LEVELS: Final = 3
"""Level i of the weighted imbalance has weight exp(-(i - 1) / this)."""
BAND_BPS: Final = 5
DEPTH_TAU_MS: Final = 30_000
LEVEL_DEPTH_TAU_MS: Final = 3_000
VOLATILITY_TAU_MS: Final = 30_000
VOLATILITY_STEP_MS: Final = 1_000
SIGNED_TAU_MS: Final = 3_000
TRADE_SIZE_TAU_MS: Final = 60_000
CANCEL_TAU_MS: Final = 5_000
RATE_TAU_MS: Final = 1_000
IMBALANCE_TAU_MS: Final = 1_500

ONE: Final = (-1_000_000, 1_000_000)
SHARE: Final = (0, 1_000_000)
TEN: Final = (-10_000_000, 10_000_000)
LOG: Final = (0, 15_000_000)


def _imbalance(levels: int, min_levels: int, needs: Needs) -> FeatureSpec:
    return FeatureSpec(
        name=f"qi_{levels}",
        formula="queue_imbalance",
        version=1,
        unit="ratio",
        parity=Parity.ODD,
        needs=needs,
        range_e6=ONE,
        summary=f"(SB - SA) / (SB + SA), sizes of the best {levels} levels",
        levels=levels,
        min_levels=min_levels,
    )


def _order_flow(window_ms: int) -> FeatureSpec:
    return FeatureSpec(
        name=f"ofi_{window_ms // 1_000}s",
        formula="order_flow",
        version=1,
        unit="depths",
        parity=Parity.ODD,
        needs=Needs.TOUCH,
        range_e6=TEN,
        summary="sum of order-flow events at the touch over the mean of (B1 + A1) / 2",
        missing=Missing.ZERO,
        window_ms=window_ms,
        norm_tau_ms=DEPTH_TAU_MS,
        signed_log=True,
    )


def _level_order_flow(level: int) -> FeatureSpec:
    return FeatureSpec(
        name=f"mlofi_{level}_1s",
        formula="level_order_flow",
        version=1,
        unit="depths",
        parity=Parity.ODD,
        needs=Needs.DEPTH,
        range_e6=TEN,
        summary=f"sum of order-flow events at level {level} over the mean depth of the best 5",
        missing=Missing.ZERO,
        levels=level,
        min_levels=level,
        window_ms=MLOFI_WINDOW_MS,
        norm_tau_ms=LEVEL_DEPTH_TAU_MS,
        signed_log=True,
        params=(("depth_levels", MLOFI_LEVELS),),
    )


def _trade_flow(window_ms: int) -> FeatureSpec:
    return FeatureSpec(
        name=f"tfi_{window_ms // 1_000}s",
        formula="trade_flow",
        version=1,
        unit="ratio",
        parity=Parity.ODD,
        needs=Needs.TRADES,
        range_e6=ONE,
        summary="(bought - sold) / (bought + sold) by aggressor; 0 without a trade",
        missing=Missing.ZERO,
        window_ms=window_ms,
    )


def _mid_return(window_ms: int) -> FeatureSpec:
    return FeatureSpec(
        name=f"ret_{window_ms // 1_000}s" if window_ms >= 1_000 else f"ret_{window_ms}ms",
        formula="mid_return",
        version=1,
        unit="sigmas",
        parity=Parity.ODD,
        needs=Needs.TOUCH,
        range_e6=TEN,
        summary="change of the mid over the deviation of its change in 1 s, at least half a tick",
        window_ms=window_ms,
        norm_tau_ms=VOLATILITY_TAU_MS,
        signed_log=True,
        params=(("step_ms", VOLATILITY_STEP_MS),),
    )


FEATURES: Final[tuple[FeatureSpec, ...]] = (
    _imbalance(1, 1, Needs.TOUCH),
    _imbalance(5, 3, Needs.DEPTH),
    _imbalance(10, 5, Needs.DEPTH),
    FeatureSpec(
        name="qi_1_ewma",
        formula="mean_queue_imbalance",
        version=1,
        unit="ratio",
        parity=Parity.ODD,
        needs=Needs.TOUCH,
        range_e6=ONE,
        summary="mean of qi_1 over time, each value for as long as it stood, decayed",
        levels=1,
        tau_ms=IMBALANCE_TAU_MS,
    ),
    FeatureSpec(
        name="dwi",
        formula="weighted_imbalance",
        version=1,
        unit="ratio",
        parity=Parity.ODD,
        needs=Needs.DEPTH,
        range_e6=ONE,
        summary="imbalance of the best 10 levels, level i weighted by exp(-(i - 1) / 3)",
        levels=TOP_LEVELS,
        min_levels=5,
        params=(("decay_levels", DECAY_LEVELS),),
    ),
    FeatureSpec(
        name="qi_band_5bps",
        formula="band_imbalance",
        version=1,
        unit="ratio",
        parity=Parity.ODD,
        needs=Needs.DEPTH,
        range_e6=ONE,
        summary="imbalance of bids down to 5 basis points below the mid and asks up to 5 above it; 0 without",
        missing=Missing.ZERO,
        params=(("band_bps", BAND_BPS),),
    ),
    FeatureSpec(
        name="micro_dev",
        formula="micro_deviation",
        version=1,
        unit="ticks",
        parity=Parity.ODD,
        needs=Needs.TOUCH,
        range_e6=TEN,
        summary="(a1 * B1 + b1 * A1) / (A1 + B1) less the mid",
        signed_log=True,
    ),
    FeatureSpec(
        name="spread_t",
        formula="log_spread",
        version=1,
        unit="log ticks",
        parity=Parity.EVEN,
        needs=Needs.TOUCH,
        range_e6=LOG,
        summary="ln(a1 - b1), 0 at one tick",
    ),
    *(_order_flow(window_ms) for window_ms in OFI_WINDOWS_MS),
    *(_level_order_flow(level) for level in range(2, MLOFI_LEVELS + 1)),
    FeatureSpec(
        name="mlofi_mean_1s",
        formula="mean_level_order_flow",
        version=1,
        unit="depths",
        parity=Parity.ODD,
        needs=Needs.DEPTH,
        range_e6=TEN,
        summary="mean of the order flow of levels 1 to 5 of the depth book, over their mean depth",
        missing=Missing.ZERO,
        levels=MLOFI_LEVELS,
        min_levels=MLOFI_LEVELS,
        window_ms=MLOFI_WINDOW_MS,
        norm_tau_ms=LEVEL_DEPTH_TAU_MS,
        signed_log=True,
        params=(("depth_levels", MLOFI_LEVELS),),
    ),
    *(_trade_flow(window_ms) for window_ms in TFI_WINDOWS_MS),
    FeatureSpec(
        name="sv_ewma",
        formula="signed_volume",
        version=1,
        unit="mean trades",
        parity=Parity.ODD,
        needs=Needs.TRADES,
        range_e6=TEN,
        summary="decayed sum of signed trade sizes over the decayed mean trade size",
        tau_ms=SIGNED_TAU_MS,
        norm_tau_ms=TRADE_SIZE_TAU_MS,
        signed_log=True,
    ),
    *(_mid_return(window_ms) for window_ms in RET_WINDOWS_MS),
    FeatureSpec(
        name="rv",
        formula="realised_volatility",
        version=1,
        unit="log 1e-6",
        parity=Parity.EVEN,
        needs=Needs.TOUCH,
        range_e6=(-5_000_000, 15_000_000),
        summary="ln of the deviation of the mid in 1 s, in 1e-6 of the mid, at least half a tick",
        window_ms=VOLATILITY_STEP_MS,
        tau_ms=VOLATILITY_TAU_MS,
    ),
    FeatureSpec(
        name="slope",
        formula="depth_slope",
        version=1,
        unit="log ratio",
        parity=Parity.ODD,
        needs=Needs.DEPTH,
        range_e6=TEN,
        summary="ln(SB / (b1 - b10)) less ln(SA / (a10 - a1)); the last level there is stands for the 10th",
        levels=TOP_LEVELS,
        min_levels=5,
    ),
    FeatureSpec(
        name="cancel_ratio",
        formula="cancel_ratio",
        version=1,
        unit="ratio",
        parity=Parity.EVEN,
        needs=Needs.DEPTH,
        range_e6=SHARE,
        summary="decreases of the best 5 levels beyond what traded there, of all their changes, decayed",
        missing=Missing.ZERO,
        levels=MLOFI_LEVELS,
        tau_ms=CANCEL_TAU_MS,
    ),
    FeatureSpec(
        name="rate_book",
        formula="book_rate",
        version=1,
        unit="log events",
        parity=Parity.EVEN,
        needs=Needs.TOUCH,
        range_e6=LOG,
        summary="ln(1 + decayed count of ticker and depth messages)",
        missing=Missing.ZERO,
        tau_ms=RATE_TAU_MS,
    ),
    FeatureSpec(
        name="rate_trade",
        formula="trade_rate",
        version=1,
        unit="log events",
        parity=Parity.EVEN,
        needs=Needs.TRADES,
        range_e6=LOG,
        summary="ln(1 + decayed count of trades)",
        missing=Missing.ZERO,
        tau_ms=RATE_TAU_MS,
    ),
    FeatureSpec(
        name="gap",
        formula="book_gap",
        version=1,
        unit="log ms",
        parity=Parity.EVEN,
        needs=Needs.TOUCH,
        range_e6=LOG,
        summary="ln(1 + milliseconds since the last ticker or depth message)",
    ),
    FeatureSpec(
        name="depth_z",
        formula="touch_depth",
        version=1,
        unit="log ratio",
        parity=Parity.EVEN,
        needs=Needs.TOUCH,
        range_e6=TEN,
        summary="ln of (B1 + A1) / 2 over its own mean",
        norm_tau_ms=DEPTH_TAU_MS,
    ),
)
"""Every feature there is."""
