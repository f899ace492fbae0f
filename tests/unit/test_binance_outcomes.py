"""Which errors prove that nothing rests, and that everything else is UNKNOWN."""

from __future__ import annotations

import pytest

from pipeline.wire.binance_answers import ApiAnswer
from pipeline.wire.binance_outcomes import (
    Outcome,
    is_bad_key,
    is_ban,
    is_throttled,
    outcome_of,
    reason_of,
)


def error(code: int, message: str = "words", status: int = 400) -> ApiAnswer:
    return ApiAnswer("1", status, b"null", code, message, 0, ())


@pytest.mark.parametrize("code", [-1013, -1015, -1021, -1022, -1100, -1111, -1121, -2010, -2014, -2015])
def test_a_business_refusal_is_final(code: int) -> None:
    assert outcome_of(error(code)) is Outcome.REFUSED


@pytest.mark.parametrize(
    ("code", "status"), [(-1006, 500), (-1007, 500), (-1000, 400), (-1001, 500), (-9999, 400), (0, 503)]
)
def test_what_the_venue_does_not_know_we_do_not_know(code: int, status: int) -> None:
    assert outcome_of(error(code, status=status)) is Outcome.UNKNOWN


def test_a_refusal_by_a_broken_server_proves_nothing() -> None:
    assert outcome_of(error(-1013, status=502)) is Outcome.UNKNOWN


def test_overload_says_itself_that_nothing_was_done() -> None:
    assert outcome_of(error(-1008, status=503)) is Outcome.REFUSED


def test_a_duplicate_id_means_that_the_first_send_worked() -> None:
    assert outcome_of(error(-2010, "Duplicate order sent.")) is Outcome.UNKNOWN


def test_limits_and_keys_are_told_apart() -> None:
    assert is_throttled(error(-1003, status=429))
    assert is_ban(error(-1003, status=418))
    assert outcome_of(error(-1003, status=418)) is Outcome.REFUSED
    assert is_bad_key(error(-2015, status=401))
    assert not is_bad_key(error(-1021))


def test_reasons_are_short_words_where_the_venue_prints_sentences() -> None:
    assert reason_of(error(-2010, "Order would immediately match and take.")) == "POST_ONLY_WOULD_TAKE"
    assert reason_of(error(-1013, "Filter failure: LOT_SIZE")) == "-1013 Filter failure: LOT_SIZE"
