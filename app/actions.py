"""The one table of what a person can do: keys, help, palette entry, command word, guard.

The keys, the help, the palette, the `:` line and the footer are all made from it, so that none of them
can say something else. What an action does is the method `act_NAME` of `app.acts.Acts`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace


class Guard(enum.Enum):
    """What stands between a key and its effect."""

    STOP = "stop"
    """Stops or steps down: works in bursts, pastes and after stalls, always."""
    SAFE = "safe"
    """Takes risk away from one thing: at once, but not in a paste."""
    LOCAL = "local"
    """Changes only this screen, or where a replay stands."""
    RISK = "risk"
    """Adds risk: dropped in bursts and pastes, and for a second after a display gap."""
    STRIP = "strip"
    """Asks for Enter on a strip that names what will happen."""
    TYPED = "typed"
    """Steps up: only on the `:` line."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    name: str
    """Method of `Acts`, without `act_`."""
    guard: Guard
    keys: tuple[str, ...]
    """Textual's key names; empty for what is only typed."""
    shown: str
    """The key as help and footer print it."""
    word: str
    """Word on the `:` line; empty for none."""
    hint: str
    """Words beside the key in the footer; empty for what never stands there."""
    help: str
    value: str = ""
    """What follows the word on the `:` line, as the help prints it; empty for none."""
    group: str = ""
    """Key of `GROUPS`."""


_STOP, _SAFE, _LOCAL, _RISK = Guard.STOP, Guard.SAFE, Guard.LOCAL, Guard.RISK
_STRIP, _TYPED = Guard.STRIP, Guard.TYPED
A = Action

