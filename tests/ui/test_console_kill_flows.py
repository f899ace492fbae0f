"""The kill and halt keys in every place of the screen, the strips, the release."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from textual import events

from app.acts.stop import KILL_STRIP_S
from app.kill_keys import Emergency
from app.screens.main import CAPITALS_S
from app.strips import ARMING_S
from pipeline.core.inputs import Command
from tests.fakes import snapshots
from tests.fakes.links import make_desk, two_symbols
from tests.ui.test_console_boxes import enter, type_word
from tests.ui.test_console_keys import SIZE, settle

PLACES = {
    "main screen": (),
    "help": ("question_mark",),
    "palette": ("ctrl+p", "r"),
    "command line": ("colon", "s"),
    "filter": ("slash", "s"),
    "window panel": ("w", "tab"),
    "size field": ("e", "1"),
    "quit dialog": ("q",),
    "leave phrase": ("q", "l", "L"),
    "flatten strip": ("F",),
    "orders page": ("2",),
    "help page": ("6",),
}


@pytest.mark.parametrize("key", ["ctrl+k", "f9"])
async def test_kill_shows_the_banner_at_once_from_everywhere(key: str) -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        for place, keys in PLACES.items():
            await settle(pilot, desk)
            await pilot.press("1", *keys)
            await pilot.press(key)
            await pilot.pause(0.03)
            assert desk.gate.fired == [Emergency.KILL], place
            assert desk.app.main.overlay is None, place
            assert "KILLED" in desk.header(), place
            assert "YOUR POSITION STAYS: +0.020 BTC LONG" in desk.header(), place
            assert "cancel ours" in desk.said(), place
            assert "NO ORDERS LEFT" not in desk.header(), place
            await pilot.press("escape")
            desk.gate.release()


async def test_no_orders_left_is_said_only_when_the_session_confirms_it() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        desk.link.give(snapshots.killed_snapshot())
        await pilot.pause(0.15)
        assert "NO ORDERS LEFT" not in desk.header()
        assert "cancel ours" in desk.header()
        desk.link.give(snapshots.killed_snapshot(confirmed=True))
        await pilot.pause(0.15)
        assert "NO ORDERS LEFT (venue 09:11:" in desk.header()
        assert "cancel ours" not in desk.header()
        assert "F flattens +0.020 BTC LONG" in desk.said()


async def test_escape_in_the_kill_strip_cancels_ours_on_every_symbol() -> None:
    desk = make_desk(two_symbols())
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        await pilot.pause(0.05)
        await pilot.press("escape")
        cancels = desk.link.asked(Command.CANCEL_ALL)
        assert [one.symbol for one in cancels] == ["BTCUSDT", "ETHUSDT"]
        assert desk.app.main.strips.strip is None


async def test_an_unanswered_kill_strip_cancels_ours_by_itself() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        await pilot.pause(0.05)
        assert desk.link.asked(Command.CANCEL_ALL) == []
        await settle(pilot, desk, 2.2)
        assert len(desk.link.asked(Command.CANCEL_ALL)) == 1


async def test_a_second_kill_key_cancels_ours_now() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        await pilot.pause(0.05)
        await pilot.press("f9")
        await pilot.pause(0.05)
        assert len(desk.link.asked(Command.CANCEL_ALL)) == 1
        assert desk.gate.fired == [Emergency.KILL] * 2


async def test_f_in_the_kill_strip_cancels_and_asks_before_it_flattens() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("f")
        assert len(desk.link.asked(Command.CANCEL_ALL)) == 1
        assert desk.link.asked(Command.FLATTEN) == []
        assert "FLATTEN BTCUSDT +0.020 BTC LONG" in desk.said()
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("enter")
        assert len(desk.link.asked(Command.FLATTEN)) == 1


async def test_capital_a_asks_by_name_before_every_order_of_the_account_goes() -> None:
    snapshot = snapshots.make_snapshot()
    desk = make_desk(replace(snapshot, counts=replace(snapshot.counts, foreign=2)))
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("A")
        assert "CANCEL ALL on sim-1" in desk.said()
        assert "2 FOREIGN" in desk.said()
        assert len(desk.link.asked(Command.CANCEL_ALL)) == 1  # ours wait for no answer
        await pilot.press("enter")
        assert desk.link.asked(Command.CANCEL_ACCOUNT) == []
        desk.link.give(snapshots.killed_snapshot(confirmed=True))
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("enter")
        assert len(desk.link.asked(Command.CANCEL_ACCOUNT)) == 1


async def test_l_asks_before_ours_are_left_and_the_answer_has_only_the_time_of_the_kill() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("l")
        assert desk.link.asked(Command.LEAVE_ORDERS) == []
        strip = desk.app.main.strips.strip
        assert strip is not None
        assert strip.stands_s <= KILL_STRIP_S - ARMING_S
        assert "of ours RESTING on sim-1" in desk.said()
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("enter")
        assert [one.revision for one in desk.link.asked(Command.LEAVE_ORDERS)] == [1]
        assert desk.link.asked(Command.CANCEL_ALL) == []


@pytest.mark.parametrize("key", ["A", "l"])
@pytest.mark.parametrize("then", ["escape", "ctrl+k"])
async def test_a_question_of_the_kill_strip_that_is_not_confirmed_cancels_ours(key: str, then: str) -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press(key)
        await pilot.press(then)
        await pilot.pause(0.05)
        assert desk.link.asked(Command.CANCEL_ALL)
        assert desk.link.asked(Command.CANCEL_ACCOUNT) == []
        assert desk.link.asked(Command.LEAVE_ORDERS) == []


async def test_kill_of_another_hand_is_shown_before_the_session_says_so() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        desk.gate.fired.append(Emergency.KILL)
        await pilot.pause(0.25)
        assert "KILLED" in desk.header()
        desk.gate.release()
        await pilot.pause(0.25)
        assert "KILLED" not in desk.header()


async def test_halt_closes_the_gate_without_the_kill_banner() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("colon", "x", "f8")
        await pilot.pause(0.05)
        assert desk.gate.fired == [Emergency.HALT]
        assert "HALTED" in desk.header()
        assert "GATE CLOSED" in desk.header()
        assert "KILLED" not in desk.header()
        unlatched = snapshots.killed_snapshot()
        assert unlatched.kill is not None
        halted = replace(unlatched, kill=replace(unlatched.kill, latched=False))
        desk.link.give(halted)
        await pilot.pause(0.15)
        assert "Orders stop" not in desk.header()


@pytest.mark.parametrize(("key", "command"), [("X", Command.CANCEL_ALL), ("F", Command.FLATTEN)])
async def test_a_strip_takes_enter_only_when_it_can_have_been_read(key: str, command: Command) -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        for name, letter in ((key, key), ("enter", "\r")):  # as one read of the terminal delivers them
            desk.app.post_message(events.Key(name, letter))
        await pilot.pause(0.05)
        assert desk.link.commands == []
        for _ in range(12):  # Enter held down: each comes right after the one before
            await pilot.press("enter")
            await pilot.pause(0.05)
        assert desk.link.commands == []
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("enter")
        assert [one.command for one in desk.link.commands] == [command]


async def test_strips_name_object_quantity_price_account_and_mode() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("X")
        for words in ("CANCEL 2 of OURS on BTCUSDT", "BUY 0.010 at 64,", "SELL 0.010 at 64,", "sim-1", "SIM"):
            assert words in desk.said()
        await pilot.press("escape", "F")
        for words in (
            "FLATTEN BTCUSDT",
            "end its permits",
            "+0.020 BTC LONG",
            "1,284.00 USDT",
            "sell at bid 64,",
            "sim-1",
            "SIM",
        ):
            assert words in desk.said()
        await pilot.press("escape")
        assert desk.link.commands == []


@pytest.mark.parametrize("size", [(160, 48), (120, 40), (80, 24), (60, 12)])
@pytest.mark.parametrize("key", ["F", "X"])
async def test_a_strip_is_read_whole_at_every_size(size: tuple[int, int], key: str) -> None:
    desk = make_desk()
    async with desk.app.run_test(size=size) as pilot:
        await settle(pilot, desk)
        await pilot.press(key)
        await pilot.pause(0.1)
        strip = desk.app.main.strips.strip
        assert strip is not None
        drawn = [row.text for row in desk.app.screen._compositor.render_strips()]
        assert " ".join(strip.words.split()) in " ".join(" ".join(drawn).split())
        assert len(drawn) == size[1]
        above = drawn[:3]
        await pilot.press("escape")
        await pilot.pause(0.1)
        back = [row.text for row in desk.app.screen._compositor.render_strips()]
        assert "Enter does it" not in " ".join(back)
        if size[0] >= 80:
            assert [row[:60] for row in back[1:3]] == [row[:60] for row in above[1:3]]
            assert "quit" in back[-1]


async def test_two_capitals_in_a_row_ask_for_caps_lock_and_do_nothing() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("X", "F")
        assert "Caps Lock?" in desk.said()
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("enter")
        assert desk.link.commands == []


async def test_a_capital_that_asked_nothing_or_long_ago_is_no_caps_lock() -> None:
    desk = make_desk(replace(snapshots.make_snapshot(), orders=()))
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("X")
        assert "no order of ours works" in desk.said()
        await pilot.press("F")
        assert "FLATTEN BTCUSDT" in desk.said()
        await settle(pilot, desk, CAPITALS_S + 0.1)
        await pilot.press("F")
        assert "FLATTEN BTCUSDT" in desk.said()
        await pilot.press("F")
        assert "Caps Lock?" in desk.said()


async def test_f_with_nothing_to_flatten_leaves_room_for_no_orders_left() -> None:
    killed = snapshots.killed_snapshot(confirmed=True)
    flat = replace(killed, position=replace(killed.position, lots=0))
    desk = make_desk(replace(flat, kill=None))
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("f")
        assert "nothing to flatten" in desk.said()
        desk.link.give(flat)
        await pilot.pause(0.15)
        assert "NO ORDERS LEFT" in desk.header()
        assert "cancel and FLATTEN" not in desk.header()


async def test_release_shows_the_record_and_wants_its_phrase_typed() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k", "escape")
        desk.link.give(snapshots.killed_snapshot())
        await pilot.pause(0.1)
        for phrase in ("RELEASE sim-2", "release sim-1", "RELEASE sim-1"):
            assert desk.link.asked(Command.RELEASE) == []
            await type_word(pilot, desk, "release")
            assert desk.app.main.overlay is not None
            await enter(pilot, desk, phrase)
        assert len(desk.link.asked(Command.RELEASE)) == 1


async def test_release_of_an_open_gate_asks_nothing() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        assert "nothing to release" in await type_word(pilot, desk, "release")
        assert desk.app.main.overlay is None
