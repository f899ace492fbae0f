"""A console that only watches says so, sends nothing but what stops, and says why it sends no more."""

from __future__ import annotations

import pytest

from app.actions import ACTIONS, BY_NAME, page_hints, watcher_may
from app.kill_keys import Emergency
from app.press_watch import ARMING_S
from pipeline.core.inputs import Command
from pipeline.runtime.session_host import _WATCHER_MAY
from tests.fakes.links import make_desk
from tests.ui.test_console_keys import settle


@pytest.mark.parametrize("size", [(160, 48), (120, 40), (80, 24), (60, 12), (20, 5)])
async def test_the_mark_stands_in_the_header_at_every_size(size: tuple[int, int]) -> None:
    for watch in (True, False):
        desk = make_desk(watch=watch)
        async with desk.app.run_test(size=size) as pilot:
            await settle(pilot, desk)
            assert ("WATCHING" in desk.header()) == watch
            for page in ("2", "3", "4", "5", "6"):
                await pilot.press(page)
                assert ("WATCHING" in desk.header()) == watch


async def test_nothing_but_halt_reduce_and_stepping_down_reaches_the_session() -> None:
    desk = make_desk(watch=True)
    async with desk.app.run_test(size=(160, 48)) as pilot:
        await settle(pilot, desk, ARMING_S + 0.1)
        for key in ("a", "d", "w", "e", "x", "X", "F", "n", "space", "full_stop"):
            await pilot.press(key)
            assert "only watches" in desk.said(), key
            await pilot.press("enter")
        assert desk.link.commands == []
        assert desk.link.steered == []
        assert desk.app.main.overlay is None
        await pilot.press("r", "m", "p")
        assert [one.command for one in desk.link.commands] == [
            Command.REDUCE,
            Command.AUTHORITY_DOWN,
            Command.HALT,
        ]
        assert desk.gate.fired == [Emergency.HALT]


async def test_words_that_step_up_are_not_taken_from_a_watcher() -> None:
    desk = make_desk(watch=True)
    async with desk.app.run_test(size=(160, 48)) as pilot:
        await settle(pilot, desk)
        await pilot.press("colon", *"auto")
        await settle(pilot, desk, 0.4)
        await pilot.press("enter")
        await pilot.pause(0.05)
        assert ":auto not taken: this console only watches" in desk.said()
        assert desk.link.commands == []


async def test_a_watcher_kills_and_is_asked_nothing_it_may_not_answer() -> None:
    desk = make_desk(watch=True)
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, desk)
        await pilot.press("ctrl+k")
        await pilot.pause(0.1)
        assert desk.gate.fired == [Emergency.KILL]
        assert "KILLED" in desk.header()
        assert "WATCHING" in desk.header()
        assert desk.app.main.strips.strip is None
        assert "the session cancels our orders" in desk.said()
        # Its session need not wait for the choice that this console does not offer.
        assert [one.command for one in desk.link.commands] == [Command.KILL]


def test_the_footer_of_a_watcher_names_only_keys_that_work() -> None:
    keys = [key for key, _ in page_hints("trading", watching=True)]
    assert keys == ["p", "m", "?", "q"]
    assert page_hints("trading") != page_hints("trading", watching=True)


def test_what_a_watcher_may_do_is_what_the_session_takes_from_one() -> None:
    commands = {
        "kill": Command.KILL,
        "halt": Command.HALT,
        "reduce": Command.REDUCE,
        "authority_down": Command.AUTHORITY_DOWN,
    }
    sending = [action for action in ACTIONS if action.guard.name == "STOP" and watcher_may(action)]
    assert {commands[action.name] for action in sending} == set(_WATCHER_MAY)
    assert not watcher_may(BY_NAME["permit"])
    assert watcher_may(BY_NAME["quit"])
