"""Every order of the account cancelled on a person's word: foreign ones, other symbols, lost connections."""

from __future__ import annotations

import json

import pytest

from pipeline.runtime.venue_account import AccountCancel
from pipeline.wire.binance_answers import ApiAnswer, open_symbols_of
from pipeline.wire.fields import WireError
from tests.fakes.venue_bench import BEST_BID, VenueBench, stands

MASS, LIST = "openOrders.cancelAll", "openOrders.status"


def killed() -> VenueBench:
    """One order of ours and one of somebody else's, and a closed gate."""
    bench = VenueBench().up()
    bench.submit(ticks=BEST_BID - 100)
    stands(bench, "somebody-elses")
    bench.pass_ms(200)
    bench.gate.open = False
    return bench


def whole_lists(bench: VenueBench) -> int:
    return sum("symbol" not in one["params"] for one in bench.methods(LIST))


def test_foreign_orders_go_and_a_list_of_the_whole_account_ends_it() -> None:
    bench = killed()
    assert len(bench.open_ids()) == 2
    bench.desk.cancel_account(bench.now_ns)
    bench.pass_ms(3_000)
    assert bench.open_ids() == []
    assert bench.live_ids() == []
    assert len(bench.methods(MASS)) == 1
    assert whole_lists(bench) == 1
    assert bench.agrees()


def test_an_order_that_comes_meanwhile_goes_too() -> None:
    bench = killed()
    bench.desk.cancel_account(bench.now_ns)
    stands(bench, "another")
    bench.pass_ms(3_000)
    assert bench.open_ids() == []


def test_a_lost_connection_does_not_end_it() -> None:
    bench = killed()
    bench.cut()
    bench.desk.cancel_account(bench.now_ns)
    assert not bench.methods(MASS)
    bench.settle(5)
    assert bench.open_ids() == []


def test_a_released_kill_ends_it_and_foreign_orders_stay() -> None:
    bench = killed()
    bench.cut()
    bench.desk.cancel_account(bench.now_ns)
    bench.gate.open = True
    bench.settle(5)
    assert "somebody-elses" in bench.open_ids()
    assert not bench.methods(MASS)


def test_no_other_cancel_reaches_a_foreign_order() -> None:
    bench = killed()
    bench.desk.cancel_all("BTCUSDT", bench.now_ns)
    bench.settle(5)
    assert bench.open_ids() == ["somebody-elses"]
    assert not bench.methods(MASS)


def test_other_symbols_of_the_account_are_cancelled_as_the_list_names_them() -> None:
    bench = killed()
    account = AccountCancel(bench.desk._state)
    account.begin(bench.now_ns)
    rows = [{"symbol": "ETHUSDT"}, {"symbol": "ETHUSDT"}, {"symbol": "BNBUSDT"}]
    account.listed(ApiAnswer("1", 200, json.dumps(rows).encode(), 0, "", 0, ()), bench.now_ns)
    assert [one["params"]["symbol"] for one in bench.methods(MASS)] == ["BTCUSDT", "ETHUSDT", "BNBUSDT"]


@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_refused_list_is_no_empty_account(status: int) -> None:
    bench = killed()
    account = AccountCancel(bench.desk._state)
    account.begin(bench.now_ns)
    account.listed(ApiAnswer("1", status, b"[]", -1, "", 0, ()), bench.now_ns)
    asked = whole_lists(bench)
    account.tick(bench.now_ns)
    assert whole_lists(bench) == asked + 1


@pytest.mark.parametrize("rubbish", [b"", b"{}", b"[1]", b'[{"symbol":7}]', b"[" * 4_000, b"\xff"])
def test_rubbish_is_no_list_of_symbols(rubbish: bytes) -> None:
    with pytest.raises(WireError):
        open_symbols_of(rubbish)
