"""The colours of every role in every theme, as data; nothing else in the program names a colour.

Role names are those of `widgets.roles.COLOURS`. Text roles have a contrast of at least 4.5 to 1 against
the background they stand on, bars, whose numbers stand beside them, 2 to 1 (checked by test). Buys and
bids are blue, sells and asks red; the contrast theme uses sky and orange, which every common colour
blindness tells apart.
"""

from __future__ import annotations

from collections.abc import Mapping

NIGHT: Mapping[str, str] = {
    "background": "#0c1014",
    "foreground": "#c5ced8",
    "bright": "#f4f8fc",
    "dim": "#808b97",
    "rule": "#3a444f",
    "title": "#a9b8c8",
    "accent": "#e0b354",
    "touch": "#25313f",
    "bid": "#5c9dff",
    "ask": "#f27d74",
    "bid-bar": "#2b5588",
    "ask-bar": "#8c403c",
    "up": "#5fcf80",
    "down": "#f27d74",
    "path": "#9fc3e8",
    "good": "#5fcf80",
    "warn": "#f0c14b",
    "stale": "#a08c60",
    "halt": "#ff8270",
    "kill": "#ff6457",
    "waiting": "#f5d76e",
    "partial": "#58cfd8",
    "cancelling": "#e28cf7",
    "replay": "#bd9cf5",
    "sim": "#43c9b5",
    "paper": "#d8c24a",
    "live": "#ff5a4d",
}

DAY: Mapping[str, str] = {
    "background": "#fbfaf5",
    "foreground": "#2b3036",
    "bright": "#000000",
    "dim": "#62676d",
    "rule": "#b9bcb8",
    "title": "#3f4a55",
    "accent": "#8a5a00",
    "touch": "#e2e7ec",
    "bid": "#0b57b0",
    "ask": "#b3261e",
    "bid-bar": "#5b93d6",
    "ask-bar": "#d9706a",
    "up": "#19692f",
    "down": "#b3261e",
    "path": "#2f5d8c",
    "good": "#19692f",
    "warn": "#8a5a00",
    "stale": "#7b6a3c",
    "halt": "#b3261e",
    "kill": "#a3160f",
    "waiting": "#7a5c00",
    "partial": "#006a75",
    "cancelling": "#7d2f9c",
    "replay": "#6237b0",
    "sim": "#006b5c",
    "paper": "#6f5d00",
    "live": "#b0120a",
}

CONTRAST: Mapping[str, str] = {
    "background": "#000000",
    "foreground": "#f2f2f2",
    "bright": "#ffffff",
    "dim": "#b4b4b4",
    "rule": "#6c6c6c",
    "title": "#ffffff",
    "accent": "#f0e442",
    "touch": "#333333",
    "bid": "#6cc4f5",
    "ask": "#f0a830",
    "bid-bar": "#3a8fc4",
    "ask-bar": "#b87a10",
    "up": "#6cc4f5",
    "down": "#f0a830",
    "path": "#f2f2f2",
    "good": "#6cc4f5",
    "warn": "#f0e442",
    "stale": "#b4a878",
    "halt": "#ff8a4d",
    "kill": "#ff7a3c",
    "waiting": "#f0e442",
    "partial": "#4fd0b0",
    "cancelling": "#e6a3cc",
    "replay": "#d0b0f5",
    "sim": "#4fd0b0",
    "paper": "#f0e442",
    "live": "#ff7a3c",
}

MONO: Mapping[str, str] = dict.fromkeys(NIGHT, "ansi_default")
