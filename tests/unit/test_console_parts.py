"""The console's pure parts: input guard, presses, strips, filter, bell, gate in the picture, window terms."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.acts.ideas import lots_of
from app.acts.replay import SPEEDS, next_speed, number_of
from app.bell import ALERT, FILL, KILL, QUIET_S, Bell
from app.display_lag import ASK_BYTES, EVERY_S, GIVE_UP_S, NEVER_ANSWERED_S, WINDOW_BYTES, DisplayLag
from app.gate_picture import live_orders, with_gate, without_halt_banner
from app.input_guard import AFTER_GAP_S, BURST_KEYS, BURST_S, LONGEST_PASTE_S, InputGuard, PasteWatch
from app.kill_keys import Emergency
from app.order_filter import OrderFilter, parse_filter
from app.press_watch import ARMING_S, REPEAT_S, PressWatch
from app.strips import STANDS_S, Strip, StripKeeper
from app.terminal_facts import frame_rate, plain_terminal
from app.window_panel import scaled, terms_of
from pipeline.core.inputs import WindowTerms
from pipeline.core.snapshot import AlertView
from pipeline.core.types import OrderState, Severity, Side, TradingState
from tests.fakes import snapshots
from tests.fakes.links import FakeGate

PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"


# --- input guard


def test_more_than_eight_keys_within_50_ms_are_a_burst_for_a_moment() -> None:
    guard = InputGuard()
    guard.note_keys(10.0, BURST_KEYS)
    assert guard.refusal(10.0) == ""
    guard.note_keys(10.04, 1)
    assert guard.refusal(10.04)
    assert guard.refusal(10.05 + BURST_S) == ""


def test_keys_typed_one_by_one_are_no_burst() -> None:
    guard = InputGuard()
    for turn in range(100):
        guard.note_keys(turn * 0.033, 1)
        assert guard.refusal(turn * 0.033) == ""


def test_a_display_gap_keeps_keys_that_add_risk_out_for_a_second() -> None:
    guard = InputGuard()
    guard.note_gap(5.0)
    assert guard.refusal(5.0 + AFTER_GAP_S - 0.01)
    assert guard.refusal(5.0 + AFTER_GAP_S) == ""


@given(st.lists(st.integers(1, 11), max_size=6))
def test_a_paste_is_followed_however_the_reads_cut_its_marks(cuts: list[int]) -> None:
    guard = InputGuard()
    paste = PasteWatch(guard)
    for text, is_open in ((f"ab{PASTE_START}xy", True), (f"z{PASTE_END}cd", False)):
        edges = [0, *sorted({cut for cut in cuts if cut < len(text)}), len(text)]
        for start, end in zip(edges, edges[1:], strict=False):
            paste.note(text[start:end], 1.0)
        assert guard.paste_open is is_open
    assert guard.in_burst(1.0)
    assert not guard.in_burst(1.0 + BURST_S)


def test_a_paste_that_brings_nothing_more_ends_itself_once() -> None:
    guard = InputGuard()
    paste = PasteWatch(guard)
    paste.note(PASTE_START + "abc", 1.0)
    paste.note("more", 1.0 + LONGEST_PASTE_S - 0.1)
    assert not paste.is_overdue(1.0 + LONGEST_PASTE_S)
    assert paste.is_overdue(1.0 + 2 * LONGEST_PASTE_S)
    assert not guard.paste_open
    assert not paste.is_overdue(1.0 + 9 * LONGEST_PASTE_S)


# --- display lag


def test_a_quick_terminal_is_asked_once_a_second_or_after_some_bytes() -> None:
    lag = DisplayLag()
    assert lag.lag_ms(10.0) == -1
    assert lag.wants_question(10.0, 0)
    lag.asked(10.0, 0)
    lag.answered(10.02)
    assert lag.lag_ms(10.1) in (19, 20)
    assert not lag.wants_question(10.5, ASK_BYTES - 1)
    assert lag.wants_question(10.5, ASK_BYTES)
    assert lag.wants_question(10.0 + EVERY_S, 1)


def test_a_thin_link_is_sent_no_picture_while_a_window_of_bytes_is_on_the_way() -> None:
    lag = DisplayLag()
    lag.asked(10.0, 0)
    lag.answered(10.02)
    lag.asked(11.0, 5_000)
    assert not lag.must_wait(11.1, WINDOW_BYTES)
    assert lag.must_wait(11.1, WINDOW_BYTES + 1)
    assert lag.lag_ms(13.0) == 2_000
    lag.answered(13.0)
    assert not lag.must_wait(13.0, 5_000 + WINDOW_BYTES)
    assert lag.must_wait(13.0, 5_001 + WINDOW_BYTES)
    assert lag.wants_question(13.0, 5_001 + WINDOW_BYTES)


def test_a_lost_answer_and_a_terminal_that_never_answers_hold_nothing_up_for_ever() -> None:
    silent = DisplayLag()
    silent.asked(10.0, 0)
    assert silent.must_wait(10.0 + NEVER_ANSWERED_S, 10**6)
    assert not silent.must_wait(10.1 + NEVER_ANSWERED_S, 10**6)
    assert silent.lag_ms(99.0) == -1
    lossy = DisplayLag()
    lossy.asked(10.0, 0)
    lossy.answered(10.1)
    lossy.asked(11.0, 100)
    assert lossy.must_wait(11.0 + GIVE_UP_S, 10**6)
    assert not lossy.must_wait(11.1 + GIVE_UP_S, 10**6)
    assert lossy.wants_question(11.1 + GIVE_UP_S, 10**6)


def test_an_answer_nobody_asked_for_counts_for_nothing() -> None:
    lag = DisplayLag()
    lag.answered(5.0)
    assert lag.lag_ms(5.0) == -1
    assert not lag.must_wait(5.0, 10**6)


# --- presses


def test_a_card_counts_from_when_its_revision_was_first_drawn() -> None:
    watch, picture = PressWatch(), snapshots.make_snapshot()
    watch.drawn(picture, 0.0)
    watch.drawn(picture, 1.0)
    assert watch.refusal((91, 2), 1.0) == ""
    revised = replace(picture, proposals=(replace(snapshots.proposal(), revision=3),))
    watch.drawn(revised, 1.1)
    assert watch.refusal((91, 3), 1.1 + ARMING_S - 0.01)
    assert watch.refusal((91, 3), 1.101 + ARMING_S) == ""
    assert watch.refusal((77, 1), 9.0)


def test_another_symbol_arms_late() -> None:
    watch, picture = PressWatch(), snapshots.make_snapshot()
    watch.drawn(picture, 0.0)
    other = replace(picture, instrument=replace(picture.instrument, symbol="ETHUSDT"))
    watch.drawn(other, 5.0)
    assert watch.refusal((91, 2), 5.0 + ARMING_S - 0.01)
    assert watch.refusal((91, 2), 5.001 + ARMING_S) == ""


def test_a_key_held_down_is_one_press() -> None:
    watch = PressWatch()
    presses = [watch.is_repeated(turn * 0.03) for turn in range(100)]
    assert presses.count(False) == 1
    assert not watch.is_repeated(99 * 0.03 + REPEAT_S)


# --- strips


@dataclass
class Asked:
    keeper: StripKeeper = field(default_factory=StripKeeper)
    done: list[str] = field(default_factory=list)

    def ask(self, at_s: float) -> None:
        self.keeper.strip = Strip(
            "sure?",
            on_enter=lambda: self.done.append("enter"),
            on_escape=lambda: self.done.append("escape"),
            on_expiry=lambda: self.done.append("expiry"),
            choices={"f": lambda: self.done.append("f")},
            shown_s=at_s,
        )


def test_enter_counts_once_and_only_after_the_strip_could_be_read() -> None:
    asked = Asked()
    asked.ask(10.0)
    assert asked.keeper.press("enter", 10.1, in_burst=False)
    assert asked.done == []
    assert asked.keeper.press("enter", 10.6, in_burst=False)
    assert asked.done == ["enter"]
    assert not asked.keeper.press("enter", 11.5, in_burst=False)


def test_enter_held_down_from_before_the_strip_never_counts() -> None:
    asked = Asked()
    for turn in range(200):
        now_s = turn * 0.033
        if turn == 10:
            asked.ask(now_s)
        asked.keeper.press("enter", now_s, in_burst=False)
    assert asked.done == []


def test_enter_in_a_burst_does_not_count_and_choices_arm_like_enter() -> None:
    asked = Asked()
    asked.ask(10.0)
    asked.keeper.press("enter", 11.0, in_burst=True)
    asked.keeper.press("f", 10.1, in_burst=False)
    assert asked.done == []
    asked.keeper.press("f", 12.0, in_burst=False)
    assert asked.done == ["f"]


def test_escape_counts_at_once_and_other_keys_are_not_for_the_strip() -> None:
    asked = Asked()
    asked.ask(10.0)
    assert not asked.keeper.press("j", 10.5, in_burst=False)
    assert asked.keeper.press("escape", 10.0, in_burst=False)
    assert asked.done == ["escape"]


def test_a_forgotten_strip_goes_away() -> None:
    asked = Asked()
    asked.ask(10.0)
    assert not asked.keeper.expire(10.0 + STANDS_S - 0.1)
    assert asked.keeper.expire(10.0 + STANDS_S)
    assert asked.done == ["expiry"]
    assert asked.keeper.strip is None


# --- filter


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("", [88, 87, 85, 84, 83]),
        ("live", [88, 87]),
        ("!live", [85, 84, 83]),
        ("sell", [87]),
        ("state:filled", [85]),
        ("!state:filled !live", [84, 83]),
        ("max_pos", [84]),
        ("mine buy live", [88]),
        ("foreign", []),
        ("nothing-like-this", []),
        ("!", [88, 87, 85, 84, 83]),
    ],
)
def test_filter_words_all_must_match(typed: str, numbers: list[int]) -> None:
    wanted = parse_filter(typed)
    assert [order.number for order in snapshots.orders() if wanted.passes(order)] == numbers


@given(st.text(max_size=200))
def test_any_text_is_a_filter(typed: str) -> None:
    wanted = parse_filter(typed)
    assert isinstance(wanted, OrderFilter)
    for order in snapshots.orders():
        wanted.passes(order)


# --- bell


def test_the_bell_rings_by_weight_and_not_twice_within_a_moment() -> None:
    bell, picture = Bell(), snapshots.make_snapshot()
    assert bell.rings(picture, 0.0) == 0
    alert = AlertView(50, 1, "ORDER_FILLED", Severity.INFO, "BTCUSDT", "", (), "")
    filled = replace(picture, alerts=(alert, *picture.alerts))
    assert bell.rings(filled, 10.0) == FILL
    assert bell.rings(filled, 20.0) == 0
    warned = replace(filled, alerts=(replace(alert, alert_id=51, severity=Severity.WARN), *filled.alerts))
    assert bell.rings(warned, 10.0 + QUIET_S / 2) == 0
    more = replace(warned, alerts=(replace(alert, alert_id=52, severity=Severity.WARN), *warned.alerts))
    assert bell.rings(more, 30.0) == ALERT
    assert bell.rings(snapshots.killed_snapshot(), 30.1) == KILL
    assert bell.rings(snapshots.killed_snapshot(), 40.0) == 0


def test_a_bell_that_is_off_is_silent() -> None:
    bell = Bell()
    bell.on = False
    bell.rings(snapshots.make_snapshot(), 0.0)
    assert bell.rings(snapshots.killed_snapshot(), 10.0) == 0


# --- the gate in the picture


def test_a_closed_gate_is_drawn_before_the_session_says_so() -> None:
    picture, gate = snapshots.make_snapshot(), FakeGate()
    assert with_gate(picture, gate.state()) is picture
    gate.fire(Emergency.HALT)
    halted = with_gate(picture, gate.state())
    assert (halted.header.trading_state, halted.header.gate_open) == (TradingState.HALTED, False)
    assert halted.kill is None
    assert halted.proposals == ()
    gate.fire(Emergency.KILL)
    killed = with_gate(picture, gate.state())
    assert killed.header.trading_state is TradingState.KILLED
    assert killed.kill is not None
    assert (killed.kill.ours_total, killed.kill.confirmed_ts_ns) == (live_orders(picture), 0)


def test_a_latch_file_made_by_hand_names_nobody() -> None:
    gate = FakeGate()
    gate.fire(Emergency.KILL)
    state = gate.state()
    bare = type(state)(
        **{name: getattr(state, name) for name in state.__slots__ if name != "closers"}, closers=()
    )
    killed = with_gate(snapshots.make_snapshot(), bare)
    assert killed.kill is not None
    assert killed.kill.who == "?"
    assert killed.header.gate_closers == ("latch",)


def test_a_halt_has_no_kill_banner_and_a_kill_keeps_it() -> None:
    killed = snapshots.killed_snapshot()
    assert killed.kill is not None
    assert without_halt_banner(killed) is killed
    halted = replace(killed, kill=replace(killed.kill, latched=False))
    assert without_halt_banner(halted).kill is None


def test_orders_the_venue_may_have_count_as_working() -> None:
    unknown = snapshots.order(90, OrderState.UNKNOWN, Side.BUY, 1)
    picture = replace(snapshots.make_snapshot(), orders=(unknown, *snapshots.orders()))
    assert live_orders(picture) == 3


# --- numbers typed by hand


@pytest.mark.parametrize(
    ("text", "lots"),
    [
        ("0.010", 10),
        ("1", 1000),
        (".5", 500),
        ("0.0005", 0),
        ("0", 0),
        ("", 0),
        ("-1", 0),
        ("1e3", 0),
        ("1,0", 0),
    ],
)
def test_a_typed_size_is_read_exactly_or_not_at_all(text: str, lots: int) -> None:
    assert lots_of(text, 1, 3) == lots


def test_a_size_off_the_lot_is_none() -> None:
    assert lots_of("0.15", 100, 3) == 0
    assert lots_of("0.2", 100, 3) == 2


@given(st.integers(0, 10**12), st.integers(0, 8))
def test_typed_decimals_are_read_back_as_they_were_printed(value: int, decimals: int) -> None:
    whole, rest = divmod(value, 10**decimals)
    text = f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)
    assert scaled(text, decimals) == value


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number_of(text)
    scaled(text, 4)
    lots_of(text, 10, 4)


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("+30", 30), ("-1.5", -1.5), ("+-3", None), ("x", None), ("1e5", None), ("", None)],
)
def test_seconds_are_plain_numbers(text: str, value: float | None) -> None:
    assert number_of(text) == value


def test_speeds_go_up_to_max_and_down_to_the_slowest() -> None:
    speed, seen = 0.1, [0.1]
    for _ in range(len(SPEEDS)):
        speed = next_speed(speed, +1)
        seen.append(speed)
    assert seen == [*SPEEDS, 0.0]
    assert next_speed(0.0, -1) == 100.0
    assert next_speed(0.1, -1) == 0.1
    assert next_speed(3.0, +1) == 5.0
    assert next_speed(3.0, -1) == 2.0


WINDOW = {
    "side": "both", "order": "0.010", "net": "0.030", "orders": "20", "edge": "0.2",
    "low": "64150", "high": "64270.0", "loss": "5.00", "minutes": "5",
}  # fmt: skip


def test_the_window_panel_reads_its_fields_exactly() -> None:
    terms = terms_of(WINDOW, snapshots.PERP)
    assert terms == WindowTerms(
        sides=(Side.BUY, Side.SELL),
        max_order_lots=10,
        max_net_lots=30,
        max_orders=20,
        max_loss_quote_e8=500_000_000,
        min_net_edge_e6=20,
        lowest_ticks=641_500,
        highest_ticks=642_700,
        duration_ns=300_000_000_000,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("side", "up"),
        ("order", "0.0001"),
        ("orders", "2.5"),
        ("low", "64150.05"),
        ("loss", "-5"),
        ("minutes", ""),
    ],
)
def test_a_wrong_field_is_named_with_what_was_wanted(name: str, value: str) -> None:
    wrong = terms_of({**WINDOW, name: value}, snapshots.PERP)
    assert isinstance(wrong, str)
    assert wrong.startswith(name)
    assert "wanted" in wrong


# --- the terminal


def test_ssh_and_slow_links_get_fewer_pictures() -> None:
    assert frame_rate({}, slow=False) == 10
    assert frame_rate({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, slow=False) == 4
    assert frame_rate({"SSH_TTY": "/dev/pts/1"}, slow=True) == 1


@pytest.mark.parametrize(
    ("environment", "plain"),
    [
        ({"TERM": "linux", "LANG": "C.UTF-8"}, True),
        ({"TERM": "xterm-256color", "LANG": "de_DE.ISO-8859-1"}, True),
        ({"TERM": "xterm-256color", "LC_ALL": "C", "LANG": "C.UTF-8"}, True),
        ({"TERM": "xterm-256color", "LANG": "en_GB.utf8"}, False),
        ({"TERM": "xterm"}, False),
    ],
)
def test_ascii_is_drawn_where_nothing_else_can_be(environment: dict[str, str], plain: bool) -> None:
    assert plain_terminal(environment) is plain
