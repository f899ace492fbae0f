"""The alert board: repeats fold, noting works, nothing grows."""

from __future__ import annotations

from pipeline.core.alerts import KEEP, REPEAT_NS, AlertBoard
from pipeline.core.effects import AlertCode
from pipeline.core.types import Severity

S = 1_000_000_000


def test_a_repeat_counts_instead_of_pushing_others_away() -> None:
    board = AlertBoard()
    assert board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S, "BTCUSDT") is not None
    assert board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, 2 * S, "BTCUSDT") is None
    assert [view.repeats for view in board.views(5)] == [1]


def test_the_same_alert_later_or_elsewhere_is_a_new_one() -> None:
    board = AlertBoard()
    board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S, "BTCUSDT")
    assert board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S, "ETHUSDT") is not None
    assert board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S + REPEAT_NS, "BTCUSDT") is not None


def test_a_noted_alert_that_comes_back_is_raised_again() -> None:
    board = AlertBoard()
    board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S)
    assert board.note(0, "ada")
    assert board.unnoted == 0
    assert board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S + 1) is not None
    assert board.unnoted == 1


def test_an_alert_nobody_noted_stays_in_view_however_much_happens_after_it() -> None:
    board = AlertBoard()
    board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S)
    for turn in range(20):
        board.raise_alert(AlertCode.ORDER_FILLED, Severity.INFO, (turn + 2) * S, detail=f"order {turn}")
    assert [view.code for view in board.views(2)] == ["ORDER_FILLED", "ORDER_FILLED", "BOOK_GAP"]
    board.note(0, "ada")
    assert {view.code for view in board.views(3)} == {"ORDER_FILLED"}


def test_noting_what_is_not_there_says_so() -> None:
    assert not AlertBoard().note(0, "ada")
    board = AlertBoard()
    board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S)
    assert not board.note(99, "ada")


def test_information_does_not_wait_to_be_noted() -> None:
    board = AlertBoard()
    board.raise_alert(AlertCode.SESSION_STARTED, Severity.INFO, S)
    assert board.unnoted == 0


def test_the_newest_that_waits_is_noted_before_information() -> None:
    board = AlertBoard()
    board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S)
    board.raise_alert(AlertCode.BOOK_SYNCED, Severity.INFO, S)
    assert board.note(0, "ada")
    assert board.unnoted == 0
    assert not board.note(0, "ada")


def test_two_changes_of_state_are_no_repeat() -> None:
    board = AlertBoard()
    for values in ((3, 2), (2, 1)):
        code = AlertCode.TRADING_STATE_CHANGED
        assert board.raise_alert(code, Severity.INFO, S, "", "ada", values) is not None


def test_a_graver_alert_is_no_repeat_of_a_lighter_one() -> None:
    board = AlertBoard()
    board.raise_alert(AlertCode.BOOK_GAP, Severity.INFO, S)
    assert board.raise_alert(AlertCode.BOOK_GAP, Severity.WARN, S) is not None


def test_a_storm_of_different_alerts_stays_bounded() -> None:
    board = AlertBoard()
    for number in range(3 * KEEP):
        board.raise_alert(AlertCode.ORDER_DENIED, Severity.INFO, number, detail=str(number))
    assert len(board.views(10 * KEEP)) == KEEP
    assert len(board._newest) == KEEP
    assert board.views(1)[0].detail == str(3 * KEEP - 1)
