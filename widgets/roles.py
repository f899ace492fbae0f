"""Roles: what a piece of text means on the screen; themes give each a colour, this table its attributes.

A role names the theme variables of its colours, never a colour. Attributes carry the meaning where there
are no colours (NO_COLOR, mono), beside the letters, signs and places that carry it anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color

PREFIX = "role-"
"""Theme variables of roles start with this: `role-bid`, `role-ask`, ..."""


@dataclass(frozen=True, slots=True)
class Role:
    """How a role is drawn: theme variables of its colours (without prefix) and its attributes.

    An empty name is the panel's own foreground or background.
    """

    colour: str = ""
    behind: str = ""
    bold: bool = False
    dim: bool = False
    underline: bool = False
    strike: bool = False
    reverse: bool = False
    italic: bool = False


ROLES: Mapping[str, Role] = {
    "text": Role(),
    "bright": Role(colour="bright", bold=True),
    "dim": Role(colour="dim"),
    "rule": Role(colour="rule"),
    "title": Role(colour="title", bold=True),
    "focus": Role(colour="accent", bold=True, underline=True),
    "accent": Role(colour="accent"),
    "key": Role(colour="accent", bold=True),
    "bid": Role(colour="bid"),
    "ask": Role(colour="ask"),
    "bid-strong": Role(colour="bid", bold=True),
    "ask-strong": Role(colour="ask", bold=True),
    "bid-bar": Role(colour="bid-bar"),
    "ask-bar": Role(colour="ask-bar"),
    "touch": Role(colour="bright", behind="touch", bold=True),
    "up": Role(colour="up"),
    "down": Role(colour="down"),
    "path": Role(colour="path"),
    "good": Role(colour="good"),
    "warn": Role(colour="warn", bold=True),
    "alert": Role(colour="halt", bold=True),
    "stale": Role(colour="stale", italic=True),
    "overprint": Role(colour="warn", bold=True, reverse=True),
    "halt": Role(colour="halt", bold=True, reverse=True),
    "kill": Role(colour="kill", bold=True, reverse=True),
    "kill-key": Role(colour="halt", bold=True),
    "selected": Role(colour="bright", behind="touch", bold=True),
    "waiting": Role(colour="waiting", bold=True),
    "sent": Role(colour="dim", dim=True),
    "working": Role(),
    "partial": Role(colour="partial"),
    "cancelling": Role(colour="cancelling", underline=True),
    "gone": Role(colour="dim", strike=True),
    "refused": Role(colour="halt", reverse=True),
    "unknown": Role(colour="waiting", bold=True, reverse=True),
    "replay": Role(colour="replay", bold=True),
    "sim": Role(colour="sim", bold=True),
    "paper": Role(colour="paper", bold=True),
    "live": Role(colour="live", bold=True, reverse=True),
    "replay-chip": Role(colour="replay", bold=True, reverse=True),
    "sim-chip": Role(colour="sim", bold=True, reverse=True),
    "paper-chip": Role(colour="paper", bold=True, reverse=True),
    "live-chip": Role(colour="live", bold=True, reverse=True),
}
"""Every role a widget may use."""

COLOURS = tuple(sorted({name for role in ROLES.values() for name in (role.colour, role.behind) if name}))
"""The theme variables (without prefix) every theme must define."""


def styles_of(variables: Mapping[str, str], foreground: str, background: str) -> dict[str, Style]:
    """Make the Rich style of every role from a theme's variables and the panel's own two colours.

    Raises:
        KeyError: The theme does not define a colour of `COLOURS`.
    """

    def colour(name: str, own: str) -> str:
        return variables[PREFIX + name] if name else own

    return {
        name: Style(
            color=Color.parse(colour(role.colour, foreground)).rich_color,
            bgcolor=Color.parse(colour(role.behind, background)).rich_color,
            bold=role.bold or None,
            dim=role.dim or None,
            underline=role.underline or None,
            strike=role.strike or None,
            reverse=role.reverse or None,
            italic=role.italic or None,
        )
        for name, role in ROLES.items()
    }
