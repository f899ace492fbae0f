"""The one table of what a person can do: key, help, palette entry, command word, guard.

Keys, the help overlay, the palette, the `:` line and the footer are all made from it, so that none of them
can say something else. What an action does is a method of the console of the same name.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Guard(enum.Enum):
    """What stands between a key and its effect."""

    LOCAL = "local"
    """Changes only this screen."""
    SAFE = "safe"
    """Takes risk away: works in bursts, pastes and after stalls."""
    RISK = "risk"
    """Adds risk: dropped in bursts and pastes, and for a second after a display gap."""
    STRIP = "strip"
    """Asks for Enter on a strip that names what will happen."""
    TYPED = "typed"
    """Only on the `:` line."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    name: str
    """Method of the console, without `act_`."""
    keys: tuple[str, ...]
    """Textual key names; empty for what is only typed."""
    shown: str
    """The key as help and footer print it."""
    help: str
    guard: Guard
    group: str
    word: str = ""
    """Word on the `:` line; empty for none."""
    replay_only: bool = False


ACTIONS: tuple[Action, ...] = (
    Action(
        "kill",
        ("ctrl+k", "f9"),
        "Ctrl+K F9",
        "KILL: close and latch the gate, cancel ours",
        Guard.SAFE,
        "stop",
        "kill",
    ),
    Action("halt", ("p", "f8"), "p F8", "HALT: no new risk; back with :resume", Guard.SAFE, "stop", "halt"),
    Action(
        "reduce", ("r",), "r", "REDUCING: only orders that shrink the position", Guard.SAFE, "stop", "reduce"
    ),
    Action("authority_down", ("m",), "m", "authority one step down", Guard.SAFE, "stop", "down"),
    Action("permit", ("a",), "a", "permit the selected idea once", Guard.RISK, "ideas"),
    Action(
        "decline", ("d",), "d", "not now: that side is silent for 30 s, d d for 5 min", Guard.SAFE, "ideas"
    ),
    Action("window", ("w",), "w", "open the window permit panel", Guard.RISK, "ideas", "window"),
    Action("edit_size", ("e",), "e", "edit the size of the selected idea", Guard.RISK, "ideas"),
    Action("end_permits", (), "", "end every permit", Guard.SAFE, "ideas", "end"),
    Action("cancel", ("x",), "x", "cancel the selected order", Guard.SAFE, "orders"),
    Action("cancel_all", ("X",), "X", "cancel all ours on this symbol", Guard.STRIP, "orders", "cancel"),
    Action("flatten", ("F",), "F", "flatten this symbol to home", Guard.STRIP, "orders", "flatten"),
    Action("next_item", ("j", "down"), "j", "next card or order", Guard.LOCAL, "look"),
    Action("previous_item", ("k", "up"), "k", "previous card or order", Guard.LOCAL, "look"),
    Action("first_item", ("g",), "g", "first card or order", Guard.LOCAL, "look"),
    Action("last_item", ("G",), "G", "last card or order", Guard.LOCAL, "look"),
    Action("next_symbol", ("right_square_bracket",), "]", "next symbol", Guard.LOCAL, "look"),
    Action("previous_symbol", ("left_square_bracket",), "[", "previous symbol", Guard.LOCAL, "look"),
    Action(
        "space", ("space",), "Space", "recentre the ladder; in REPLAY pause and go on", Guard.LOCAL, "look"
    ),
    Action("recentre", ("c",), "c", "recentre the ladder", Guard.LOCAL, "look"),
    Action("coarser", ("plus",), "+", "coarser ladder step", Guard.LOCAL, "look"),
    Action("finer", ("minus",), "-", "finer ladder step", Guard.LOCAL, "look"),
    Action("screen_trading", ("1",), "1", "trading screen", Guard.LOCAL, "look", "trading"),
    Action("screen_orders", ("2",), "2", "orders screen", Guard.LOCAL, "look", "orders"),
    Action("screen_health", ("3",), "3", "health: workers, delays, limits", Guard.LOCAL, "look", "health"),
    Action("screen_model", ("4",), "4", "model screen", Guard.LOCAL, "look", "model"),
    Action("next_panel", ("tab",), "Tab", "next panel", Guard.LOCAL, "look"),
    Action("maximise", ("z",), "z", "give the focused panel the whole screen", Guard.LOCAL, "look"),
    Action("note_alert", ("n",), "n", "note the newest alert", Guard.LOCAL, "look"),
    Action("bell", ("b",), "b", "bell on or off", Guard.LOCAL, "look"),
    Action("theme", (), "", "next theme: night, day, contrast, mono", Guard.LOCAL, "look", "theme"),
    Action("repaint", ("ctrl+l",), "Ctrl+L", "repaint everything", Guard.LOCAL, "look"),
    Action(
        "step_ahead", ("full_stop",), ".", "replay: one frame ahead", Guard.LOCAL, "replay", replay_only=True
    ),
    Action("step_back", ("comma",), ",", "replay: one frame back", Guard.LOCAL, "replay", replay_only=True),
    Action("faster", ("greater_than_sign",), ">", "replay: faster", Guard.LOCAL, "replay", replay_only=True),
    Action("slower", ("less_than_sign",), "<", "replay: slower", Guard.LOCAL, "replay", replay_only=True),
    Action(
        "seek",
        (),
        "",
        ":seek 90 to a second, :seek +30 or -30 from here",
        Guard.LOCAL,
        "replay",
        "seek",
        replay_only=True,
    ),
    Action("speed", (), "", ":speed 4, or :speed max", Guard.LOCAL, "replay", "speed", replay_only=True),
    Action("resume", (), "", "leave HALTED or REDUCING", Guard.TYPED, "up", "resume"),
    Action(
        "approve", (), "", "authority APPROVE: nothing goes outside a permit", Guard.TYPED, "up", "approve"
    ),
    Action("auto", (), "", "authority AUTO: the limits bound the model", Guard.TYPED, "up", "auto"),
    Action("observe", (), "", "authority OBSERVE: nothing opens", Guard.SAFE, "stop", "observe"),
    Action("release", (), "", "take a kill back; leads to HALTED", Guard.TYPED, "up", "release"),
    Action("command_line", ("colon",), ":", "command line", Guard.LOCAL, "help"),
    Action("palette", ("ctrl+p",), "Ctrl+P", "palette of all of these", Guard.LOCAL, "help"),
    Action("help", ("question_mark", "f1"), "? F1", "keys", Guard.LOCAL, "help", "help"),
    Action("quit", ("q", "ctrl+q"), "q", "quit, with a choice", Guard.LOCAL, "help", "quit"),
    Action("detach", (), "", "leave the console, the session goes on", Guard.LOCAL, "help", "detach"),
)
"""Every action, in the order of help and palette."""