# fmt: off
_TABLE: dict[str, tuple[Action, ...]] = {
    "stop": (
        A("kill", _STOP, ("ctrl+k", "f9"), "Ctrl+K F9", "kill", "KILL", "KILL: close and latch, cancel ours"),
        A("halt", _STOP, ("p", "f8"), "p F8", "halt", "HALT", "HALT: no new risk; back with :resume"),
        A("reduce", _STOP, ("r",), "r", "reduce", "", "REDUCING: only what shrinks; back with :resume"),
        A("authority_down", _STOP, ("m",), "m", "down", "down", "authority one step down"),
        A("observe", _STOP, (), "", "observe", "", "authority OBSERVE: the model opens nothing"),
    ),
    "ideas": (
        A("permit", _RISK, ("a",), "a", "", "permit", "permit the selected idea once, as it is drawn"),
        A("decline", _SAFE, ("d",), "d", "", "not now", "not now: that side is silent 30 s, d d 5 min"),
        A("window", _RISK, ("w",), "w", "window", "window", "open the window permit panel"),
        A("edit_size", _RISK, ("e",), "e", "size", "size", "edit the size of the selected idea"),
        A("end_permits", _SAFE, (), "", "end", "", "end every permit"),
    ),
    "orders": (
        A("cancel", _SAFE, ("x",), "x", "", "cancel", "cancel the selected order"),
        A("cancel_all", _STRIP, ("X",), "X", "cancel", "ours", "cancel all ours on this symbol"),
        A("flatten", _STRIP, ("F",), "F", "flatten", "flat", "flatten this symbol to home"),
        A("filter", _LOCAL, ("slash",), "/", "filter", "filter",
          "filter the orders: mine, buy, live, model, state:unknown, !state:filled; empty ends it", "WORDS"),
    ),
    "models": (
        A("use_model", _TYPED, (), "", "model", "", "make a model of the registry the live one",
          "NAME@VERSION"),
        A("model_back", _TYPED, (), "", "back", "", "go back to the model before; it is still loaded"),
        A("shadow_model", _TYPED, (), "", "shadow", "", "score a model beside the live one", "NAME@VERSION"),
        A("drop_shadow", _TYPED, (), "", "unshadow", "", "score a shadow no longer", "NAME"),
    ),
    "replay": (
        A("space", _LOCAL, ("space",), "Space", "pause", "pause", "pause a replay, go on; else recentre"),
        A("step_ahead", _LOCAL, ("full_stop",), ".", "", "step", "one frame ahead"),
        A("step_back", _LOCAL, ("comma",), ",", "", "back", "one frame back"),
        A("faster", _LOCAL, ("greater_than_sign",), ">", "", "faster", "faster"),
        A("slower", _LOCAL, ("less_than_sign",), "<", "", "slower", "slower"),
        A("seek", _LOCAL, (), "", "seek", "go to", "go to this second, or +30 or -30 from here", "90"),
        A("speed", _LOCAL, (), "", "speed", "pace", "times the capture's own pace, or max", "4"),
    ),
    "look": (
        A("next_item", _LOCAL, ("j", "down"), "j down", "", "", "next card or order"),
        A("previous_item", _LOCAL, ("k", "up"), "k up", "", "", "previous card or order"),
        A("first_item", _LOCAL, ("g", "home"), "g", "", "", "first card or order"),
        A("last_item", _LOCAL, ("G", "end"), "G", "", "", "last card or order"),
        A("next_symbol", _LOCAL, ("right_square_bracket", "right"), "]", "", "", "next symbol"),
        A("previous_symbol", _LOCAL, ("left_square_bracket", "left"), "[", "", "", "previous symbol"),
        A("recentre", _LOCAL, ("c",), "c", "recentre", "", "recentre the ladder"),
        A("coarser", _LOCAL, ("plus", "equals_sign"), "+", "", "", "coarser ladder step"),
        A("finer", _LOCAL, ("minus",), "-", "", "", "finer ladder step"),
        A("screen_trading", _LOCAL, ("1",), "1", "trading", "trading", "trading screen"),
        A("screen_orders", _LOCAL, ("2",), "2", "orders", "orders", "orders screen"),
        A("screen_health", _LOCAL, ("3",), "3", "health", "health", "health screen: workers, delays, limits"),
        A("screen_model", _LOCAL, ("4",), "4", "models", "", "model screen"),
        A("screen_replay", _LOCAL, ("5",), "5", "replay", "", "replay screen: position, pace, how to steer"),
        A("screen_help", _LOCAL, ("6",), "6", "keys", "", "all keys and words"),
        A("next_panel", _LOCAL, ("tab",), "Tab", "", "", "next panel"),
        A("previous_panel", _LOCAL, ("shift+tab",), "Shift+Tab", "", "", "previous panel"),
        A("maximise", _LOCAL, ("z",), "z", "zoom", "", "give the focused panel the whole screen"),
        A("note_alert", _LOCAL, ("n",), "n", "note", "note alert", "note the newest alert"),
        A("bell", _LOCAL, ("b",), "b", "bell", "", "bell on or off"),
        A("theme", _LOCAL, (), "", "theme", "", "next theme: night, day, contrast, mono"),
        A("repaint", _LOCAL, ("ctrl+l",), "Ctrl+L", "repaint", "", "repaint everything"),
    ),
    "up": (
        A("resume", _TYPED, (), "", "resume", "", "leave HALTED or REDUCING"),
        A("approve", _TYPED, (), "", "approve", "", "authority APPROVE: nothing goes outside a permit"),
        A("auto", _TYPED, (), "", "auto", "", "authority AUTO: only the limits bound the model"),
        A("release", _TYPED, (), "", "release", "", "take a kill back by a typed phrase; HALTED then"),
        A("adopt", _TYPED, (), "", "adopt", "", "take over what the last session left, as it was found"),
        A("cancel_earlier", _TYPED, (), "", "cancel-earlier", "", "cancel the orders the last session left"),
    ),
    "help": (
        A("help", _LOCAL, ("question_mark",), "?", "help", "keys", "keys, those of the focused panel first"),
        A("palette", _LOCAL, ("ctrl+p", "f1"), "Ctrl+P F1", "", "", "find any of these by a few letters"),
        A("command_line", _LOCAL, ("colon",), ":", "", "", "command line"),
        A("quit", _LOCAL, ("q", "ctrl+q"), "q", "quit", "quit", "close what is open; or leave, by choice"),
        A("detach", _LOCAL, (), "", "detach", "", "leave the console, the session goes on"),
    ),
}
# fmt: on

