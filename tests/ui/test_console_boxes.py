"""Palette, command line, window panel, size field, filter, help, quit dialog."""

from __future__ import annotations

import asyncio
import time

import pytest
from msgspec.structs import replace
from textual import events
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from app.actions import ACTIONS, BY_KEY, BY_NAME, GROUPS, PAGE_HINTS, help_rows, matching, shown_keys
from app.acts import Acts
from app.screens.dialogs import FormDialog, LineDialog
from app.screens.overlay import LineInput
from app.screens.palette import PaletteDialog
from app.strips import ARMING_S
from pipeline.core.inputs import Command, ModelAct
from pipeline.core.types import Authority, Side, VenueMode
from tests.fakes import snapshots
from tests.fakes.links import Desk, make_desk
from tests.ui.test_console_keys import SIZE, settle
from widgets.lines import line_text


def test_every_action_has_a_method_a_help_line_and_a_palette_entry() -> None:
    shown = {help_line for _, help_line in help_rows()}
    for action in ACTIONS:
        assert callable(getattr(Acts, f"act_{action.name}")), action.name
        assert action.help in shown, action.name
        assert action.keys or action.word, action.name
        assert action in matching(action.name.replace("_", " ")), action.name
        assert action.group in GROUPS
        if action.value:
            assert callable(getattr(Acts, f"typed_{action.name}")), action.name


def test_no_key_and_no_word_means_two_things() -> None:
    keys = [key for action in ACTIONS for key in action.keys]
    words = [action.word for action in ACTIONS if action.word]
    assert len(keys) == len(set(keys)) == len(BY_KEY)
    assert len(words) == len(set(words))


def test_every_page_has_a_footer_of_actions_with_words() -> None:
    for names in PAGE_HINTS.values():
        assert all(BY_NAME[name].hint for name in names)


def test_a_few_letters_find_an_action_and_the_best_comes_first() -> None:
    assert matching("flat")[0].name == "flatten"
    assert matching(":seek")[0].name == "seek"
    assert matching("")[0] is ACTIONS[0]
    assert matching("zzzz") == ()


async def test_the_palette_filters_and_runs_the_chosen_action() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+p", *"health")
        assert isinstance(desk.app.main.overlay, PaletteDialog)
        await pilot.press("enter")
        await pilot.pause(0.05)
        assert desk.app.main.overlay is None
        assert desk.app.main.view.page_name == "health"


async def test_the_palette_never_steps_up_or_permits_by_itself() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S)
        await pilot.press("ctrl+p", *"auto", "enter")
        await pilot.pause(0.05)
        assert isinstance(desk.app.main.overlay, LineDialog)
        await pilot.press("escape", "ctrl+p", *"permit the sel", "enter")
        await pilot.pause(0.05)
        assert "its key" in desk.said()
        assert desk.link.commands == []


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48), (40, 10)])
@pytest.mark.parametrize("key", ["ctrl+p", "question_mark", "w", "q"])
async def test_every_box_stands_on_the_screen_with_the_view_around_it(
    size: tuple[int, int], key: str
) -> None:
    desk = make_desk()
    async with desk.app.run_test(size=size) as pilot:
        await settle(pilot, desk, 0.1)
        await pilot.press(key)
        await pilot.pause(0.05)
        box = desk.app.main.overlay
        assert box is not None
        columns, rows = size
        for width, height in ((columns, rows), (columns - 1, rows - 1)):
            await pilot.resize_terminal(width, height)
            await pilot.pause(0.1)
            region = box.region
            assert region.x >= 0
            assert region.y >= 0
            assert region.right <= width
            assert region.bottom <= height
            around = box.parent
            assert isinstance(around, Widget)
            assert around.region.height <= max(region.height, 1), "what holds the box hides no more than it"
        if rows >= 24 and key != "question_mark":
            assert "ACTIVE" in "".join(s.text for s in desk.app.screen._compositor.render_strips()[:1])


