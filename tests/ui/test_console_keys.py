"""What the keys of the main screen do, and what keeps them from doing it."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace
from textual import events
from textual.pilot import Pilot

from app.kill_keys import Emergency
from app.press_watch import ARMING_S, REPEAT_S
from pipeline.core.inputs import Command
from pipeline.core.snapshot import InstrumentView, LimitRow, OtherSymbol
from tests.fakes import snapshots
from tests.fakes.links import Desk, make_desk, two_symbols
from widgets.lines import line_text

SIZE = (160, 48)


async def settle(pilot: Pilot[int], desk: Desk, seconds: float = 0.0) -> None:
    """Let the newest picture be drawn, and so much time pass with fresh pictures."""
    picture = desk.link.latest
    assert picture is not None
    until = asyncio.get_running_loop().time() + seconds
    while True:
        desk.link.give(picture)
        await pilot.pause(0.06)
        if asyncio.get_running_loop().time() >= until:
            return


async def test_a_permits_what_is_drawn_once_and_leaves_nothing_selected() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("a")
        (permit,) = desk.link.commands
        assert (permit.command, permit.target_id, permit.revision) == (Command.PERMIT_ONCE, 91, 2)
        assert desk.app.drawn is not None
        assert permit.drawn_seq == desk.app.drawn.seq
        seen, card = permit.seen, desk.app.drawn.proposals[0]
        assert seen is not None
        assert (seen.picture_ns, seen.symbol, seen.key) == (desk.app.drawn.ts_ns, "BTCUSDT", "a")
        assert seen.card_hash == card.content_hash != ""
        assert 0 <= seen.drawn_ms <= seen.numbers_ms < 1_000
        assert desk.app.main.view.selected() is None
        await settle(pilot, desk, REPEAT_S + 0.1)
        await pilot.press("a")
        assert len(desk.link.commands) == 1


async def test_a_held_down_for_two_seconds_is_one_permit_also_when_new_cards_come() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        picture = snapshots.make_snapshot()
        for turn in range(40):
            await pilot.press("a")
            if turn == 5:  # the card is taken, the board is empty
                desk.link.give(replace(picture, proposals=()))
            if turn == 12:  # another one comes up and is selected, being alone
                desk.link.give(replace(picture, proposals=(snapshots.proposal(92),)))
            await pilot.pause(0.05)
        assert len(desk.link.asked(Command.PERMIT_ONCE)) == 1


async def test_a_is_not_taken_before_the_card_can_have_been_read() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        changed = replace(snapshots.proposal(), revision=3)
        desk.link.give(replace(snapshots.make_snapshot(), proposals=(changed,)))
        await pilot.pause(0.1)
        await pilot.press("a")
        assert desk.link.commands == []
        assert "only just come up" in desk.said()


async def test_a_on_another_page_permits_nothing() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("3", "a")
        assert desk.link.commands == []
        assert "no card is selected" in desk.said()


async def test_a_on_a_card_of_another_symbol_brings_its_ladder_up_first() -> None:
    card = replace(snapshots.proposal(), symbol="ETHUSDT")
    desk = make_desk(replace(two_symbols(), proposals=(card,)))
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("a")
        assert desk.link.symbols == ["ETHUSDT"]
        assert desk.link.commands == []


async def test_d_declines_and_d_again_at_once_declines_the_same_for_longer() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("d")
        desk.link.give(replace(snapshots.make_snapshot(), proposals=()))
        await pilot.pause(0.1)
        await pilot.press("d")
        declined = desk.link.asked(Command.DECLINE)
        assert [(one.target_id, one.revision) for one in declined] == [(91, 2), (91, 2)]


async def test_p_p_p_enter_ends_halted_and_does_nothing_else() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("p", "p", "p", "enter")
        await pilot.pause(0.1)
        assert desk.gate.fired == [Emergency.HALT] * 3
        assert {one.command for one in desk.link.commands} == {Command.HALT}
        assert "HALTED" in desk.header()
        assert "KILLED" not in desk.header()


async def test_stepping_down_is_one_key_and_up_is_typed() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("m", "r")
        assert [one.command for one in desk.link.commands] == [Command.AUTHORITY_DOWN, Command.REDUCE]
        await pilot.press("colon", *"resume")
        await settle(pilot, desk, 0.4)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert [one.command for one in desk.link.commands][2:] == [Command.RESUME]


async def test_ten_halts_in_one_read_halt_but_a_permit_in_a_burst_does_not_count() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        guard = desk.app.terminal_hooks.guard
        guard.burst_until_s = float("inf")
        await pilot.press("a", "w", "e")
        assert desk.link.commands == []
        assert desk.app.main.overlay is None
        assert "burst" in desk.said()
        await pilot.press(*"pppppppppp")
        assert desk.gate.fired


async def test_a_paste_adds_no_risk_and_still_halts() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        desk.app.post_message(events.Paste("aawXFd:auto\r"))
        await pilot.pause(0.1)
        assert desk.link.commands == []
        assert desk.app.main.overlay is None
        desk.app.post_message(events.Paste("p"))
        await pilot.pause(0.1)
        assert desk.gate.fired == [Emergency.HALT]


async def test_halt_reduce_and_mode_down_act_wherever_they_stand_in_a_paste() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        desk.app.post_message(events.Paste("aXFw" * 200 + "r" + "adxe" * 200 + "p"))
        await pilot.pause(0.1)
        assert [one.command for one in desk.link.commands] == [Command.REDUCE, Command.HALT]
        assert desk.gate.fired == [Emergency.HALT]
        assert desk.app.main.overlay is None


async def test_a_long_paste_sends_no_flood_and_steps_down_to_observe() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        desk.app.post_message(events.Paste("m" * 100_000))
        await pilot.pause(0.1)
        assert [one.command for one in desk.link.commands] == [Command.AUTHORITY_DOWN] * 2


async def test_keys_that_add_risk_do_not_act_on_an_old_picture_or_after_a_gap() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        desk.link.latest_at_s -= 5
        await pilot.press("a")
        assert "the picture is old" in desk.said()
        await settle(pilot, desk)
        desk.app.terminal_hooks.guard.note_gap(asyncio.get_running_loop().time())
        await pilot.press("w")
        assert "stood still" in desk.said()
        assert desk.link.commands == []


@pytest.mark.parametrize("prefix", ["ctrl+a", "ctrl+b"])
async def test_the_key_after_an_unbound_ctrl_key_is_swallowed(prefix: str) -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        for key in ("a", "x", "d", "X"):
            await pilot.press(prefix, key)
            assert "not taken" in desk.said()
        assert desk.link.commands == []
        assert desk.app.main.strips.strip is None
        await pilot.press(prefix, "p")
        assert desk.gate.fired == [Emergency.HALT]


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+d", "ctrl+s", "ctrl+z", "ctrl+backslash"])
async def test_keys_of_other_programs_say_what_they_do_not_do(key: str) -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press(key)
        assert desk.said().startswith("Ctrl+")
        assert desk.app.is_running
        assert desk.link.commands == []


async def test_x_cancels_the_selected_order_and_nothing_that_has_ended() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("x")
        assert "no order is selected" in desk.said()
        await pilot.press("2", "j", "x")
        (cancel,) = desk.link.commands
        assert (cancel.command, cancel.client_order_id[-2:]) == (Command.CANCEL_ORDER, "88")
        await pilot.press("G", "x")
        assert "works no more" in desk.said()
        assert len(desk.link.commands) == 1


async def test_j_and_k_and_g_move_the_selection() -> None:
    desk = make_desk(snapshots.many_ideas_snapshot())
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        view, found = desk.app.main.view, []
        for key in ("j", "j", "k", "G", "g"):
            await pilot.press(key)
            found.append(view.selected())
        assert [one[0] for one in found if one] == [91, 92, 91, 94, 91]


async def test_digits_bring_up_pages_and_the_header_stays() -> None:
    desk = make_desk(snapshots.replay_snapshot())
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        view = desk.app.main.view
        for digit, panel in zip(
            "234561", ("orders", "workers", "model", "replay", "help", "ladder"), strict=True
        ):
            await pilot.press(digit)
            await settle(pilot, desk, 0.3)
            assert view.is_shown(panel), digit
            assert view.is_shown("status")
            assert view.panel(panel).size.height > 3
            assert "Ctrl+K" in desk.header()


async def test_z_gives_the_focused_panel_the_screen_and_q_takes_it_back() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        view = desk.app.main.view
        await pilot.press("tab", "z")
        focused = view.focused_panel
        assert focused
        assert view.maximised == focused
        await pilot.press("q")
        assert view.maximised == ""
        assert desk.app.main.overlay is None


async def test_the_mouse_selects_and_sends_nothing() -> None:
    desk = make_desk(snapshots.many_ideas_snapshot())
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        for y in range(0, SIZE[1], 6):
            for x in (2, 60, 110, 150):
                await pilot.click(offset=(x, y))
        assert desk.link.commands == []
        assert desk.gate.fired == []
        assert desk.app.main.overlay is None


async def test_n_notes_an_alert_and_b_turns_the_bell() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("n", "b")
        assert [one.command for one in desk.link.commands] == [Command.NOTE_ALERT]
        assert not desk.app.ringer.on


async def test_replay_keys_steer_the_replay_and_only_a_replay() -> None:
    desk = make_desk(snapshots.replay_snapshot())
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("space", "full_stop", "comma", "greater_than_sign", "less_than_sign")
        assert desk.link.steered == [("toggle", 0), ("step", 1), ("step", -1), ("speed", 2), ("speed", 0.5)]
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("space", "full_stop", "greater_than_sign")
        assert desk.link.steered == []
        assert "no replay" in desk.said()


async def test_symbols_turn_and_the_new_one_arms_late() -> None:
    desk = make_desk(two_symbols())
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("right_square_bracket", "a")
        assert desk.link.symbols == ["ETHUSDT"]
        assert desk.link.commands == []


async def test_every_limit_is_reached_on_a_small_screen() -> None:
    rows = tuple(LimitRow(f"limit {number}", "400.00 USDT", "1.00", 2_500) for number in range(22))
    snapshot = replace(snapshots.make_snapshot(), limits=rows)
    desk = make_desk(snapshot)
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, desk)
        await pilot.press("3")
        limits = desk.app.main.view.limits
        seen: set[str] = set()
        for _ in rows:
            lines = [line_text(line) for line in limits.content(snapshot, 78, limits.size.height - 1)]
            seen.update(line.split("  ")[0].strip() for line in lines if "limit " in line)
            await pilot.press("j")
        assert seen == {row.name for row in rows}


async def test_the_size_of_a_card_of_another_symbol_is_typed_in_its_own_lots() -> None:
    eth = InstrumentView("binance-spot", "ETHUSDT", "ETH", "USDT", 2, 1, 8, 10_000, 4)
    card = replace(snapshots.proposal(), symbol="ETHUSDT", qty_lots=70)
    snapshot = replace(two_symbols(), proposals=(card,), others=(OtherSymbol(eth, 0, 0, 0, False),))
    desk = make_desk(snapshot)
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        await pilot.press("j", "e")
        await pilot.pause(0.05)
        assert desk.app.main.overlay is not None
        await pilot.press(*["backspace"] * 8, *"0.0050", "enter")
        await pilot.pause(0.05)
        (edit,) = desk.link.asked(Command.EDIT_SIZE)
        assert edit.qty_lots == 50


async def test_dust_is_not_offered_to_be_flattened() -> None:
    snapshot = snapshots.make_snapshot()
    desk = make_desk(replace(snapshot, position=replace(snapshot.position, dust=True)))
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("F")
        assert "is dust: less than the venue takes" in desk.said()
        assert desk.app.main.strips.strip is None
