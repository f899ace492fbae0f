"""What `doctor` says of the terminal, and which kill key gets through to lobdeck here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.findings import Finding, Level

LEAST_COLUMNS, LEAST_ROWS = 80, 24
_DUMB = ("", "dumb", "unknown")
_ASK_S = 2.0

_KEYS = {"Ctrl+K": ("C-k", "^K"), "F9": ("F9", "k9")}
"""Each kill key, as tmux and as screen call it."""

_TMUX_BINDING = re.compile(r"bind-key\s+(?:-\S+\s+)*?-T\s+root\s+(?P<key>\S+)\s+(?P<command>.*)")


@dataclass(frozen=True, slots=True)
class KillKeys:
    """Which kill keys reach lobdeck, as far as can be seen from here."""

    working: tuple[str, ...]
    taken: tuple[str, ...]
    """Keys something between keyboard and lobdeck keeps for itself."""
    by: str
    """What is in between: `tmux`, `screen`, or empty."""
    unsure: str = ""
    """Why this may be wrong; empty when it was looked at."""


def terminal() -> list[Finding]:
    """Look at what a console would draw on."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        mend = "run it from a terminal to check that too; --headless needs none"
        return [Finding(Level.WARN, "terminal", "none here", mend)]
    size = shutil.get_terminal_size()
    return [kind_finding(os.environ), size_finding(size.columns, size.lines)]


def kind_finding(environment: Mapping[str, str]) -> Finding:
    """Judge TERM, character set and colours."""
    term = environment.get("TERM", "")
    if term in _DUMB:
        return Finding(
            Level.WARN, "terminal", f"TERM={term or 'unset'} cannot draw", "set TERM, e.g. xterm-256color"
        )
    words = f"{term}, {_colours(term, environment)}"
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or "C.UTF-8"
    if "utf" not in locale.lower():
        return Finding(
            Level.WARN, "terminal", f"{words}, {locale}: no UTF-8, ASCII is drawn", "export LANG=C.UTF-8"
        )
    return Finding(Level.OK, "terminal", f"{words}, UTF-8")


def size_finding(columns: int, rows: int) -> Finding:
    """Judge the size."""
    text = f"{columns}x{rows}"
    if columns >= LEAST_COLUMNS and rows >= LEAST_ROWS:
        return Finding(Level.OK, "terminal", text)
    return Finding(Level.WARN, "terminal", text, f"widen it to {LEAST_COLUMNS}x{LEAST_ROWS} or more")


def kill_key() -> list[Finding]:
    """Name a kill key that works here."""
    return [kill_key_finding(kill_keys_here(os.environ))]


def kill_key_finding(keys: KillKeys) -> Finding:
    """Judge the kill keys; without one, `lobdeck kill` in another shell is what is left."""
    between = f" through {keys.by}" if keys.by else ""
    if not keys.working:
        mend = "unbind one (`tmux unbind-key -T root F9`), or keep `lobdeck kill` ready in another shell"
        return Finding(Level.FAIL, "kill key", f"{keys.by} keeps {' and '.join(keys.taken)}", mend)
    works = f"{' and '.join(keys.working)} kill{'s' if len(keys.working) == 1 else ''}{between}"
    if keys.unsure:
        return Finding(Level.WARN, "kill key", f"{works}, but {keys.unsure}", "try the key in a demo")
    if keys.taken:
        return Finding(
            Level.WARN, "kill key", f"{works}; {keys.by} keeps {keys.taken[0]}", f"use {keys.working[0]}"
        )
    return Finding(Level.OK, "kill key", works)


def kill_keys_here(environment: Mapping[str, str]) -> KillKeys:
    """Find out which kill keys get through; asks tmux (some ms) when inside one."""
    if environment.get("TMUX"):
        bindings, prefixes = _ask_tmux("list-keys", "-T", "root"), _ask_tmux("show-options", "-g")
        if bindings is None or prefixes is None:
            return _without((), "tmux", "tmux does not answer")
        return _without(taken_in_tmux(bindings, prefixes), "tmux")
    if environment.get("STY"):
        return _without(taken_in_screen(_screenrc()), "screen")
    if environment.get("TERM", "").startswith(("tmux", "screen")):
        return _without((), "", "a tmux or screen on another machine may keep it: look at its root key table")
    return _without((), "")


def taken_in_tmux(bindings: str, options: str) -> tuple[str, ...]:
    """Give the kill keys tmux keeps, from its root key table and its global options.

    A key bound to sending itself gets through; one bound to a command that only sometimes sends it does not
    count as getting through.
    """
    kept = {}
    for line in bindings.splitlines():
        match = _TMUX_BINDING.match(line.strip())
        if match:
            kept[match["key"].strip("'\"")] = match["command"].strip()
    found = re.findall(r"^prefix2?\s+(\S+)", options, flags=re.MULTILINE)
    return tuple(
        shown
        for shown, (name, _) in _KEYS.items()
        if name in found or (name in kept and kept[name] != f"send-keys {name}")
    )


def taken_in_screen(settings: str) -> tuple[str, ...]:
    """Give the kill keys screen keeps, from the text of .screenrc: its command key, and bound keys."""
    taken = []
    for shown, (_, name) in _KEYS.items():
        quoted = rf"['\"]?{re.escape(name)}"
        if re.search(
            rf"^\s*(?:escape\s+|bindkey\s+(?:-\S+\s+)*){quoted}", settings, re.MULTILINE | re.IGNORECASE
        ):
            taken.append(shown)
    return tuple(taken)


def _without(taken: tuple[str, ...], by: str, unsure: str = "") -> KillKeys:
    return KillKeys(tuple(key for key in _KEYS if key not in taken), taken, by, unsure)


def _ask_tmux(*words: str) -> str | None:
    try:
        done = subprocess.run(["tmux", *words], capture_output=True, text=True, timeout=_ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _screenrc() -> str:
    try:
        return Path("~/.screenrc").expanduser().read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):
        return ""


def _colours(term: str, environment: Mapping[str, str]) -> str:
    if environment.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environment.get("COLORTERM", "") in ("truecolor", "24bit"):
        return "16 million colours"
    return "256 colours" if "256" in term else "16 colours"