async def enter(pilot: Pilot[int], desk: Desk, words: str) -> str:
    """Fill the open line and press Enter, as if typed slowly; gives what the console said to it."""
    line = desk.app.main.overlay
    assert isinstance(line, LineDialog)
    line.query_one(Input).value = words
    line.shown_s -= 1
    await pilot.press("enter")
    await pilot.pause(0.03)
    return desk.said()


async def type_word(pilot: Pilot[int], desk: Desk, word: str) -> str:
    """Give a word on the command line."""
    await pilot.press("colon")
    return await enter(pilot, desk, word)


async def test_words_of_the_command_line_do_what_they_say() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        for word in ("approve", "auto", "observe", "resume", "end", "reduce", "down"):
            await type_word(pilot, desk, word)
        assert [(one.command, one.authority) for one in desk.link.commands] == [
            (Command.SET_AUTHORITY, Authority.APPROVE),
            (Command.SET_AUTHORITY, Authority.AUTO),
            (Command.SET_AUTHORITY, Authority.OBSERVE),
            (Command.RESUME, 0),
            (Command.END_PERMITS, 0),
            (Command.REDUCE, 0),
            (Command.AUTHORITY_DOWN, 0),
        ]
        for word in ("permit", "sudo rm", "a"):
            assert "no command" in await type_word(pilot, desk, word)
        assert len(desk.link.commands) == 7


async def test_words_about_models_reach_the_session_with_their_names() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        for words in ("model my-logit@2", "back", "shadow qi-logit", "unshadow qi-logit"):
            assert (await type_word(pilot, desk, words)).startswith("asked")
        assert desk.link.models == [
            (ModelAct.USE, "my-logit@2"),
            (ModelAct.BACK, ""),
            (ModelAct.SHADOW, "qi-logit"),
            (ModelAct.DROP, "qi-logit"),
        ]
        for word in ("model", "shadow", "unshadow"):
            assert f":{word} NAME" in await type_word(pilot, desk, word)
        await type_word(pilot, desk, "models")
        assert desk.app.main.view.page_name == "model"
        assert len(desk.link.models) == 4


async def test_in_live_a_swap_asks_for_the_account_typed_and_the_way_back_does_not() -> None:
    desk = make_desk(snapshots.live_snapshot())
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await type_word(pilot, desk, "model my-logit@2")
        assert desk.link.models == []
        await enter(pilot, desk, "sim-1")
        await type_word(pilot, desk, "back")
        assert [act for act, _ in desk.link.models] == [ModelAct.USE, ModelAct.BACK]


async def test_a_word_that_steps_up_does_not_count_when_it_came_too_fast_to_be_typed() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        desk.app.acts.open_command_line("auto")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause(0.05)
        assert desk.link.commands == []
        assert "too fast" in desk.said()


async def test_replay_words_steer_from_where_the_replay_stands() -> None:
    desk = make_desk(snapshots.replay_snapshot())
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        for word in ("seek 90", "seek +30", "seek -60", "speed max", "speed 2.5", "pause"):
            await type_word(pilot, desk, word)
        steered = [
            ("seek", 90_000),
            ("seek", 72_000),
            ("seek", 0),
            ("speed", 0),
            ("speed", 2.5),
            ("toggle", 0),
        ]
        assert desk.link.steered == steered
        for word in ("seek x", "speed 0", "speed fast", "seek +-3"):
            assert "wanted" in await type_word(pilot, desk, word)
        assert desk.link.steered == steered


async def test_the_filter_hides_orders_and_says_so() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await pilot.press("2", "slash", *"!live", "enter")
        await settle(pilot, desk, 0.1)
        blotter = desk.app.main.view.blotter
        drawn = "\n".join("".join(words for words, _ in line) for line in blotter.framed(150, 30))
        assert "2 working 1 FOREIGN / !live: 3 of 5" in drawn
        await pilot.press("j", "x")
        assert desk.link.commands == []
        await pilot.press("slash", *(["backspace"] * 5), "enter")
        await settle(pilot, desk, 0.1)
        assert blotter.filter.words == ()


