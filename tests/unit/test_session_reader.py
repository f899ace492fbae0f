"""From a journal to typed facts: who asked, what was sent, what came of it, what was refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.core.effects import AlertCode, SubmitOrder
from pipeline.core.engine import Engine
from pipeline.core.fact_collector import FactCollector
from pipeline.core.inputs import Command, ExecutionReport
from pipeline.core.session_facts import RunFact, SessionFacts
from pipeline.core.types import DenyReason, OrderState, Side, TradingState
from pipeline.runtime.journal_format import JournalError
from pipeline.runtime.session_reader import read_session_facts
from tests.fakes.engines import MS, SECOND
from tests.fakes.recorded import RecordedFloor
from tests.fakes.trading import BID, LIMITS


def traded() -> RecordedFloor:
    """AUTO enters, fills in parts, is killed with an order resting, is released, and flattens by hand."""
    floor = RecordedFloor(limits={"BTCUSDT": LIMITS})
    floor.warm(p_up=0.9)
    floor.busy_ms(300)
    order = floor.of(SubmitOrder)[0].approved.intent
    floor.trade(order.price_ticks, 100_000_000_000)
    floor.busy_ms(3_000)
    floor.p_up = 0.95
    floor.busy_ms(300)
    floor.close_gate(latch=True, who="ada", reason="looked wrong")
    floor.busy_ms(200)
    floor.open_gate("bob")
    floor.command(Command.RELEASE, who="bob", tty="/dev/pts/2")
    floor.command(Command.NOTE_ALERT, who="bob")
    floor.command(Command.FLATTEN, who="bob")
    floor.busy_ms(1_000)
    return floor


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> tuple[RecordedFloor, RunFact, SessionFacts]:
    directory = tmp_path_factory.mktemp("journal")
    floor = traded()
    floor.write(directory, notes=("attached: ada", "attached: bob"))
    return floor, *read_session_facts(directory)


Read = tuple[RecordedFloor, RunFact, SessionFacts]


def test_the_facts_are_of_the_whole_run_and_its_chain_is_checked(read: Read) -> None:
    floor, run, facts = read
    assert (run.session, run.run, run.cut_short) == ("demo-1", 1, "")
    assert run.chain.sound
    assert run.chain.complete
    assert len(run.chain.head) == 64
    assert [text for _, text in run.evidence] == ["attached: ada", "attached: bob"]
    assert facts.counts == floor.engine.counts()
    assert facts.position == floor.engine.position_summary()
    assert facts.policy_hash == floor.params.digest()


def test_each_order_says_what_it_came_from_and_what_became_of_it(read: Read) -> None:
    floor, _, facts = read
    submitted = [one.approved.client_order_id for one in floor.of(SubmitOrder)]
    assert [order.client_order_id for order in facts.orders] == submitted
    first = facts.orders[0]
    assert first.state is OrderState.FILLED
    assert first.intent.feature_seq > 0
    assert first.worker_id == 0
    assert first.sent_ns - first.row_ns == 2 * MS
    assert first.bid_ticks == BID
    assert first.update_id > 0
    assert first.answered_ns - first.sent_ns == 12 * MS
    assert first.policy_hash == facts.policy_hash
    permit = next(one for one in facts.permits if one.permit.permit_id == first.intent.permit_id)
    assert permit.permit.who == "start"
    assert permit.opened_by == 0
    assert permit.used >= 1
    assert permit.end == "KILLED"


def test_fills_add_up_to_the_position(read: Read) -> None:
    _, _, facts = read
    assert facts.fills
    assert sum(fill.side * fill.lots for fill in facts.fills) == facts.fills[-1].position_lots
    assert {fill.number for fill in facts.fills} <= {order.number for order in facts.orders}
    first = facts.fills[0]
    assert (first.side, first.late, first.mid_half_ticks > 0) == (Side.BUY, False, True)


def test_a_kill_is_told_with_its_person_and_how_long_it_took(read: Read) -> None:
    _, _, facts = read
    [kill] = facts.kills
    assert (kill.who, kill.reason, kill.latched) == ("ada", "looked wrong", True)
    assert kill.ours == kill.canceled >= 1
    assert kill.first_cancel_ns == kill.ts_ns
    assert 12 * MS <= kill.gone_ns - kill.ts_ns <= 40 * MS
    assert [(one.who, one.after) for one in facts.states][:2] == [
        ("ada", TradingState.KILLED),
        ("bob", TradingState.HALTED),
    ]


def test_acts_stand_with_their_answers_and_alerts_with_who_noted_them(read: Read) -> None:
    _, _, facts = read
    acts = [(one.command.command, one.command.who, one.place) for one in facts.commands]
    assert acts == [(Command.RELEASE, "bob", 1), (Command.NOTE_ALERT, "bob", 2), (Command.FLATTEN, "bob", 3)]
    assert "nothing to release" not in facts.commands[0].answer
    noted = [one for one in facts.alerts if one.noted_by]
    assert [(one.noted_by, one.noted_ns > 0) for one in noted] == [("bob", True)]
    assert {one.alert.code for one in facts.alerts} >= {AlertCode.ORDER_FILLED, AlertCode.GATE_CLOSED}


def test_equity_is_told_each_second_and_peaks_are_never_below_it(read: Read) -> None:
    _, _, facts = read
    seconds = [one.ts_ns // SECOND for one in facts.equity]
    assert seconds == sorted(set(seconds))
    [peak] = facts.peaks
    assert abs(peak.worst_lots) >= abs(peak.lots) >= max(abs(one.lots[0]) for one in facts.equity) > 0
    assert peak.worst_quote_e8 > 0
    assert facts.answers[0].age_ns == 2 * MS


def test_denials_are_counted_by_code_with_what_broke_the_rule() -> None:
    floor = RecordedFloor(balance_quote_e8=5)
    floor.warm(p_up=0.9)
    floor.busy_ms(2_000)
    facts = _collected(floor)
    [denial] = facts.denials
    assert (denial.reason, denial.symbol) == (DenyReason.NO_BALANCE, "BTCUSDT")
    assert denial.count == floor.state.orders.counts.denied >= 2
    assert denial.value > denial.limit == 5
    assert denial.first_ns < denial.last_ns
    assert facts.stopped["NO_BALANCE"] == denial.count


def test_a_fill_after_a_cancel_was_asked_for_is_late() -> None:
    floor = RecordedFloor()
    floor.warm(p_up=0.9)
    floor.busy_ms(300)
    order = floor.of(SubmitOrder)[0].approved
    floor.command(Command.CANCEL_ORDER, client_order_id=order.client_order_id)
    lots = order.intent.qty_lots
    report = ExecutionReport(
        *("BTCUSDT", order.client_order_id, 7, OrderState.FILLED, 900, lots, BID, 0, True, ""),
        *(floor.now_ns, floor.now_ns),
    )
    floor.put(report)
    floor.put(report)
    facts = _collected(floor)
    assert [fill.late for fill in facts.fills] == [True]
    assert facts.duplicate_fills == 1


def _collected(floor: RecordedFloor) -> SessionFacts:
    engine = Engine(floor.params)
    collector = FactCollector(engine)
    for event in floor.inputs:
        effects = engine.handle(event)
        collector.observe(event)
        for effect in effects:
            collector.effect(effect)
    return collector.facts()


def test_a_journal_that_was_not_ended_gives_what_is_there(tmp_path: Path) -> None:
    floor = traded()
    journal = floor.write(tmp_path / "alive", close=False)
    shutil.copytree(tmp_path / "alive", tmp_path / "dead")
    journal.close()
    segment = min((tmp_path / "dead").glob("*.journal"))
    whole = segment.read_bytes()
    segment.write_bytes(whole[: len(whole.rstrip(b"\0")) - 7])
    run, facts = read_session_facts(tmp_path / "dead")
    assert run.cut_short
    assert not run.chain.complete
    assert facts.orders


def test_no_journal_is_said(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal"):
        read_session_facts(tmp_path)
