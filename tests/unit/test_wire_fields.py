"""Numbers as venues print them, and text that is safe to show."""

import dataclasses

import pytest

from pipeline.core.inputs import RefusalReason
from pipeline.wire.fields import (
    PriceReader,
    SizeReader,
    WireError,
    clean_text,
    is_nested_too_deeply,
    scaled_int,
)
from tests.fakes.market_builders import SPOT, USDM


def refusal(text: str, decimals: int = 2) -> RefusalReason:
    with pytest.raises(WireError) as caught:
        scaled_int(text, decimals)
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [
        ("61837.63000000", 2, 6_183_763),
        ("63943.90", 1, 639_439),
        ("0.00000001", 8, 1),
        ("12", 3, 12_000),
        ("0", 0, 0),
        ("9223372036854775807", 0, 2**63 - 1),
    ],
)
def test_printed_number_is_scaled_exactly(text: str, decimals: int, value: int) -> None:
    assert scaled_int(text, decimals) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "-1",
        "+1",
        "1e5",
        "NaN",
        "Infinity",
        ".5",
        "5.",
        "1.2.3",
        "1_0",
        "٣",
        "007",
        "0x1",
        "1,5",
    ],
)
def test_anything_but_plain_digits_is_a_bad_number(text: str) -> None:
    assert refusal(text) is RefusalReason.BAD_NUMBER


def test_number_beyond_63_bits_is_refused() -> None:
    assert refusal("9223372036854775808", 0) is RefusalReason.BAD_NUMBER


def test_digits_finer_than_the_printed_decimals_are_off_grid() -> None:
    assert refusal("1.001") is RefusalReason.OFF_GRID


def test_price_between_ticks_of_five_is_off_grid() -> None:
    prices = PriceReader(dataclasses.replace(USDM, tick_units=5))
    assert prices["10.50"] == 21
    with pytest.raises(WireError) as caught:
        prices["10.60"]
    assert caught.value.reason is RefusalReason.OFF_GRID


@pytest.mark.parametrize("text", ["0.00", "99999999999999.99"])
def test_zero_and_absurd_prices_are_refused(text: str) -> None:
    with pytest.raises(WireError) as caught:
        PriceReader(SPOT)[text]
    assert caught.value.reason is RefusalReason.BAD_NUMBER


def test_readers_forget_before_they_grow_without_bound() -> None:
    sizes, prices = SizeReader(SPOT), PriceReader(SPOT)
    for number in range(1, 20_000):
        assert sizes[f"{number}.5"] == number * 10**8 + 5 * 10**7
        assert prices[f"{number}"] == number * 100
    assert len(sizes) <= 8_192
    assert len(prices) <= 8_192


def test_terminal_controls_and_invisible_characters_are_replaced() -> None:
    assert clean_text("A\x1b[31m\u202eB\u200bC\x00\x9b") == "A\ufffd[31m\ufffdB\ufffdC\ufffd\ufffd"


def test_outside_text_is_cut() -> None:
    assert clean_text("é" * 500) == "é" * 120


def test_readable_foreign_letters_stay() -> None:
    assert clean_text("币安USDT") == "币安USDT"


@pytest.mark.parametrize("depth", [65, 10_000, 3_000_000])
def test_deep_nesting_is_seen(depth: int) -> None:
    assert is_nested_too_deeply(b'{"x":' + b"[" * depth + b"]" * depth + b"}")
    assert is_nested_too_deeply(b"[" * depth)


def test_wide_frames_and_brackets_in_texts_are_not_deep() -> None:
    assert not is_nested_too_deeply(b"[" + b",".join([b'["1","2"]'] * 5_000) + b"]")
    assert not is_nested_too_deeply(b'{"x":"' + b"[" * 10_000 + b'"}')
    assert not is_nested_too_deeply(b'{"x":"\\"' + b"[" * 10_000 + b'"}')
    assert not is_nested_too_deeply(b"[" * 64 + b"]" * 64 + b"[" * 64 + b"]" * 64)


def test_closing_brackets_in_texts_do_not_hide_depth() -> None:
    assert is_nested_too_deeply(b'["]",' * 10_000 + b"1" + b"]" * 10_000)