async def test_the_filter_is_named_in_the_title_of_the_smallest_screen() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, desk)
        for words in ("buy", "state:unknown !model"):
            await pilot.press("slash", *["backspace"] * 3, *words, "enter")
            await settle(pilot, desk, 0.1)
            title = line_text(desk.app.main.view.blotter.framed(44, 5)[0])
            assert " of 5" in title, title


async def test_the_window_panel_arms_its_terms_as_they_stand() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, desk)
        await pilot.press("w")
        await pilot.pause(0.1)
        form = desk.app.main.overlay
        assert isinstance(form, FormDialog)
        assert form.region.height <= 22
        form.shown_s = time.monotonic() + 60
        await pilot.press("enter")
        await pilot.pause(0.05)
        assert form.is_attached  # nobody reads that fast
        form.shown_s = 0.0
        await settle(pilot, desk, ARMING_S)
        await pilot.press("tab", "end", "backspace", "5", "enter")
        await pilot.pause(0.05)
        (command,) = desk.link.commands
        terms = command.terms
        assert terms is not None
        assert (terms.sides, terms.max_order_lots, terms.max_net_lots) == ((Side.BUY, Side.SELL), 15, 30)
        assert (terms.max_orders, terms.duration_ns) == (20, 300_000_000_000)
        assert terms.lowest_ticks < 642_148 < terms.highest_ticks


async def test_a_wrong_field_of_the_window_arms_nothing_and_stays_to_be_mended() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, desk)
        await pilot.press("w", "x")
        await settle(pilot, desk, ARMING_S)
        await pilot.press("enter")
        await pilot.pause(0.05)
        assert desk.link.commands == []
        assert isinstance(desk.app.main.overlay, FormDialog)
        await pilot.press("escape")
        await pilot.pause(0.05)
        assert desk.app.main.overlay is None
        assert desk.link.commands == []


async def test_the_size_field_eats_digits_and_binds_to_the_revision_drawn() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk, ARMING_S)
        await pilot.press("e", "end", *(["backspace"] * 5), *"0.00x7", "enter")
        await pilot.pause(0.05)
        (edit,) = desk.link.commands
        assert (edit.command, edit.target_id, edit.revision, edit.qty_lots) == (Command.EDIT_SIZE, 91, 2, 7)


async def test_in_live_stepping_up_asks_for_the_account_typed() -> None:
    live = snapshots.live_snapshot()
    assert live.header.mode is VenueMode.LIVE
    desk = make_desk(live)
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        await type_word(pilot, desk, "auto")
        desk.app.post_message(events.Paste("sim-1"))
        await pilot.pause(0.05)
        await pilot.press("enter")
        await pilot.pause(0.05)
        assert desk.link.commands == []
        await type_word(pilot, desk, "auto")
        await enter(pilot, desk, "sim-1")
        assert len(desk.link.commands) == 1


async def test_help_of_the_focused_panel_comes_first_and_q_closes_it() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        desk.app.main.view.focus_panel("orders")
        await pilot.press("question_mark")
        assert help_rows(first_group="orders")[0][1] == GROUPS["orders"]
        assert desk.app.main.overlay is not None
        await pilot.press("q")
        await pilot.pause(0.05)
        assert desk.app.main.overlay is None
        assert desk.app.is_running


async def test_the_quit_dialog_stays_by_default_and_leaves_orders_only_when_typed() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        for keys in (("enter",), ("escape",), ("s",), ("l", "x", "enter")):
            await pilot.press("q", *keys)
            await pilot.pause(0.03)
            assert desk.app.main.overlay is None
            assert (desk.link.stopped, desk.link.detached) == ([], False)
        await pilot.press("q", "l", *"LEAVE", "enter")
        await pilot.pause(0.03)
        await pilot.press("q", "c")
        await pilot.pause(0.03)
        assert desk.link.stopped == ["leave", "cancel"]
        assert desk.app.return_value is None
        await pilot.press("q", "d")
        await pilot.pause(0.05)
        assert desk.link.detached
        assert desk.app.return_value == 0


