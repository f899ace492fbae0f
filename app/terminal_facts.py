"""What this terminal can show, how fast, and which kill key reaches us through tmux."""

from __future__ import annotations

from collections.abc import Mapping

from app.doctor_terminal import kill_keys_here

LOCAL_HZ = 10.0
SSH_HZ = 4.0
SLOW_HZ = 1.0

_ASCII_TERMINALS = ("linux", "dumb", "vt100", "vt102", "vt220")


def frame_rate(environment: Mapping[str, str], *, slow: bool) -> float:
    """Give the pictures a second that suit the link."""
    if slow:
        return SLOW_HZ
    return SSH_HZ if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY") else LOCAL_HZ


def plain_terminal(environment: Mapping[str, str]) -> bool:
    """Say whether only ASCII may be drawn: the Linux console, a dumb terminal, or no UTF-8."""
    if environment.get("TERM", "") in _ASCII_TERMINALS:
        return True
    chosen = [environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    locale = next((value for value in chosen if value), "C.UTF-8")
    return "utf" not in locale.lower()


def working_kill_key(environment: Mapping[str, str]) -> str:
    """Give the kill key that reaches us: tmux or screen may keep one for itself."""
    return next(iter(kill_keys_here(environment).working), "lobdeck kill")
