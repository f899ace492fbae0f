"""Numbers, ages and words as the panels print them."""

from __future__ import annotations

import pytest

from pipeline.core.snapshot import NONE_E6
from tests.fakes.snapshots import PERP, SPOT, START_NS, TINY
from widgets import cells, times


@pytest.mark.parametrize(
    ("units", "decimals", "shown"),
    [
        (0, 5, "0"),
        (1, 5, "0.00001"),
        (4_600, 3, "4.600"),
        (99_994, 4, "9.999"),
        (99_995, 4, "10.00"),
        (123_456, 3, "123.5"),
        (9_999_499, 3, "9999"),
        (9_999_500, 3, "10.00k"),
        (123_456_789, 3, "123.5k"),
        (999_949_999, 3, "999.9k"),
        (999_950_000, 3, "1.000M"),
        (5_000_000_000_000, 3, "5.000G"),
        (123, 0, "123"),
        (12_345, 0, "12.35k"),
        (10**18, 3, ">9999G"),
        (10**15, 3, "1000G"),
        (3, 8, "<.00001"),
    ],
)
def test_sizes_have_four_significant_digits_and_no_exponent(units: int, decimals: int, shown: str) -> None:
    assert cells.size_text(units, decimals) == shown


def test_prices_are_exact_whatever_the_tick() -> None:
    assert cells.price_text(SPOT, 6_421_010) == "64,210.10"
    assert cells.price_text(TINY, 1_234) == "0.00001234"
    assert cells.half_price_text(SPOT, 2 * 6_421_010 + 1) == "64,210.105"
    assert cells.half_price_text(SPOT, 2 * 6_421_010) == "64,210.10"
    assert cells.plain_price(PERP, 642_100, 0) == "64210"


def test_quantities_have_a_leading_zero_and_the_decimals_of_the_lot() -> None:
    assert cells.qty_text(SPOT, -1, sign=True) == "-0.00001"
    assert cells.qty_text(PERP, 20, sign=True) == "+0.020"
    assert cells.qty_text(TINY, 7) == "7"
    assert cells.short_qty(PERP, 20) == "0.02"
    assert cells.short_qty(TINY, 100) == "100"


def test_a_number_that_does_not_fit_is_never_cut() -> None:
    assert cells.right("64210.1", 6) == "######"
    assert cells.right("64210.1", 7) == "64210.1"


def test_what_is_not_there_is_not_a_zero() -> None:
    assert cells.ratio(NONE_E6) == "--"
    assert cells.basis_points(NONE_E6) == "--"
    assert cells.percent(-1) == "--"
    assert times.delay_text(-1) == "--"
    assert times.age_text(-1) == "never"
    assert times.span_text(-1) == "--:--"


def test_money_rounds_half_away_from_zero_and_never_prints_minus_zero() -> None:
    assert cells.money(-104_500_000) == "-1.05"
    assert cells.money(128_412_345_678, 0, sign=False) == "1,284"
    assert cells.money(-400_000) == "0.00"
    assert cells.money(123_456_789_000_000) == "+1,234,567.89"


def test_times_are_utc_with_z() -> None:
    assert times.clock_text(START_NS) == "09:11:07Z"
    assert times.clock_text(START_NS + 412_000_000, milliseconds=True) == "09:11:07.412Z"
    assert times.date_text(START_NS) == "2026-11-23"


@pytest.mark.parametrize(
    ("delay_us", "shown"), [(0, "0.00"), (420, "0.42"), (4_240, "4.2"), (42_000, "42"), (10**12, "99999")]
)
def test_delays_are_milliseconds_of_few_digits(delay_us: int, shown: str) -> None:
    assert times.delay_text(delay_us) == shown


def test_lengths_of_time_have_no_needless_decimals() -> None:
    assert [times.length_text(ms) for ms in (30_000, 5_000, 350)] == ["30 s", "5 s", "0.35 s"]
    assert times.horizon_text(1_000) == "1.0 s"
    assert times.horizon_text(250) == "0.25 s"


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "a\u202eb", "a\u200bb", "e\u0301\u0301", "a\nb", "\x9b31m", "\u2028", "✅ done"]
)
def test_outside_text_cannot_steer_the_terminal_or_hide(hostile: str) -> None:
    shown = cells.clean(hostile)
    assert "\ufffd" in shown
    assert all(ch == "\ufffd" or ch.isprintable() for ch in shown)


def test_outside_text_keeps_names_in_other_scripts() -> None:
    assert cells.clean("José") == "José"
    assert cells.clean("王") == "王"
    assert cells.cell_width("王") == 2
    assert cells.left("王小", 3) == "王…"


def test_position_words() -> None:
    assert [cells.position_word(lots) for lots in (-1, 0, 1)] == ["SHORT", "FLAT", "LONG"]
