"""The main screen in every theme at the smallest and the desk size, as committed SVG."""

from __future__ import annotations

import re

import pytest

from pipeline.core.snapshot import ConsoleSnapshot
from tests.fakes import snapshots
from tests.fakes.console import make_app
from tests.fakes.pictures import assert_same_picture


async def svg_of(snapshot: ConsoleSnapshot, size: tuple[int, int], theme: str, plain: bool = False) -> str:
    app = make_app(theme, plain=plain)
    async with app.run_test(size=size) as pilot:
        app.view.show(snapshot)
        await pilot.pause()
        picture = app.export_screenshot(title="lobdeck")
    # The class names carry a sum of the whole content; without it only what really changed differs.
    picture = re.sub(r"terminal-\d+", "terminal", picture)
    return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


@pytest.mark.parametrize("theme", ["night", "day", "contrast", "mono"])
@pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
async def test_main_screen(theme: str, size: tuple[int, int]) -> None:
    drawn = await svg_of(snapshots.make_snapshot(), size, theme)
    assert_same_picture(f"screen-{theme}-{size[0]}x{size[1]}.svg", drawn)


async def test_main_screen_of_middle_size() -> None:
    drawn = await svg_of(snapshots.make_snapshot(), (120, 40), "night")
    assert_same_picture("screen-night-120x40.svg", drawn)


async def test_killed_screen() -> None:
    drawn = await svg_of(snapshots.killed_snapshot(), (160, 48), "night")
    assert_same_picture("screen-killed-160x48.svg", drawn)
