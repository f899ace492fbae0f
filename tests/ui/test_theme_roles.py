"""Themes know every role, keep it legible, and survive sixteen colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.color import Color as RichColour
from rich.color import ColorSystem
from textual.color import Color

import themes
import widgets
from tests.fakes import snapshots
from tests.fakes.console import make_app
from widgets.roles import COLOURS, PREFIX, ROLES

COLOURED = ("night", "day", "contrast")
ON_TOUCH = ("bright",)
BARS = ("bid-bar", "ask-bar")
SOURCES = sorted(Path(widgets.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("name", sorted(themes.PALETTES))
def test_a_palette_has_every_role_and_no_other(name: str) -> None:
    assert set(themes.PALETTES[name]) == {*COLOURS, "foreground", "background"}


def test_roles_and_themes_agree_on_the_prefix() -> None:
    assert themes.PREFIX == PREFIX


@pytest.mark.parametrize("name", COLOURED)
def test_text_is_legible(name: str) -> None:
    palette = themes.PALETTES[name]
    background = Color.parse(palette["background"])
    for role in set(palette) - {"background", "touch", "rule", *BARS}:
        assert background.get_contrast_text  # noqa: B018 - names Textual's own rule, ours is stricter
        assert contrast(Color.parse(palette[role]), background) >= 4.5, role
    for role in BARS:
        assert contrast(Color.parse(palette[role]), background) >= 2.0, role
    for role in ON_TOUCH:
        assert contrast(Color.parse(palette[role]), Color.parse(palette["touch"])) >= 4.5, role


def contrast(one: Color, other: Color) -> float:
    """Give the contrast ratio of WCAG 2.1."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Color) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def sixteen(colour: str) -> int | None:
    return RichColour.parse(colour).downgrade(ColorSystem.STANDARD).number


@pytest.mark.parametrize("name", COLOURED)
def test_with_sixteen_colours_nothing_vanishes_and_sides_differ(name: str) -> None:
    palette = themes.PALETTES[name]
    for role in set(palette) - {"background", "touch"}:
        assert sixteen(palette[role]) != sixteen(palette["background"]), role
    for side, other in (("bid", "ask"), ("bid", "foreground"), ("ask", "foreground"), ("warn", "halt")):
        assert sixteen(palette[side]) != sixteen(palette[other]), (side, other)
    assert sixteen(palette["bright"]) != sixteen(palette["touch"])


@pytest.mark.parametrize("name", [theme.name for theme in themes.THEMES])
async def test_the_style_sheet_works_with_every_theme(name: str) -> None:
    app = make_app(name)
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(snapshots.make_snapshot())
        await pilot.pause()
        assert app.theme == name


def test_meaning_is_never_carried_by_colour_alone() -> None:
    """States that must not be missed differ from plain text by an attribute too."""
    for role in ("kill", "halt", "overprint", "unknown", "refused", "live", "cancelling", "gone", "warn"):
        drawn = ROLES[role]
        assert drawn.bold or drawn.reverse or drawn.underline or drawn.strike, role


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_widgets_name_no_colour_read_no_clock_and_do_no_io(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"#[0-9a-fA-F]{6}\b|\brgba?\(|ansi_(?!codes)[a-z]+", source)
    assert not re.search(
        r"^(?:import|from) (?:time|random|socket|asyncio|threading|logging|os|subprocess)\b", source, re.M
    )
    assert not re.search(r"\.now\(|\.today\(|perf_counter|monotonic|\bopen\(", source)
