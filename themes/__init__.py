"""Themes as Textual themes: night, day, contrast (safe for colour blindness) and mono (no colours at all)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.app import App
from textual.filter import Monochrome, NoColor
from textual.theme import BUILTIN_THEMES, Theme

from themes.palettes import CONTRAST, DAY, MONO, NIGHT

CSS_PATH = Path(__file__).with_name("console.tcss")
"""Style sheet of the console, written with theme variables only."""

PREFIX = "role-"
"""Theme variables of roles start with this."""

PALETTES: Mapping[str, Mapping[str, str]] = {"night": NIGHT, "day": DAY, "contrast": CONTRAST, "mono": MONO}
"""Colours by role, by theme."""


def make_theme(name: str, palette: Mapping[str, str], dark: bool = True, plain: bool = False) -> Theme:
    """Make the Textual theme of a palette; `plain` uses the terminal's own two colours only.

    Raises:
        KeyError: The palette lacks a colour.
    """
    return Theme(
        name=name,
        primary=palette["accent"],
        secondary=palette["title"],
        accent=palette["accent"],
        warning=palette["warn"],
        error=palette["halt"],
        success=palette["good"],
        foreground=palette["foreground"],
        background=palette["background"],
        surface=palette["background"],
        panel=palette["background"],
        boost=palette["background"],
        dark=dark,
        ansi=plain,
        variables={
            **(BUILTIN_THEMES["ansi-dark"].variables if plain else {}),
            **{PREFIX + role: colour for role, colour in palette.items()},
        },
    )


THEMES: tuple[Theme, ...] = (
    make_theme("night", NIGHT),
    make_theme("day", DAY, dark=False),
    make_theme("contrast", CONTRAST),
    make_theme("mono", MONO, plain=True),
)
"""All themes; the first is the default."""


def register(app: App[Any]) -> None:
    """Make the themes known to an app and take the one that suits: mono under NO_COLOR, night otherwise."""
    for theme in THEMES:
        app.register_theme(theme)
    app.theme = "mono" if app.no_color else "night"
    # Textual chose its filter before it knew the theme: it would paint the terminal's own colours black on
    # black.
    app._filters = [NoColor() if isinstance(each, Monochrome) else each for each in app._filters]
