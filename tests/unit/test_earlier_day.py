"""A crash or a restart gives no new allowance of loss: the day goes on where its journal ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.core.earlier import BooksCarried, DayCarried, EarlierPosition
from pipeline.core.effects import AlertCode
from pipeline.core.inputs import HealthRead, TimerBeat
from pipeline.core.types import QUOTE_SCALE, TradingState, VenueMode
from pipeline.runtime import places
from pipeline.runtime.earlier_day import DAY_NS, earlier_day
from pipeline.runtime.earlier_journals import account_notes
from pipeline.runtime.journal import JournalWriter, RecordKind
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.venue_params import VenueParams
from tests.fakes.engines import SECOND, Floor, engine_params
from tests.fakes.journals import header
from tests.fakes.trading import LIMITS

NOON = 20_000 * DAY_NS + DAY_NS // 2
ORDERS = VenueParams("wss://venue/ws", "/keys", "main")
DOLLAR = QUOTE_SCALE


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))


def spec(name: str = "one", orders: VenueParams | None = None) -> SessionSpec:
    params = engine_params(mode=VenueMode.PAPER if orders is None else VenueMode.SIM)
    return SessionSpec(name, "binance", ("BTCUSDT",), params, (), "", orders=orders)


def read(day: int, peak: int, ts_ns: int) -> bytes:
    reading = HealthRead(0, 1, 50, 1, True, (), ts_ns, day * DOLLAR, peak * DOLLAR)
    return msgspec.msgpack.encode(reading)


def ran(name: str, *words: tuple[int, int], at_ns: int = NOON, close: bool = True, **about: Any) -> Path:
    """Leave a run in a session's journal that said so of its day, a beat after each word."""
    directory = places.make_session(name).journal_dir
    head = msgspec.structs.replace(header(name), created_ns=at_ns, **about)
    journal = JournalWriter.create(directory, head, segment_bytes=1 << 16, pack=False)
    for number, (day, peak) in enumerate(words):
        ts_ns = at_ns + number * SECOND
        journal.append(RecordKind.INPUT, ts_ns, read(day, peak, ts_ns))
        journal.append(RecordKind.INPUT, ts_ns, msgspec.msgpack.encode(TimerBeat(ts_ns)))
    if close:
        journal.close()
    return directory


def books(lots: int = 0) -> BooksCarried:
    position = EarlierPosition("BTCUSDT", 0, 0, lots, "0/1", 0, 0, -1)
    return BooksCarried("one", NOON, (position,), (), "", NOON)