async def test_the_console_ends_with_a_session_that_ends_in_order() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        desk.link.exit_status, desk.link.lost = 3, "quit from the console"
        await pilot.pause(0.2)
    assert desk.app.return_value == 3


async def test_a_session_that_died_is_said_at_once_and_nothing_of_it_looks_alive() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        assert "ACTIVE" in desk.header()
        await pilot.press("q")
        desk.link.died, desk.link.lost = True, "its process ended without a word"
        await pilot.pause(0.2)
        assert desk.app.main.overlay is None
        assert desk.header().startswith(" SESSION GONE  last picture ")
        assert "ACTIVE" not in desk.header()
        assert "session is gone; q leaves" in desk.said()
        panels = [desk.app.main.view.panel(name) for name in ("ladder", "orders", "position")]
        assert all(panel.screen_age_ms >= 1_000 for panel in panels)
        assert desk.app.drawn is not None
        assert desk.app.drawn.proposals == ()
        await pilot.press("a")
        await pilot.pause(0.05)
        assert "nobody is there to take it" in desk.said()
        assert desk.link.commands == []
        assert desk.app.is_running
        await pilot.press("q")
        await pilot.pause(0.05)
    assert desk.app.return_value == 5


async def test_a_link_that_broke_says_that_the_session_goes_on() -> None:
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        desk.link.lost = "the link to sim-1 broke: the session closed it"
        await pilot.pause(0.2)
        assert desk.header().startswith(" LINK LOST")
        assert "lobdeck attach" in desk.header()
        await pilot.press("f9")
        await pilot.pause(0.05)
        assert desk.gate.fired
        await pilot.press("q")
        await pilot.pause(0.05)
    assert desk.app.return_value == 0


def test_keys_are_shown_as_they_are_typed() -> None:
    assert shown_keys(BY_NAME["seek"]) == ":seek 90"
    assert shown_keys(BY_NAME["halt"]) == "p F8  :halt"


def test_replay_page_says_where_it_stands() -> None:
    desk = make_desk(replace(snapshots.replay_snapshot()))
    panel = desk.app.main.view.panel("replay")
    assert desk.link.latest is not None
    panel.keep(desk.link.latest)
    drawn = "\n".join("".join(words for words, _ in line) for line in panel.framed(100, 24))
    for words in (
        "btcusdt_20260105.gz",
        "0:42 of 10:00",
        "1 times the capture's own pace",
        ":seek 90",
        "running",
    ):
        assert words in drawn


async def typed_into_box(pilot: Pilot[int], desk: Desk, letters: int) -> str:
    """Wait until so many letters stand in the box, or none comes any more, and give them."""
    value = ""
    for _ in range(100):
        await pilot.pause(0.01)
        fields = desk.app.main.query(LineInput)
        value = fields.first().value if fields else ""
        if len(value) >= letters:
            break
    return value


async def test_keys_typed_while_a_box_comes_up_all_reach_it_in_order() -> None:
    """Wherever a pause falls while the box is mounted and given the keyboard, no key is lost or overtakes."""
    desk = make_desk()
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        for turns in (*range(24), *range(24, 120, 8)):
            desk.app.post_message(events.Key("colon", ":"))
            for letter in "abcdefgh":
                for _ in range(turns if letter in "adg" else 0):
                    await asyncio.sleep(0)
                desk.app.post_message(events.Key(letter, letter))
            assert await typed_into_box(pilot, desk, 8) == "abcdefgh", turns
            await pilot.press("escape")
            while desk.app.main.overlay is not None:
                await pilot.pause(0.01)


async def test_keys_typed_ahead_of_a_box_reach_it_in_order() -> None:
    desk = make_desk(snapshots.replay_snapshot())
    async with desk.app.run_test(size=SIZE) as pilot:
        await settle(pilot, desk)
        for letter in ":seek 90\r":  # as one read of the terminal delivers them
            name = {":": "colon", " ": "space", "\r": "enter"}.get(letter, letter)
            desk.app.post_message(events.Key(name, letter))
        await pilot.pause(0.2)
        assert desk.link.steered == [("seek", 90_000)]
        assert desk.app.main.overlay is None
