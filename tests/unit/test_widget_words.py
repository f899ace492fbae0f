"""Every code has words, and every word table knows only codes that exist."""

from __future__ import annotations

import enum

import pytest
from msgspec.structs import replace

from pipeline.core.cards import PressRefusal
from pipeline.core.effects import AlertCode
from pipeline.core.permit import PermitEnd, PermitWait
from pipeline.core.snapshot import AlertView
from pipeline.core.types import BookState, DenyReason, OrderState, Severity, TradingState, WorkerState
from tests.fakes.snapshots import PERP
from widgets import marks, words
from widgets.roles import ROLES


def alert(code: str, detail: str = "", values: tuple[int, ...] = (), **changes: object) -> AlertView:
    view = AlertView(1, 0, code, Severity.WARN, "BTCUSDT", detail, values, "")
    return replace(view, **changes)


@pytest.mark.parametrize(
    ("codes", "table"),
    [
        (DenyReason, words.REASON_WORDS),
        (AlertCode, words.ALERT_SENTENCES),
        (OrderState, marks.ORDER_MARKS),
        (OrderState, marks.ORDER_WORDS),
        (BookState, marks.BOOK_WORDS),
        (WorkerState, marks.WORKER_ROLES),
        (PressRefusal, words.PRESS_WORDS),
    ],
)
def test_tables_hold_exactly_the_codes_there_are(codes: type[enum.StrEnum], table: dict[str, object]) -> None:
    assert set(table) == {code.value for code in codes}


def test_permit_words_cover_every_end_and_every_wait() -> None:
    assert set(words.PERMIT_WORDS) == {code.value for code in (*PermitEnd, *PermitWait)}


def test_marks_use_known_roles_and_tell_states_apart_without_colour() -> None:
    looks = [(mark, ROLES[role].reverse, ROLES[role].bold) for mark, role in marks.ORDER_MARKS.values()]
    assert all(role in ROLES for _, role in marks.ORDER_MARKS.values())
    by_mark: dict[str, int] = {}
    for mark, _, _ in looks:
        by_mark[mark] = by_mark.get(mark, 0) + 1
    assert by_mark == {">": 1, "!": 2, "…": 1, "=": 1, "%": 1, "*": 1, "~": 1, "-": 2, "??": 1}


def test_a_fill_takes_the_colour_of_its_side() -> None:
    assert marks.order_mark(OrderState.FILLED, 1) == ("*", "bid-strong")
    assert marks.order_mark(OrderState.FILLED, -1) == ("*", "ask-strong")
    assert marks.order_mark("SOMETHING_NEW", 1) == ("??", "unknown")


def test_a_denial_says_value_and_limit_in_their_own_unit() -> None:
    e8 = 100_000_000
    said = words.alert_words(alert("ORDER_DENIED", "MAX_POSITION", (30, 3_853 * e8, 3_000 * e8)), PERP)
    assert said == (
        "order of 0.030 denied by risk: position over limit, 3,853.00 against a limit of 3,000.00"
    )
    said = words.alert_words(alert("ORDER_DENIED", "COLLAR_MID", (30, 812, 500)), PERP)
    assert said.endswith("8.1 bp against a limit of 5.0 bp")
    said = words.alert_words(alert("ORDER_DENIED", "NO_PERMIT", (30, 7, 0)), PERP)
    assert said == "order of 0.030 denied by risk: no permit"


def test_an_alert_of_another_symbol_names_it_and_guesses_no_scale() -> None:
    said = words.alert_words(alert("ORDER_FILLED", "c1", (10, 642_100), symbol="ETHUSDT"), PERP)
    assert said == "ETHUSDT filled +10 lots at tick 642100"


def test_an_alert_with_too_few_values_still_reads() -> None:
    for code in AlertCode:
        said = words.alert_words(alert(code.value), PERP)
        assert said
        assert "{" not in said
        assert not said.endswith((":", " by"))


def test_every_alert_reads_with_plenty_of_values() -> None:
    for code in AlertCode:
        assert "{" not in words.alert_words(alert(code.value, "X", (1, 2, 3, 4)), PERP)


def test_a_code_of_a_newer_engine_is_printed_as_it_stands() -> None:
    assert words.alert_words(alert("SOLAR_FLARE", "big", (7,)), PERP) == "solar flare big 7"
    assert words.reason_words("MOON_PHASE") == "moon phase"


def test_the_first_fetch_of_a_book_is_not_called_a_gap() -> None:
    assert "GAP" in words.alert_words(alert("BOOK_GAP", values=(1,)), PERP)
    assert "GAP" not in words.alert_words(alert("BOOK_GAP", values=(0,), severity=Severity.INFO), PERP)


def test_a_change_of_state_is_said_by_name() -> None:
    values = (int(TradingState.ACTIVE), int(TradingState.HALTED))
    said = words.alert_words(alert("TRADING_STATE_CHANGED", "ada", values, symbol=""), PERP)
    assert said == "trading state ACTIVE to HALTED by ada"
    assert "9" in words.alert_words(alert("AUTHORITY_CHANGED", "ada", (0, 9), symbol=""), PERP)


def test_hostile_details_are_cleaned() -> None:
    assert "\x1b" not in words.alert_words(alert("FRAME_REFUSED", "bad \x1b[2J"), PERP)
    assert "\x1b" not in words.alert_words(alert("ORDER_REJECTED", "\x1b]0;x", (1,)), PERP)
