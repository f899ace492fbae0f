"""What a person asks for: permits, the three axes, cancels, flatten, alerts."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.core.cards import PressRefusal
from pipeline.core.effects import AlertCode, CancelOrder, CloseGate, OpenGate, SubmitOrder
from pipeline.core.funnel import Stage
from pipeline.core.inputs import Command, LinkChanged, OrderPathChanged, WindowTerms
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.types import QUOTE_SCALE, Authority, Origin, Side, TradingState
from tests.fakes.engines import SECOND, Floor, engine_params
from tests.fakes.trading import BID

APPROVE = engine_params(authority=Authority.APPROVE)
CROSS = engine_params(execution=ExecutionParams(entry=EntryStyle.CROSS))


def with_card() -> Floor:
    floor = Floor(APPROVE).warm(0.9)
    floor.busy_ms(700)
    return floor


def press(floor: Floor, command: Command, **fields: Any) -> str:
    (card,) = floor.picture().proposals
    floor.command(command, **{"target_id": card.idea_id, "revision": card.revision, **fields})
    return floor.engine.last_answer


def a_window(**changes: Any) -> WindowTerms:
    fields: dict[str, Any] = {
        "sides": (Side.BUY, Side.SELL),
        "max_order_lots": 500,
        "max_net_lots": 800,
        "max_orders": 3,
        "max_loss_quote_e8": 5 * QUOTE_SCALE,
        "min_net_edge_e6": 0,
        "lowest_ticks": BID - 10_000,
        "highest_ticks": BID + 10_000,
        "duration_ns": 60 * SECOND,
    }
    return WindowTerms(**{**fields, **changes})


class TestPermitOnce:
    def test_on_another_revision_than_drawn_is_refused(self) -> None:
        floor = with_card()
        assert press(floor, Command.PERMIT_ONCE, revision=99) == PressRefusal.REVISED
        assert floor.alerts(AlertCode.PERMIT_REFUSED)[0].detail == "REVISED"
        assert not floor.of(SubmitOrder)

    def test_on_a_card_that_is_gone_is_refused(self) -> None:
        floor = with_card()
        assert press(floor, Command.PERMIT_ONCE, target_id=99) == PressRefusal.GONE

    def test_a_key_held_down_gives_one_permit(self) -> None:
        floor = with_card()
        (card,) = floor.picture().proposals
        for _ in range(40):
            floor.command(Command.PERMIT_ONCE, target_id=card.idea_id, revision=card.revision)
            floor.pass_ms(50)
        assert floor.engine.counts()["permits"] == 1
        assert floor.engine.counts()["orders"] == 1

    def test_is_counted_and_takes_the_card_away(self) -> None:
        floor = with_card()
        press(floor, Command.PERMIT_ONCE)
        assert not floor.picture().proposals
        assert floor.picture().why.permitted == 1

    def test_under_observe_is_refused(self) -> None:
        floor = Floor(engine_params(authority=Authority.OBSERVE)).warm(0.9)
        floor.busy_ms(700)
        assert press(floor, Command.PERMIT_ONCE) == PressRefusal.AUTHORITY

    def test_puts_an_unmanaged_position_under_the_exit_rule_again(self) -> None:
        cross = engine_params(authority=Authority.APPROVE, execution=ExecutionParams(entry=EntryStyle.CROSS))
        floor = Floor(cross).warm(0.9)
        floor.busy_ms(700)
        press(floor, Command.PERMIT_ONCE)
        floor.busy_ms(100)
        floor.command(Command.HALT)
        assert floor.picture().header.unmanaged_lots == floor.position > 0
        floor.command(Command.RESUME)
        floor.p_up = 0.97
        floor.busy_ms(3_000)
        press(floor, Command.PERMIT_ONCE)
        assert floor.picture().header.unmanaged_lots == 0


class TestDecline:
    def test_silences_the_side_for_a_while(self) -> None:
        floor = with_card()
        assert press(floor, Command.DECLINE) == ""
        picture = floor.picture()
        assert not picture.proposals
        assert picture.snoozed[0][:2] == ("BTCUSDT", 1)
        floor.busy_ms(10_000)
        assert not floor.picture().proposals
        floor.busy_ms(21_000)
        assert floor.picture().proposals

    def test_of_another_revision_is_refused(self) -> None:
        floor = with_card()
        assert press(floor, Command.DECLINE, revision=9) == PressRefusal.REVISED
        assert floor.picture().proposals

    def test_pressed_twice_is_one_card_declined(self) -> None:
        floor = with_card()
        (card,) = floor.picture().proposals
        for _ in range(2):
            floor.command(Command.DECLINE, target_id=card.idea_id, revision=card.revision)
        assert floor.state.desks["BTCUSDT"].funnel.session().of(Stage.DECLINED) == 1
        assert floor.picture().snoozed[0][2] == 300_000


class TestWindow:
    def test_lets_orders_through_until_its_number_is_used(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        floor.command(Command.PERMIT_WINDOW, terms=a_window())
        assert floor.engine.last_answer == ""
        assert floor.picture().header.window == "both 1:00 0/3"
        floor.busy_ms(8_000)
        assert floor.engine.counts()["orders"] == 3
        assert floor.picture().header.window == ""

    def test_of_one_side_lets_only_that_side_through(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        floor.command(Command.PERMIT_WINDOW, terms=a_window(sides=(Side.SELL,)))
        floor.busy_ms(2_000)
        assert floor.engine.counts()["orders"] == 0
        assert floor.picture().header.window.startswith("short ")

    @pytest.mark.parametrize("sides", [(Side.BUY,), (Side.SELL,), (Side.BUY, Side.SELL)])
    @pytest.mark.parametrize("p_up", [0.1, 0.9])
    def test_lets_the_model_trade_each_side_it_names(self, sides: tuple[Side, ...], p_up: float) -> None:
        floor = Floor(APPROVE).warm(p_up)
        floor.command(Command.PERMIT_WINDOW, terms=a_window(sides=sides))
        floor.busy_ms(2_000)
        wanted = Side.BUY if p_up > 0.5 else Side.SELL
        sent = {order.approved.intent.side for order in floor.of(SubmitOrder)}
        assert sent == ({wanted} if wanted in sides else set())

    def test_for_reductions_alone_there_is_none(self) -> None:
        """Exits need no permit and a decision never reduces: such a window would let nothing through."""
        floor = Floor(APPROVE).warm(0.9)
        floor.command(Command.PERMIT_WINDOW, terms=a_window(sides=()))
        assert floor.engine.last_answer == PressRefusal.BAD_TERMS

    def test_beyond_the_limits_is_refused_whole(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        floor.command(Command.PERMIT_WINDOW, terms=a_window(max_order_lots=10**9))
        assert floor.engine.last_answer == PressRefusal.BAD_TERMS
        assert not floor.picture().permits

    def test_on_a_symbol_of_nobody_is_refused(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        floor.command(Command.PERMIT_WINDOW, terms=a_window(), symbol="XYZ")
        assert floor.engine.last_answer == PressRefusal.BAD_TERMS

    def test_without_a_model_is_refused(self) -> None:
        floor = Floor(engine_params(authority=Authority.APPROVE, model=None)).warm()
        floor.command(Command.PERMIT_WINDOW, terms=a_window())
        assert floor.engine.last_answer == PressRefusal.BAD_TERMS

    def test_ends_with_everything_else_by_one_command(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        floor.command(Command.PERMIT_WINDOW, terms=a_window())
        floor.busy_ms(200)
        assert floor.engine.open_orders == 1
        floor.command(Command.END_PERMITS)
        assert floor.engine.last_answer == "1 permits ended"
        floor.busy_ms(200)
        assert floor.engine.open_orders == 0
        assert floor.alerts(AlertCode.PERMIT_ENDED)[0].detail == "OPERATOR"


class TestEditSize:
    def test_down_is_taken_as_a_new_revision(self) -> None:
        floor = with_card()
        (card,) = floor.picture().proposals
        assert press(floor, Command.EDIT_SIZE, qty_lots=card.qty_lots // 2) == ""
        (edited,) = floor.picture().proposals
        assert edited.qty_lots == card.qty_lots // 2
        assert edited.revision == card.revision + 1

    def test_beyond_what_was_sized_is_refused(self) -> None:
        assert press(with_card(), Command.EDIT_SIZE, qty_lots=10**9) == PressRefusal.BAD_TERMS


class TestAuthority:
    def test_auto_opens_a_permit_and_a_step_down_ends_it(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        floor.command(Command.SET_AUTHORITY, authority=2)
        assert floor.engine.authority is Authority.AUTO
        assert [permit.kind for permit in floor.picture().permits] == ["auto"]
        floor.busy_ms(200)
        assert floor.engine.open_orders == 1
        floor.command(Command.AUTHORITY_DOWN)
        assert floor.engine.last_answer == "APPROVE"
        assert floor.alerts(AlertCode.PERMIT_ENDED)[0].detail == "AUTHORITY"
        floor.busy_ms(100)
        assert floor.engine.open_orders == 0

    def test_goes_down_no_further_than_observe(self) -> None:
        floor = Floor(engine_params(authority=Authority.OBSERVE)).warm()
        floor.command(Command.AUTHORITY_DOWN)
        assert floor.engine.last_answer == "OBSERVE"
        assert not floor.alerts(AlertCode.AUTHORITY_CHANGED)

    @pytest.mark.parametrize("authority", [-1, 3, 10**30])
    def test_that_does_not_exist_is_refused(self, authority: int) -> None:
        floor = Floor(APPROVE).warm()
        floor.command(Command.SET_AUTHORITY, authority=authority)
        assert "wanted 0, 1 or 2" in floor.engine.last_answer
        assert floor.engine.authority is Authority.APPROVE

    def test_auto_without_a_model_opens_nothing(self) -> None:
        floor = Floor(engine_params(model=None)).warm()
        assert not floor.picture().permits

    def test_a_kill_ends_it_and_a_resume_alone_trades_no_more(self) -> None:
        floor = Floor().warm(0.9)
        floor.command(Command.KILL)
        floor.command(Command.SET_AUTHORITY, authority=2)
        assert "release it first" in floor.engine.last_answer
        assert floor.engine.authority is Authority.OBSERVE
        floor.open_gate()
        floor.busy_ms(100)
        orders = floor.engine.counts()["orders"]
        floor.command(Command.RESUME)
        floor.busy_ms(1_000)
        assert floor.is_in(TradingState.ACTIVE)
        assert floor.engine.authority is Authority.OBSERVE
        assert not floor.engine.state.permits.open_permits()
        assert floor.engine.counts()["orders"] == orders

    def test_a_halt_leaves_it(self) -> None:
        floor = Floor().warm(0.9)
        floor.close_gate()
        assert floor.engine.authority is Authority.AUTO


class TestTradingState:
    def test_only_goes_down_by_halt_and_reduce(self) -> None:
        floor = Floor().warm()
        floor.command(Command.REDUCE)
        assert floor.engine.last_answer == "REDUCING"
        floor.command(Command.HALT)
        assert floor.engine.last_answer == "HALTED"
        floor.command(Command.REDUCE)
        assert floor.engine.last_answer == "HALTED"
        floor.command(Command.HALT)
        assert floor.is_in(TradingState.HALTED)
        assert len(floor.alerts(AlertCode.TRADING_STATE_CHANGED)) == 2

    def test_reducing_withdraws_entries_and_cards_and_lets_exits_go(self) -> None:
        floor = Floor(CROSS).warm(0.9)
        floor.busy_ms(300)
        assert floor.position > 0
        floor.command(Command.REDUCE)
        sent = len(floor.of(SubmitOrder))
        floor.p_up = 0.1
        floor.busy_ms(6_000)
        later = [order.approved.intent for order in floor.of(SubmitOrder)[sent:]]
        assert later
        assert all(intent.reduce_only for intent in later)
        assert floor.position == 0
        assert not floor.picture().proposals

    def test_resume_opens_the_auto_permit_again(self) -> None:
        floor = Floor().warm(0.9)
        floor.command(Command.HALT)
        assert [permit.state for permit in floor.picture().permits] == ["ended"]
        effects = floor.command(Command.RESUME)
        assert floor.of(OpenGate, effects)
        assert floor.engine.last_answer == "ACTIVE"
        assert floor.picture().permits[0].state == "open"
        assert floor.of(SubmitOrder, floor.busy_ms(300))

    def test_resume_behind_a_closed_gate_is_refused(self) -> None:
        floor = Floor().warm()
        floor.close_gate()
        floor.command(Command.RESUME)
        assert "release it first" in floor.engine.last_answer
        assert floor.is_in(TradingState.HALTED)

    def test_resume_while_active_changes_nothing(self) -> None:
        floor = Floor().warm()
        floor.command(Command.RESUME)
        assert floor.is_in(TradingState.ACTIVE)
        assert [permit.state for permit in floor.picture().permits] == ["open"]

    def test_release_of_an_open_gate_does_not_halt(self) -> None:
        floor = Floor().warm()
        floor.command(Command.RELEASE)
        assert floor.engine.last_answer == "nothing to release: the gate is open"
        assert floor.is_in(TradingState.ACTIVE)

    def test_release_behind_a_closed_gate_is_refused(self) -> None:
        floor = Floor().warm()
        floor.close_gate(latch=True)
        floor.command(Command.RELEASE)
        assert floor.engine.last_answer == "the gate is still closed"
        assert floor.is_in(TradingState.KILLED)


class TestOrders:
    def working(self) -> Floor:
        floor = Floor().warm(0.9)
        floor.busy_ms(200)
        assert floor.engine.open_orders == 1
        return floor

    def test_one_is_cancelled_by_its_id(self) -> None:
        floor = self.working()
        order_id = floor.picture().orders[0].client_order_id
        (cancel,) = floor.of(CancelOrder, floor.command(Command.CANCEL_ORDER, client_order_id=order_id))
        assert (cancel.client_order_id, cancel.reason) == (order_id, "OPERATOR")
        assert floor.engine.last_answer == ""

    @pytest.mark.parametrize("order_id", ["", "t0000000000000x1"])
    def test_one_that_does_not_work_is_said(self, order_id: str) -> None:
        floor = self.working()
        floor.command(Command.CANCEL_ORDER, client_order_id=order_id)
        assert floor.engine.last_answer == "no such working order"

    def test_all_of_a_symbol_are_cancelled(self) -> None:
        floor = self.working()
        floor.command(Command.CANCEL_ALL)
        assert floor.engine.last_answer == "1 cancels sent"
        floor.p_up = None
        floor.busy_ms(50)
        assert floor.engine.open_orders == 0

    def test_asked_again_within_a_second_sends_no_second_cancel(self) -> None:
        floor = self.working()
        floor.command(Command.CANCEL_ALL)
        assert not floor.of(CancelOrder, floor.command(Command.CANCEL_ALL))

    @pytest.mark.parametrize("command", [Command.CANCEL_ALL, Command.FLATTEN])
    def test_of_a_symbol_that_is_not_here_are_refused(self, command: Command) -> None:
        floor = self.working()
        floor.command(command, symbol="XYZ")
        assert floor.engine.last_answer == "XYZ: not in this session"


class TestFlatten:
    def held(self) -> Floor:
        floor = Floor(CROSS).warm(0.9)
        floor.busy_ms(300)
        assert floor.position > 0
        return floor

    def test_takes_the_position_home_at_once(self) -> None:
        floor = self.held()
        floor.p_up = None
        floor.command(Command.FLATTEN)
        floor.busy_ms(200)
        assert floor.position == 0
        last = floor.of(SubmitOrder)[-1].approved.intent
        assert (last.origin, last.reduce_only) == (Origin.FLATTEN, True)

    def test_works_while_killed(self) -> None:
        floor = self.held()
        floor.close_gate(latch=True)
        floor.command(Command.FLATTEN)
        floor.busy_ms(200)
        assert floor.position == 0
        assert floor.is_in(TradingState.KILLED)

    def test_after_a_kill_is_not_cancelled_while_it_waits_for_the_disk_or_the_venue(self) -> None:
        floor = self.held()
        floor.close_gate(latch=True)
        floor.engine.state.has_order_path = True  # the kill converges on the venue's lists
        floor.command(Command.FLATTEN)
        floor.busy_ms(200)
        sent = [one.approved for one in floor.of(SubmitOrder) if one.approved.intent.origin is Origin.FLATTEN]
        canceled = {one.client_order_id for one in floor.of(CancelOrder)}
        assert sent
        assert not canceled & {one.client_order_id for one in sent}

    def test_of_nothing_says_so_and_ends_what_could_open_a_position(self) -> None:
        floor = Floor().warm()
        floor.command(Command.FLATTEN)
        assert floor.engine.last_answer == "nothing to flatten: the position is at home; permits ended: 1"
        floor.command(Command.FLATTEN)
        assert floor.engine.last_answer == "nothing to flatten: the position is at home"

    def test_of_nothing_cancels_an_entry_that_still_works(self) -> None:
        floor = Floor().warm(0.9)
        floor.busy_ms(200)
        assert (floor.engine.open_orders, floor.position) == (1, 0)
        floor.command(Command.FLATTEN)
        floor.busy_ms(2_000)
        assert floor.engine.open_orders == 0

    def test_ends_the_window_so_that_the_machine_does_not_enter_again(self) -> None:
        cross = engine_params(authority=Authority.APPROVE, execution=ExecutionParams(entry=EntryStyle.CROSS))
        floor = Floor(cross).warm(0.9)
        floor.command(Command.PERMIT_WINDOW, terms=a_window())
        floor.busy_ms(300)
        assert floor.position > 0
        floor.command(Command.FLATTEN)
        assert floor.engine.last_answer == "flattening; permits ended: 1"
        assert [alert.detail for alert in floor.alerts(AlertCode.PERMIT_ENDED)] == ["FLATTEN"]
        assert (floor.picture().permits[0].state, floor.picture().permits[0].why) == ("ended", "FLATTEN")
        floor.busy_ms(8_000)
        assert floor.position == 0

    def test_ends_the_symbols_auto_until_a_person_resumes(self) -> None:
        floor = self.held()
        floor.command(Command.FLATTEN)
        floor.busy_ms(3_000)
        assert (floor.position, floor.engine.authority) == (0, Authority.AUTO)
        assert floor.picture().chain.stopped == "NO_PERMIT"
        floor.command(Command.RESUME)
        floor.busy_ms(2_000)
        assert floor.position > 0

    def test_keeps_auto_ended_when_only_the_order_path_comes_back(self) -> None:
        floor = self.held()
        floor.command(Command.FLATTEN)
        floor.busy_ms(300)
        floor.state.resume_to = TradingState.ACTIVE
        floor.state.trading_state = TradingState.HALTED
        floor.put(OrderPathChanged(True, "reconciled", floor.now_ns))
        assert floor.is_in(TradingState.ACTIVE)
        floor.busy_ms(3_000)
        assert floor.position == 0

    def test_ends_when_flat_and_the_next_position_stands(self) -> None:
        floor = self.held()
        floor.command(Command.FLATTEN)
        floor.p_up = None
        floor.busy_ms(200)
        floor.command(Command.RESUME)
        floor.p_up = 0.9
        floor.busy_ms(2_000)
        assert floor.position > 0

    def test_is_taken_back_by_a_resume(self) -> None:
        floor = self.held()
        floor.p_up = None
        floor.pass_ms(2_100)
        floor.command(Command.FLATTEN)
        floor.command(Command.HALT)
        floor.command(Command.RESUME)
        floor.busy_ms(500)
        assert floor.position > 0


class TestConsoles:
    def test_the_last_one_lost_ends_permits_in_approve(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        floor.put(LinkChanged(2, floor.now_ns))
        floor.command(Command.PERMIT_WINDOW, terms=a_window())
        floor.put(LinkChanged(1, floor.now_ns))
        assert floor.picture().permits[0].state == "open"
        effects = floor.put(LinkChanged(0, floor.now_ns))
        assert floor.alerts(AlertCode.CONSOLE_LOST, effects)
        assert floor.picture().permits[0].why == "PRESENCE"

    def test_lost_under_auto_leave_its_permit(self) -> None:
        floor = Floor().warm(0.9)
        floor.put(LinkChanged(1, floor.now_ns))
        floor.put(LinkChanged(0, floor.now_ns))
        assert floor.picture().permits[0].state == "open"

    def test_that_never_were_are_not_lost(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        assert not floor.put(LinkChanged(0, floor.now_ns))


def test_alerts_are_noted_by_number_and_the_newest_without() -> None:
    floor = Floor().warm()
    floor.update(skip=3)
    floor.close_gate()
    assert floor.picture().header.alerts_unnoted == 3
    number = floor.alerts(AlertCode.BOOK_GAP)[0].alert_id
    floor.command(Command.NOTE_ALERT, target_id=number)
    assert floor.engine.last_answer == ""
    floor.command(Command.NOTE_ALERT)
    assert floor.picture().header.alerts_unnoted == 1
    floor.command(Command.NOTE_ALERT, target_id=number)
    assert floor.engine.last_answer == "no alert to note"


def test_a_kill_asked_for_closes_and_latches_the_gate() -> None:
    floor = Floor().warm(0.9)
    floor.busy_ms(200)
    (effect,) = floor.of(CloseGate, floor.command(Command.KILL))
    assert effect.latch
    assert effect.reason == "kill by ada"
    assert floor.is_in(TradingState.KILLED)