class TestReading:
    def test_gives_the_newest_word_of_the_newest_run(self) -> None:
        ran("one", (5, 9))
        directory = ran("one", (-3, 9), (-40, 12), at_ns=NOON + 100 * SECOND)
        now_ns = NOON + 200 * SECOND
        found = earlier_day(spec(), directory, now_ns, None)
        assert found == DayCarried("one", -40 * DOLLAR, 12 * DOLLAR, now_ns)

    def test_reads_a_run_whose_process_died(self) -> None:
        directory = ran("one", (-40, 12), close=False)
        found = earlier_day(spec(), directory, NOON + SECOND, None)
        assert found is not None
        assert found.before_quote_e8 == -40 * DOLLAR

    def test_passes_over_a_run_that_ended_before_its_first_word(self) -> None:
        ran("one", (-40, 12))
        directory = ran("one", at_ns=NOON + SECOND)
        found = earlier_day(spec(), directory, NOON + 2 * SECOND, None)
        assert found is not None
        assert found.before_quote_e8 == -40 * DOLLAR

    def test_looks_into_the_last_segments_alone(self) -> None:
        directory = ran("one", *[(-number, 0) for number in range(1, 900)])
        segments = sorted(directory.glob("0001-*.journal"))
        assert len(segments) >= 2
        segments[0].write_bytes(b"nobody may read this")
        found = earlier_day(spec(), directory, NOON + 1_000 * SECOND, None)
        assert found is not None
        assert found.before_quote_e8 == -899 * DOLLAR

    def test_a_new_day_begins_anew(self) -> None:
        directory = ran("one", (-40, 12))
        assert earlier_day(spec(), directory, NOON + DAY_NS, None) is None

    def test_a_day_on_which_nothing_happened_is_not_spoken_of(self) -> None:
        directory = ran("one", (0, 0))
        assert earlier_day(spec(), directory, NOON + SECOND, None) is None

    @pytest.mark.parametrize("damage", [b"", b"garbage"])
    def test_no_journal_is_no_day(self, damage: bytes) -> None:
        directory = places.make_session("one").journal_dir
        if damage:
            (directory / "0001-000001.journal").write_bytes(damage)
        assert earlier_day(spec(), directory, NOON, None) is None

    def test_on_an_account_the_newest_run_counts_whatever_its_name(self) -> None:
        notes = account_notes(ORDERS)
        ran("a", (-10, 4), at_ns=NOON + 50 * SECOND, notes=notes)
        ran("b", (-99, 7), at_ns=NOON, notes=notes)
        ran("c", (-77, 7), at_ns=NOON + 60 * SECOND, notes={"account": "other"})
        directory = places.make_session("new").journal_dir
        found = earlier_day(spec("new", ORDERS), directory, NOON + 100 * SECOND, books())
        assert found is not None
        assert (found.session, found.peak_quote_e8) == ("a", 4 * DOLLAR)
        assert found.before_quote_e8 == 0, "the books bring it with the positions"

    def test_midnight_ends_no_day_while_a_position_is_open(self) -> None:
        ran("a", (-10, 4), notes=account_notes(ORDERS))
        directory = places.make_session("new").journal_dir
        found = earlier_day(spec("new", ORDERS), directory, NOON + DAY_NS, books(lots=3))
        assert found is not None
        assert found.peak_quote_e8 == 4 * DOLLAR
        assert earlier_day(spec("new", ORDERS), directory, NOON + DAY_NS, books()) is None


class TestEngine:
    def begun(self, before: int, peak: int) -> Floor:
        floor = Floor(engine_params(limits={"BTCUSDT": LIMITS}))
        floor.put(DayCarried("one", before * DOLLAR, peak * DOLLAR, floor.now_ns))
        floor.warm()
        return floor

    def test_goes_on_with_what_is_left_of_the_allowance(self) -> None:
        floor = self.begun(-39, 0)
        floor.busy_ms(4_000)
        assert floor.engine.trading_state is TradingState.ACTIVE
        assert floor.engine.day == (-39 * DOLLAR, 0)
        [alert] = floor.alerts(AlertCode.DAY_CARRIED)
        assert (alert.detail, alert.values) == ("one", (-39 * DOLLAR, 0))

    def test_kills_where_the_allowance_was_used_up_before(self) -> None:
        floor = self.begun(-40, 0)
        floor.busy_ms(4_000)
        assert floor.engine.trading_state is TradingState.KILLED
        assert [alert.detail for alert in floor.alerts(AlertCode.LOSS_LIMIT)] == ["DAILY_LOSS"]

    def test_the_books_of_an_account_bring_their_loss(self) -> None:
        floor = Floor(engine_params(limits={"BTCUSDT": LIMITS}))
        lost = EarlierPosition("BTCUSDT", 10**9, 0, 0, "0/1", -(40 * DOLLAR) // 10, 0, -1)
        floor.put(BooksCarried("one", floor.now_ns, (lost,), (), "", floor.now_ns))
        floor.warm()
        floor.busy_ms(4_000)
        assert floor.engine.day == (-40 * DOLLAR, 0)
        assert floor.engine.trading_state is TradingState.KILLED

    def test_a_fall_from_the_days_best_goes_on_too(self) -> None:
        floor = self.begun(10, 50)
        floor.busy_ms(4_000)
        assert floor.engine.trading_state is TradingState.KILLED
        assert [alert.detail for alert in floor.alerts(AlertCode.LOSS_LIMIT)] == ["DRAWDOWN"]

    def test_what_is_made_now_is_added(self) -> None:
        floor = self.begun(-20, 0)
        floor.p_up = 0.9
        floor.busy_ms(2_000)
        portfolio = floor.state.portfolio
        position = portfolio.position("BTCUSDT")
        assert portfolio.day_quote_e8 == position.day_quote_e8 - 20 * DOLLAR
