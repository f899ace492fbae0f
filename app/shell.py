"""The gate of a session from any shell: halt, kill, release; which session is meant; status.

These commands read no configuration and load no terminal library, so that they work when those are broken.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import sys
import time
from collections.abc import Iterable
from typing import Any

from app.guard_wait import has_guard, wait_for_guard
from app.last_summary import (
    UNCONFIRMED,
    died_words,
    ended_words,
    last_summary,
    log_words,
    may_have_left_orders,
    position_words,
)
from app.link_call import NoAnswerError, ask_status
from pipeline.core.kill_progress import RELEASED
from pipeline.runtime.gate import Closer, Gate, GateError
from pipeline.runtime.gate_state import GateState
from pipeline.runtime.guard_report import GUARD_LOCK_NAME
from pipeline.runtime.locks import is_held
from pipeline.runtime.places import PlacesError, SessionPlace, list_sessions, session_place
from pipeline.runtime.private_dirs import Warn
from pipeline.runtime.release_policy import release_refusal

KILL_CONFIRM_S = 5.0
ASK_EVERY_S = 0.05
NOT_CONFIRMED = 3


class ShellError(Exception):
    """The command cannot do what was asked; one line says what and the mend."""


def operator() -> str:
    """Give who is acting: the login name and, over SSH, the client's address."""
    client = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return f"{name}@{client}" if client else name


def controlling_tty() -> str:
    """Give the terminal of this process; empty without one."""
    for descriptor in (0, 1, 2):
        try:
            return os.ttyname(descriptor)
        except OSError:
            continue
    return ""


def require_terminal() -> None:
    """Check, before anything is started for a console, that it can be shown.

    Raises:
        ShellError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ShellError("no terminal here: use --headless, or `lobdeck attach` from one")


class Warner:
    """Says on stderr, each once, what a halt or kill does not let stop it."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, line: str) -> None:
        """Say one line."""
        if line not in self._said:
            self._said.add(line)
            sys.stderr.write(f"lobdeck: warning: {line} (closing all the same)\n")


def targets(name: str | None, warn: Warn | None = None, *, dead: bool = False) -> list[SessionPlace]:
    """Give the session named, or every session that lives; with `warn` an odd directory is no reason.

    With `dead` those that died come too, where orders may be left at the venue.

    Raises:
        ShellError: there is none.
    """
    if name is not None:
        return [session_place(name, warn)]
    entries = [entry for entry in list_sessions(warn) if not entry.trouble or entry.alive]
    found = [one.place for one in entries if one.alive or (dead and may_have_left_orders(one.place))]
    if not found:
        raise ShellError("no session is running; `lobdeck sessions` lists what there was")
    return found


def halt(places: Iterable[SessionPlace], warn: Warn | None = None) -> tuple[list[str], bool]:
    """Close each gate; give a line for each, and whether all of them are closed."""
    warn = warn or Warner()
    results = [_close(place, "halt from the shell", warn, latch=False) for place in places]
    return [line for line, _ in results], all(closed for _, closed in results)


def kill(places: Iterable[SessionPlace], warn: Warn | None = None) -> tuple[list[str], bool]:
    """Close and latch each gate first, then wait until each session reports zero orders.

    Gives a line for each, and whether all of them confirmed. A gate that cannot be closed keeps none of the
    others open.
    """
    chosen, warn = list(places), warn or Warner()
    results = [_close(place, "kill from the shell", warn, latch=True) for place in chosen]
    alive = {entry.place.name for entry in list_sessions(warn) if entry.alive}
    lines, confirmed = [], True
    for place, (line, closed) in zip(chosen, results, strict=True):
        if closed:
            words, closed = _confirmation(place, alive=place.name in alive)
            line += f"; {words}"
            position = _position(place, alive=place.name in alive)
            line += f"; {position}" if position else ""
        lines.append(line)
        confirmed = confirmed and closed
    return lines, confirmed


def gate_now(place: SessionPlace) -> GateState:
    """Give a session's gate as it stands now."""
    gate = Gate.attach(place.root)
    try:
        return gate.state()
    finally:
        gate.detach()


def release(
    place: SessionPlace, reason: str = "", *, unconfirmed: bool = False, seen: GateState | None = None
) -> str:
    """Take back what closed a gate and show it; leads to HALTED, never further.

    Only what `seen` holds is taken back, as a person was shown it: what closed the gate since then stands.
    Without it that is what stands now. `unconfirmed` puts on the record that a person's look at the venue
    stands in for its zero. The gate of a session that does not run is closed again, as a halt: its next
    start is HALTED too.

    Raises:
        ShellError: it may not be released yet, or was closed again meanwhile.
    """
    gate = Gate.attach(place.root)
    try:
        state = seen or gate.state()
        refusal = release_refusal(gate, state, reason, time.time_ns())
        if refusal:
            raise ShellError(f"{place.name} not released: {refusal}")
        shown = {record.closer: record.generation for record in state.closers}
        who, tty = operator(), controlling_tty()
        by = f"{UNCONFIRMED} release" if unconfirmed else "release from the shell"
        words = f"{by}: {reason}" if reason else by
        result = gate.release(
            shown, who, tty, words, time.time_ns(), latches=state.latches, kills=state.kills
        )
        runs = is_held(place.lock)
        if result.open and not runs:
            gate.close(Closer.SHELL, who, tty, "released while not running", time.time_ns())
    finally:
        gate.detach()
    if result.busy:
        raise ShellError(f"another release of {place.name} is running; try again")
    if not result.open:
        raise ShellError(f"{place.name} was closed again meanwhile; look at it and release once more")
    if not runs:
        return f"{place.name}: released; it is not running, its next start is HALTED until `:resume`"
    after = f"HALTED, {RELEASED}" if state.latched else "HALTED until `:resume`"
    return f"{place.name}: released; the session is {after}"