GROUPS = {
    "stop": "Stop and step down: at once, in every screen",
    "ideas": "Ideas and permits",
    "orders": "Orders and position",
    "replay": "Replay",
    "look": "Look around",
    "up": "Step up: typed after :",
    "help": "Help and leave",
}

DEAD_KEYS = {
    "ctrl+c": "Ctrl+C stops nothing here: p halts, Ctrl+K kills, q quits",
    "ctrl+d": "Ctrl+D does nothing here: q quits",
    "ctrl+s": "Ctrl+S does not freeze the screen here",
    "ctrl+backslash": "Ctrl+\\ does nothing here: q quits",
    "ctrl+z": "Ctrl+Z is off: a console that sleeps shows old numbers; q leaves it",
}
"""Keys whose habit would surprise; each says what it does not do."""

BY_KEY = {key: action for action in ACTIONS for key in action.keys}
BY_WORD = {action.word: action for action in ACTIONS if action.word}
BY_NAME = {action.name: action for action in ACTIONS}


def help_rows(*, replay: bool) -> tuple[tuple[str, str], ...]:
    """Give headings (empty key) and rows (keys, help) for the help overlay."""
    rows: list[tuple[str, str]] = []
    for group, title in GROUPS.items():
        members = [a for a in ACTIONS if a.group == group and (replay or not a.replay_only)]
        if members:
            rows.append(("", title))
            rows += [(shown_keys(action), action.help) for action in members]
    return tuple(rows)


def shown_keys(action: Action) -> str:
    """Give an action's keys, or its command word where it has none."""
    return action.shown or f":{action.word}"
