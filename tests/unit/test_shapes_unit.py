"""The four shapes against the table of MODELS 3.3, and the settings they refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.core.params import Shape, SizingParams
from pipeline.core.shapes import E9, ShapeCurve, shape_curve, share_e9

PROBABILITIES = (0.55, 0.6, 0.7, 0.8, 0.9, 1.0)
TABLE = {
    Shape.LINEAR: (0.0, 0.111, 0.333, 0.556, 0.778, 1.0),
    Shape.POWER: (0.0, 0.012, 0.111, 0.309, 0.605, 1.0),
    Shape.Z_CDF: (0.0, 0.089, 0.280, 0.507, 0.802, 1.0),
    Shape.KELLY: (0.0, 0.05, 0.10, 0.15, 0.20, 0.25),
}


def a_curve(entry_e6: int = 50_000, **sizing: Any) -> ShapeCurve:
    return shape_curve(SizingParams(**sizing), entry_e6)


@pytest.mark.parametrize("shape", Shape)
def test_shape_gives_the_values_of_the_table(shape: Shape) -> None:
    curve = a_curve(shape=shape, power_gamma=2.0, kelly_fraction=0.25, kelly_reference=1.0)
    shares = [share_e9(curve, round((2 * p - 1) * 1e6), 0) / E9 for p in PROBABILITIES]
    assert shares == pytest.approx(TABLE[shape], abs=6e-4)


@pytest.mark.parametrize("shape", Shape)
def test_shape_without_threshold_starts_at_even_odds(shape: Shape) -> None:
    curve = a_curve(0, shape=shape)
    assert share_e9(curve, 0, 0) == 0
    assert 0 < share_e9(curve, 20_000, 0) < E9 // 10


def test_kelly_at_its_reference_is_full_size_only_at_certainty() -> None:
    curve = a_curve(shape=Shape.KELLY)
    assert share_e9(curve, 600_000, 0) == pytest.approx(0.6 * E9, abs=2)
    assert share_e9(curve, 1_000_000, 0) == E9


def test_kelly_is_capped_at_full_size() -> None:
    curve = a_curve(shape=Shape.KELLY, kelly_fraction=1.0, kelly_reference=0.25)
    assert share_e9(curve, 500_000, 0) == E9


def test_kelly_bets_less_when_the_adverse_move_is_larger() -> None:
    even = a_curve(shape=Shape.KELLY)
    adverse = a_curve(shape=Shape.KELLY, kelly_win_e6=80, kelly_loss_e6=120)
    assert share_e9(adverse, 600_000, 0) < share_e9(even, 600_000, 0)


def test_kelly_bets_nothing_when_costs_eat_the_win() -> None:
    curve = a_curve(shape=Shape.KELLY, kelly_win_e6=100, kelly_loss_e6=100)
    assert share_e9(curve, 1_000_000, 100_000) == 0
    assert share_e9(curve, 300_000, 40_000) == 0


def test_kelly_with_a_rebate_beyond_the_loss_is_full_size() -> None:
    curve = a_curve(shape=Shape.KELLY, kelly_win_e6=100, kelly_loss_e6=100)
    assert share_e9(curve, 500_000, -100_000) == E9


@pytest.mark.parametrize(
    ("sizing", "name"),
    [
        ({"power_gamma": 0.5}, "sizing.power_gamma is 0.5; it must be in [1, 100]"),
        ({"power_gamma": float("nan")}, "sizing.power_gamma is nan"),
        ({"kelly_fraction": 0.0}, "sizing.kelly_fraction is 0.0"),
        ({"kelly_reference": 2.0}, "sizing.kelly_reference is 2.0"),
        ({"kelly_win_e6": 0}, "sizing.kelly_win_e6 is 0"),
        ({"kelly_loss_e6": -1}, "sizing.kelly_loss_e6 is -1"),
    ],
)
def test_setting_out_of_range_is_refused_by_name(sizing: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name.replace("[", r"\[").replace("]", r"\]")):
        a_curve(**sizing)


def test_threshold_where_the_z_cdf_is_flat_is_refused() -> None:
    with pytest.raises(ValueError, match="decision.entry_e6 is 499999.*Z_CDF"):
        a_curve(499_999, shape=Shape.Z_CDF)
    assert share_e9(a_curve(499_999, shape=Shape.LINEAR), 1_000_000, 0) == E9


@pytest.mark.parametrize("entry_e6", [-1, 500_000])
def test_threshold_outside_the_scale_is_refused(entry_e6: int) -> None:
    with pytest.raises(ValueError, match="decision.entry_e6"):
        a_curve(entry_e6)


def test_shape_nobody_wrote_is_a_broken_invariant() -> None:
    unknown: Any = "CUBE"
    with pytest.raises(AssertionError, match="CUBE"):
        share_e9(replace(a_curve(), shape=unknown), 600_000, 0)
