"""Instrument tables, fees and exact numbers."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.types import Fees, SyncRule
from pipeline.runtime.exact_text import decimals_of, exact_decimal, scaled, units_of
from pipeline.runtime.instruments import InstrumentError, load_instruments, parse_fees

USER_FILE = """
[binance]
maker_bp = "7.5"
taker_bp = "8"

[binance.symbols.DOGEUSDT]
base = "DOGE"
quote = "USDT"
tick = "0.00001"
lot = "1"
size_decimals = 8
min_notional = "1.000000001"
max_qty = "9000000"

[binance.symbols.BTCUSDT]
base = "BTC"
quote = "USDT"
tick = "0.05"
lot = "0.0001"
size_decimals = 8
min_notional = "5"
max_qty = "1"
maker_bp = "0"
taker_bp = "-0.25"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "instruments.toml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str, symbol: str = "DOGEUSDT") -> str:
    with pytest.raises(InstrumentError) as caught:
        load_instruments("binance", [symbol], user_file=written(folder, text))
    return str(caught.value).replace(str(folder), "")


def test_spot_btcusdt_has_the_venues_own_scales() -> None:
    (btc,) = load_instruments("binance", ["BTCUSDT"])
    assert (btc.price_decimals, btc.tick_units, btc.size_decimals, btc.lot_units) == (2, 1, 8, 1_000)
    assert (btc.min_notional_quote_e8, btc.max_qty_lots) == (500_000_000, 900_000_000)
    assert (btc.sync_rule, btc.margin, btc.fees) == (
        SyncRule.CONTIGUOUS,
        False,
        Fees(1_000, 1_000, "assumed"),
    )
    assert (btc.price_text(6_394_390), btc.qty_text(1)) == ("63943.90", "0.00001")


def test_usdm_btcusdt_has_the_venues_own_scales() -> None:
    (btc,) = load_instruments("binance-usdm", ["BTCUSDT"])
    assert (btc.price_decimals, btc.tick_units, btc.size_decimals, btc.lot_units) == (1, 1, 3, 1)
    assert (btc.min_notional_quote_e8, btc.margin) == (10_000_000_000, True)
    assert (btc.sync_rule, btc.fees) == (SyncRule.CHAINED, Fees(200, 500, "assumed"))


def test_instruments_come_in_the_order_asked_for() -> None:
    loaded = load_instruments("binance", ["XRPUSDT", "ETHUSDT"])
    assert [one.symbol for one in loaded] == ["XRPUSDT", "ETHUSDT"]
    assert load_instruments("binance", []) == ()


def test_fees_on_the_command_line_replace_all_others() -> None:
    fees = parse_fees("0/0")
    loaded = load_instruments("binance", ["BTCUSDT", "ETHUSDT"], fees_override=fees)
    assert {one.fees for one in loaded} == {Fees(0, 0, "option")}


def test_users_file_adds_and_replaces(tmp_path: Path) -> None:
    path = written(tmp_path, USER_FILE)
    doge, btc, eth = load_instruments("binance", ["DOGEUSDT", "BTCUSDT", "ETHUSDT"], user_file=path)
    assert (doge.price_decimals, doge.lot_units) == (5, 10**8)
    assert doge.min_notional_quote_e8 == 100_000_001
    assert doge.fees == Fees(750, 800, "configuration")
    assert (btc.tick_units, btc.price_decimals, btc.max_qty_lots) == (5, 2, 10_000)
    assert btc.fees == Fees(0, -25, "configuration")
    assert eth.fees == Fees(750, 800, "configuration")


def test_users_file_may_be_missing(tmp_path: Path) -> None:
    assert load_instruments("binance", ["BTCUSDT"], user_file=tmp_path / "none.toml")


def test_users_venue_must_say_all_a_venue_needs(tmp_path: Path) -> None:
    text = USER_FILE.replace("[binance", "[elsewhere").replace("DOGEUSDT", "D")
    path = written(tmp_path, text)
    with pytest.raises(InstrumentError, match=r"\[elsewhere\] wants sync_rule, margin"):
        load_instruments("elsewhere", ["D"], user_file=path)


