"""`lobdeck reconcile`: what a session found left from before, and a person's word on it, from any shell."""

from __future__ import annotations

import json
import time

from app import shell
from app.last_summary import log_words
from app.link_call import NoAnswerError, ask_start, ask_status
from pipeline.core.inputs import Command
from pipeline.runtime.locks import is_held
from pipeline.runtime.places import PlacesError, SessionPlace
from pipeline.runtime.start_words import start_lines

SETTLES_S = 5.0
_LOOK_S = 0.1
STILL_SHUT = "settled; nothing is armed until `:resume`"
BALANCES = "the books balance: nothing is left to settle"


def reconcile(name: str | None, act: Command | None) -> tuple[list[str], bool]:
    """Ask a session, act if wanted, wait a little; give what still differs, and whether nothing does.

    Raises:
        ShellError: no session, or several and none named, or it does not answer.
    """
    place = shell.one_running(name)
    if not is_held(place.lock):
        raise shell.ShellError(f"session {place.name} is not running; start it to reconcile")
    said: list[str] = []
    try:
        left = _left(place)
        if act is not None and left:
            result = ask_start(place, act, (shell.operator(), shell.controlling_tty()))
            said.append(result.text)
            left = _settled(place) if result.ok else left
            said += [] if left else [STILL_SHUT]
    except (NoAnswerError, PlacesError) as problem:
        raise shell.ShellError(f"{problem}{log_words(place)}") from problem
    return [*said, *(left or [BALANCES])], not left


def _settled(place: SessionPlace) -> list[str]:
    """Wait for the venue's answers; give what differs still."""
    deadline_s = time.monotonic() + SETTLES_S
    while (left := _left(place)) and time.monotonic() < deadline_s:
        time.sleep(_LOOK_S)
    return left


def _left(place: SessionPlace) -> list[str]:
    start = json.loads(ask_status(place))["start"]
    if not start["compared"] and start["session"]:
        return ["the venue has not told everything yet: ask again in a moment"]
    return start_lines(start)