ACTIONS: tuple[Action, ...] = tuple(
    replace(action, group=group) for group, members in _TABLE.items() for action in members
)
"""Every action, in the order of help and palette."""

GROUPS = {
    "stop": "Stop and step down: at once, in every screen",
    "ideas": "Ideas and permits",
    "orders": "Orders and position",
    "models": "Models: typed; a swap ends permits",
    "replay": "Replay",
    "look": "Look around",
    "up": "Step up: typed",
    "help": "Help and leave",
}

PAGE_HINTS = {
    "trading": ("permit", "decline", "window", "cancel", "cancel_all", "flatten", "halt", "authority_down"),
    "orders": ("cancel", "cancel_all", "flatten", "filter", "halt", "screen_trading"),
    "health": ("note_alert", "halt", "screen_trading"),
    "model": ("halt", "screen_trading"),
    "replay": ("space", "step_ahead", "step_back", "faster", "slower", "seek", "screen_trading"),
    "help": ("screen_trading",),
}
"""Footer of each page, most important first; `help` and `quit` follow everywhere."""

PANEL_GROUPS = {
    "proposals": "ideas",
    "permits": "ideas",
    "orders": "orders",
    "position": "orders",
    "replay": "replay",
    "alerts": "look",
    "ladder": "look",
}
"""Which keys the help shows first, by the panel the keyboard looks at."""

DEAD_KEYS = {
    "ctrl+c": "Ctrl+C stops nothing here: p halts, Ctrl+K kills, q leaves",
    "ctrl+d": "Ctrl+D ends nothing here: q leaves",
    "ctrl+s": "Ctrl+S freezes nothing here; Space pauses a replay",
    "ctrl+backslash": "Ctrl+\\ quits nothing here: q leaves",
    "ctrl+z": "Ctrl+Z is off: a console that sleeps shows old numbers; q leaves, the session can go on",
}
"""Keys whose habit would surprise; each says what it does not do."""

BY_KEY = {key: action for action in ACTIONS for key in action.keys}
BY_WORD = {action.word: action for action in ACTIONS if action.word}
BY_NAME = {action.name: action for action in ACTIONS}


def help_rows(*, first_group: str = "") -> tuple[tuple[str, str], ...]:
    """Give headings (empty key) and rows (keys, help), one group first if named."""
    rows: list[tuple[str, str]] = []
    for group in sorted(GROUPS, key=lambda name: name != first_group):
        rows.append(("", GROUPS[group]))
        rows += [(shown_keys(action), action.help) for action in ACTIONS if action.group == group]
    return tuple(rows)


def shown_keys(action: Action) -> str:
    """Give an action's keys and its command word, as help and palette print them."""
    typed = f":{action.word} {action.value}".rstrip() if action.word else ""
    return "  ".join(part for part in (action.shown, typed) if part)


def watcher_may(action: Action) -> bool:
    """Say whether a console that only watches may do this: stop, step down, and look around."""
    if action.guard is Guard.STOP:
        return action.name != "observe"
    return action.guard is Guard.LOCAL and action.group != "replay" and action.name != "note_alert"


def page_hints(page: str, *, watching: bool = False) -> tuple[tuple[str, str], ...]:
    """Give (key, words) of a page's footer, the most important first."""
    names = (*PAGE_HINTS[page], "help", "quit")
    actions = [BY_NAME[name] for name in names if not watching or watcher_may(BY_NAME[name])]
    return tuple(((action.shown or f":{action.word}").split()[0], action.hint) for action in actions)


def matching(typed: str) -> tuple[Action, ...]:
    """Give the actions a few letters mean, best first: by word or name, by their start, then anywhere."""
    wanted = typed.strip().lstrip(":").lower()
    if not wanted:
        return ACTIONS

    def rank(action: Action) -> int:
        name = action.name.replace("_", " ")
        if wanted in (action.word, name):
            return 0
        if action.word.startswith(wanted) or name.startswith(wanted):
            return 1
        if any(part.startswith(wanted) for part in f"{name} {action.help}".lower().split()):
            return 2
        return 3 if wanted in f"{action.word} {name} {action.help}".lower() else 4

    return tuple(sorted((a for a in ACTIONS if rank(a) < 4), key=rank))