def test_unknown_symbol_is_one_line_with_the_nearest_name() -> None:
    with pytest.raises(InstrumentError) as caught:
        load_instruments("binance", ["BTCUSD"])
    assert "unknown binance symbol 'BTCUSD', did you mean BTCUSDT? Known: BTCUSDT," in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_venue_names_those_there_are() -> None:
    with pytest.raises(InstrumentError, match="unknown venue 'kraken'. Known: binance, binance-usdm"):
        load_instruments("kraken", ["BTCUSDT"])


def test_hostile_symbol_is_printed_harmlessly() -> None:
    with pytest.raises(InstrumentError) as caught:
        load_instruments("binance", ["\x1b[2J\n" + "x" * 99])
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('tick = "0.00001"', 'tick = "1e-5"', "binance.symbols.DOGEUSDT.tick: found '1e-5', wanted digits"),
        ('tick = "0.00001"', "tick = 0.00001", "binance.symbols.DOGEUSDT.tick: found '1e-05', wanted digits"),
        ('tick = "0.00001"', 'tick = "0"', "wanted more than 0"),
        ('lot = "1"', 'lot = "0.000000001"', "lot: found 1E-9, wanted at most 8 decimals"),
        ('lot = "1"', "", "binance.symbols.DOGEUSDT.lot"),
        ('maker_bp = "7.5"', "maker_bp = 7.5", "binance.maker_bp: found '7.5', wanted basis points as text"),
        ("size_decimals = 8", "size_decimals = 19", "size_decimals"),
        ('base = "DOGE"', 'base = "doge"', "base"),
        ('base = "DOGE"', 'base = "DOGE"\ncolour = "red"', "binance.symbols.DOGEUSDT.colour"),
        ("[binance]", "[binance", "not TOML"),
    ],
)
def test_wrong_table_is_refused_in_one_line_that_says_where(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    message = refusal(tmp_path, USER_FILE.replace(old, new, 1))
    assert says in message
    assert message.startswith("/instruments.toml")
    assert "\n" not in message


def test_file_that_cannot_be_read_or_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match="cannot be read"):
        load_instruments("binance", ["BTCUSDT"], user_file=tmp_path)
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InstrumentError, match="byte 0 is not UTF-8"):
        load_instruments("binance", ["BTCUSDT"], user_file=path)


@pytest.mark.parametrize(
    ("text", "fees"),
    [("2/5", (200, 500)), ("-0.5/3", (-50, 300)), ("0/0", (0, 0)), ("10/7.25", (1_000, 725))],
)
def test_fees_are_basis_points_of_maker_and_taker(text: str, fees: tuple[int, int]) -> None:
    assert parse_fees(text) == Fees(*fees, "option")


@pytest.mark.parametrize(
    "text", ["", "1", "1/", "/1", "1/2/3", "nan/1", "1e3/2", "1/２", "1/2\n", "1.234/5", "1234/5"]
)
def test_fees_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InstrumentError, match="wanted MAKER/TAKER in basis points"):
        parse_fees(text)


@pytest.mark.parametrize(
    "text",
    ["NaN", "1_000", "١٢٣", "1e5", "-1", "+1", " 1", "1 ", "1\n", ".5", "5.", "1" * 21, "0." + "1" * 19, ""],
)
def test_text_that_is_no_plain_decimal_is_none(text: str) -> None:
    assert exact_decimal(text) is None


@pytest.mark.parametrize("value", [1.5, 3, None, Decimal(1), b"1"])
def test_what_is_no_text_is_none(value: object) -> None:
    assert exact_decimal(value) is None


@given(whole=st.integers(0, 10**20 - 1), rest=st.integers(0, 10**18 - 1), decimals=st.integers(0, 18))
def test_longest_numbers_are_taken_exactly(whole: int, rest: int, decimals: int) -> None:
    value = exact_decimal(f"{whole}.{rest:018d}")
    assert value is not None
    units = whole * 10**18 + rest
    assert units_of(value) == units
    expected = units // 10 ** (18 - decimals) if units % 10 ** (18 - decimals) == 0 else None
    assert scaled(value, decimals) == expected
    assert scaled(value, decimals_of(value)) is not None
    assert decimals_of(value) == 0 or scaled(value, decimals_of(value) - 1) is None
