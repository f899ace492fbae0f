"""Books out of journals on a disk: the newest session of the account, and what a damaged one gives."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pipeline.core.earlier import BalancesCompared, BooksCarried, EarlierPosition
from pipeline.core.effects import SubmitOrder
from pipeline.core.inputs import AccountRead, Command, ExecutionReport, Input, OperatorCommand, TimerBeat
from pipeline.core.types import OrderState, RiskApproved
from pipeline.runtime.earlier_books import BooksFold
from pipeline.runtime.earlier_journals import account_notes, earlier_books
from pipeline.runtime.journal import JournalWriter
from pipeline.runtime.journal_format import JournalError, JournalHeader, Record, RecordKind
from pipeline.runtime.places import HOME_VARIABLE, make_session
from pipeline.runtime.venue_params import VenueParams
from tests.fakes.engines import engine_params
from tests.fakes.trading import POLICY, SPOT, fill, intent, report

NOW = 1_800_000_000 * 10**9
ORDERS = VenueParams("wss://one/ws-api/v3", "", "main")
encode = msgspec.msgpack.Encoder(order="deterministic").encode


def account(home_e8: int = 10**9) -> AccountRead:
    return AccountRead((("BTCUSDT", home_e8),), 5 * 10**8, NOW)


def submit(client_order_id: str, qty_lots: int = 1_000) -> SubmitOrder:
    return SubmitOrder(RiskApproved(intent(qty_lots=qty_lots), client_order_id, POLICY), NOW)


def write(name: str, created_ns: int, *told: Input | SubmitOrder, orders: VenueParams = ORDERS) -> Path:
    place = make_session(name)
    header = JournalHeader(name, "1", created_ns, engine_params(), notes=account_notes(orders))
    journal = JournalWriter.create(place.journal_dir, header, segment_bytes=1 << 20, pack=False)
    for one in told:
        kind = RecordKind.EFFECT if isinstance(one, SubmitOrder) else RecordKind.INPUT
        journal.append(kind, NOW, encode(one))
    journal.close()
    return place.journal_dir


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "state"))


def books() -> BooksCarried:
    found = earlier_books(ORDERS, NOW)
    assert found is not None
    return found


def test_an_account_nobody_traded_has_none() -> None:
    assert earlier_books(ORDERS, NOW) is None


def test_position_and_live_orders_follow_from_what_was_sent_and_told() -> None:
    write(
        "one",
        1,
        account(),
        submit("a"),
        submit("b", 2_000),
        submit("c"),
        report("a", OrderState.ACCEPTED),
        fill("a", 1_000, 11),
        fill("b", 500, 12),
        fill("b", 500, 12),
        report("c", OrderState.CANCELED),
    )
    (position,) = books().positions
    (order,) = books().orders
    assert (position.lots, position.home_e8) == (1_500, 10**9)
    assert position.flow_e8 == 1_500 * SPOT.lot_units
    assert (order.client_order_id, order.qty_lots, order.filled_lots, order.trades) == (
        "b",
        2_000,
        500,
        (12,),
    )
    assert not books().trouble


def test_the_newest_session_of_the_account_counts_and_others_do_not() -> None:
    write("one", 1, account(1))
    write("two", 3, account(3))
    write("three", 2, account(2))
    write("other", 4, account(4), orders=VenueParams("wss://one/ws-api/v3", "", "another"))
    write("elsewhere", 5, account(5), orders=VenueParams("wss://two/ws-api/v3", "", "main"))
    assert books().session == "two"


def test_a_session_that_never_knew_the_account_is_passed_over() -> None:
    write("one", 1, account(7))
    write("two", 2, TimerBeat(NOW))
    assert books().session == "one"


def test_a_session_that_comes_back_under_its_name_finds_its_own_books() -> None:
    journal = write("one", 1, account(), submit("a"))
    header = JournalHeader("one", "1", 2, engine_params(), notes=account_notes(ORDERS))
    JournalWriter.create(journal, header, segment_bytes=1 << 20, pack=False).close()
    found = books()
    assert (found.session, [one.client_order_id for one in found.orders]) == ("one", ["a"])


def test_what_a_session_was_given_and_did_not_trade_is_handed_on() -> None:
    old = EarlierPosition("ETHUSDT", 5, 7, 3, "9/1", -9, 0, NOW)
    write("one", 1, BooksCarried("before", NOW, (old,), (), "", NOW), account())
    assert [one.symbol for one in books().positions] == ["BTCUSDT", "ETHUSDT"]
    assert books().positions[1] == old


def test_fills_of_an_order_nobody_sent_make_the_books_doubtful() -> None:
    write("one", 1, account(), fill("x", 500, 3))
    assert "does not have" in books().trouble


def test_doubt_lasts_until_a_person_has_adopted() -> None:
    carried = BooksCarried("before", NOW, (), (), "damaged", NOW)
    adopted = OperatorCommand(Command.ADOPT, "ada", "", "BTCUSDT", 0, 0, NOW)
    write("one", 1, carried, account())
    assert books().trouble == "damaged"
    write("two", 2, carried, account(), BalancesCompared((), NOW), adopted)
    assert not books().trouble


def test_a_damaged_journal_is_told_and_not_guessed_from() -> None:
    directory = write("one", 1, account(), *(submit(f"a{n}") for n in range(200)))
    segment = next(directory.glob("*.journal"))
    raw = bytearray(segment.read_bytes())
    raw[raw.index(b"a150")] ^= 0x55
    segment.write_bytes(raw)
    assert "damaged" in books().trouble


def test_an_input_of_another_version_is_refused() -> None:
    fold = BooksFold("one", (SPOT,))
    payload = msgspec.msgpack.encode({"type": "AccountRead", "quote_e8": "much"})
    with pytest.raises(JournalError):
        fold.take(Record(RecordKind.INPUT, 1, NOW, payload, 0, 0, 0))


def test_what_it_has_no_use_for_is_passed_over_unread() -> None:
    fold = BooksFold("one", (SPOT,))
    for kind in (RecordKind.FRAME, RecordKind.INPUT, RecordKind.NOTE):
        fold.take(Record(kind, 1, NOW, b"\x00\x01garbage", 0, 0, 0))
    assert fold.books(NOW) is None


def test_books_put_on_record_are_where_reading_begins() -> None:
    fold = BooksFold("one", (SPOT,))
    before: list[Input | SubmitOrder] = [account(), BalancesCompared((), NOW), submit("a", 2_000)]
    for one in (*before, fill("a", 500, 1)):
        if isinstance(one, SubmitOrder):
            fold.sent(one)
        else:
            fold.see(one)
    kept = fold.kept(NOW)
    assert kept is not None
    after = (submit("b"), fill("b", 1_000, 7), fill("a", 500, 1), fill("a", 500, 2))
    write("whole", 1, *before, fill("a", 500, 1), *after)
    whole = books()
    write("kept", 2, submit("gone"), fill("nobody", 9, 9), kept, *after)
    assert msgspec.structs.replace(books(), session="whole") == whole
    assert whole.positions[0].lots == 2_000


def test_books_are_kept_only_once_the_account_was_compared() -> None:
    fold = BooksFold("one", (SPOT,))
    fold.see(account())
    assert fold.kept(NOW) is None


def test_only_the_segments_since_the_newest_books_are_read() -> None:
    fold = BooksFold("one", (SPOT,))
    fold.see(account())
    fold.see(BalancesCompared((), NOW))
    kept = fold.kept(NOW)
    assert kept is not None
    noise = [TimerBeat(NOW)] * 30_000
    directory = write("long", 1, account(7), *noise, kept, submit("a"))
    first, *rest = sorted(directory.glob("*.journal"))
    assert rest
    raw = bytearray(first.read_bytes())
    raw[len(raw) // 2] ^= 0x55  # not read, so not missed
    first.write_bytes(raw)
    assert not books().trouble
    assert [one.client_order_id for one in books().orders] == ["a"]
    assert books().positions[0].home_e8 == 10**9


def test_a_commission_in_coins_leaves_the_account() -> None:
    taken = msgspec.structs.replace(fill("a", 1_000, 11), fee_base_e8=700)
    write("one", 1, account(), submit("a"), taken)
    (position,) = books().positions
    assert position.flow_e8 == 1_000 * SPOT.lot_units - 700


def test_a_report_without_a_commission_in_coins_is_written_as_ever() -> None:
    assert "fee_base_e8" not in msgspec.to_builtins(fill("a", 1, 1))
    assert isinstance(fill("a", 1, 1), ExecutionReport)
