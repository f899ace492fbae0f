"""A page that comes back is painted whole: its panels know only what they drew themselves."""

from __future__ import annotations

from typing import Any

import pytest

from app.kill_keys import Emergency
from app.screens.dialogs import LineDialog
from tests.fakes import snapshots
from tests.fakes.links import make_desk
from tests.ui.test_console_keys import settle


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
@pytest.mark.parametrize("keys", [("3", "1"), ("2", "1"), ("z", "z")])
async def test_a_page_that_comes_back_is_painted_whole(
    size: tuple[int, int], keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk()
    async with desk.app.run_test(size=size) as pilot:
        await settle(pilot, desk)
        await pilot.press("tab", keys[0])
        await settle(pilot, desk, 0.2)
        painted: list[object] = []
        screen = desk.app.main
        whole = screen._compositor.render_full_update

        def counted(*given: Any, **named: Any) -> Any:
            painted.append(given)
            return whole(*given, **named)

        monkeypatch.setattr(screen._compositor, "render_full_update", counted)
        await pilot.press(keys[1])
        await settle(pilot, desk, 0.2)
        assert painted


async def test_the_release_is_asked_in_rows_that_fit_and_its_field_is_in_sight() -> None:
    desk = make_desk(snapshots.killed_snapshot())
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, desk)
        desk.gate.fired.append(Emergency.KILL)
        desk.app.act_by_name("release")
        await settle(pilot, desk, 0.2)
        dialog = desk.app.main.overlay
        assert isinstance(dialog, LineDialog)
        assert dialog.keyboard.region.bottom <= 24
        assert dialog.region.height == dialog.foot_rows