def one_running(name: str | None) -> SessionPlace:
    """Give the session named, or the only one that lives.

    Raises:
        ShellError: there is none, or there are several and none was named.
    """
    places = targets(name)
    if len(places) > 1:
        names = ", ".join(place.name for place in places)
        raise ShellError(f"{len(places)} sessions are running: {names}; name one")
    return places[0]


def attachable(name: str | None) -> SessionPlace:
    """Give the session a console can join: the one named, or the only one that lives.

    Raises:
        ShellError: there is none, several and none was named, or it has ended.
    """
    place = one_running(name)
    if is_held(place.lock):
        return place
    if place.summary.exists():
        how = f"has ended (summary: {place.summary})"
    else:
        how = f"is gone: its process ended without a word{log_words(place)}"
    raise ShellError(f"session {place.name} {how}; `lobdeck sessions` lists those that run")


def status(name: str | None) -> dict[str, Any]:
    """Give the summary of a session as it stands, or the last one of a session that has ended.

    Raises:
        ShellError: no session, several and none named, it does not answer, or it died without a summary.
    """
    place = one_running(name)
    if not is_held(place.lock):
        last = last_summary(place)
        if last is None:
            raise ShellError(died_words(place))
        return last
    try:
        content: dict[str, Any] = json.loads(ask_status(place))
    except (NoAnswerError, PlacesError) as problem:
        raise ShellError(f"{problem}{log_words(place)}") from problem
    return content


def _close(place: SessionPlace, reason: str, warn: Warn, *, latch: bool) -> tuple[str, bool]:
    """Close one gate; give the line that says so, and whether it is closed."""
    try:
        gate = Gate.attach(place.root, warn)
    except GateError as problem:
        return f"{place.name}: NOT CLOSED: {problem}", False
    who, tty, now_ns = operator(), controlling_tty(), time.time_ns()
    try:
        gate.close(Closer.SHELL, who, tty, reason, now_ns, kill=latch)
        latched = latch and gate.latch(who, tty, reason, now_ns)
        if latched:
            gate.sync_latch()
    finally:
        gate.detach()
    if latch and not latched:
        words = "KILLED, but the latch could not be written: it may not survive a restart"
    else:
        words = "KILLED and latched" if latch else "gate closed, HALTED"
    return f"{place.name}: {words}", True


def _confirmation(place: SessionPlace, *, alive: bool) -> tuple[str, bool]:
    """Say what is left at the venue, and whether that is nothing: by the guard, else by the session."""
    ended = None if alive or is_held(place.root / GUARD_LOCK_NAME) else ended_words(place)
    if ended is not None:
        return ended
    died = "died; " if not alive and may_have_left_orders(place) else ""
    if has_guard(place):
        word = wait_for_guard(place)
        return f"{'' if word.confirmed else died}{word.text}", word.confirmed
    if died:
        return f"{died}NOT CONFIRMED: no guard told of its orders; look at the venue's own page", False
    orders = _orders_left(place) if alive else 0
    return _orders_words(orders, alive=alive), orders == 0


def _position(place: SessionPlace, *, alive: bool) -> str:
    """Say the position a session holds or left, as far as it is known; empty while flat."""
    if not alive:
        return position_words(last_summary(place))
    try:
        return position_words(json.loads(ask_status(place, timeout_s=0.5, warn=_unsaid)))
    except (NoAnswerError, PlacesError):
        return position_words(None)


def _orders_left(place: SessionPlace) -> int | None:
    """Give our open orders as the session reports them once it has acted on the close.

    None where it never said: neither silence nor an answer from before the kill is zero.
    """
    deadline_s = time.monotonic() + KILL_CONFIRM_S
    orders: int | None = None
    while time.monotonic() < deadline_s and orders != 0:
        if _is_acknowledged(place):
            with contextlib.suppress(NoAnswerError, PlacesError):
                orders = json.loads(ask_status(place, timeout_s=0.5, warn=_unsaid))["open_orders"]
        if orders != 0:
            time.sleep(ASK_EVERY_S)
    return orders


def _unsaid(_: str) -> None:
    """Say nothing: it was said when the gate was closed."""


def _is_acknowledged(place: SessionPlace) -> bool:
    gate = Gate.attach(place.root, _unsaid)
    try:
        return all(record.acknowledged for record in gate.state().closers)
    finally:
        gate.detach()


def _orders_words(orders: int | None, *, alive: bool) -> str:
    if not alive:
        return "not running, nothing works at a venue of its own"
    if orders is None:
        return "NOT CONFIRMED: the session has not acted on it"
    return "no orders left" if orders == 0 else f"NOT CONFIRMED: {orders} orders still open"
