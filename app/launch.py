"""Starts a session's process before the terminal is taken over, and waits until it answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.core.types import VenueMode
from pipeline.runtime.gate import Gate
from pipeline.runtime.guard_report import GUARD_LOCK_NAME, REPORT_NAME
from pipeline.runtime.locks import is_held, read_owner
from pipeline.runtime.places import (
    PlacesError,
    SessionPlace,
    account_place,
    connect_unix_socket,
    remove_stale_socket,
    sentinel_path,
)
from pipeline.runtime.spec import SPEC_NAME, SessionSpec, write_spec

START_S = 15.0
_LOOK_S = 0.01
_LOG_TAIL_BYTES = 2_000


class LaunchError(Exception):
    """The session did not start; the message says why and where its log is."""


def prepare_session(spec: SessionSpec, place: SessionPlace) -> None:
    """Write what the session's process will read: its spec and its gate.

    Raises:
        LaunchError: a session of this name runs; what it reads is left alone.
    """
    if is_held(place.lock):
        raise LaunchError(
            f"session {place.name} runs already: `lobdeck attach {place.name}`, or use another --name"
        )
    if is_held(place.root / GUARD_LOCK_NAME):
        raise LaunchError(
            f"the guard of the last run of {place.name} is still cancelling ({place.root / REPORT_NAME}); "
            "wait for it, or use another --name"
        )
    # Left by an earlier session of this name; nobody must take them for the new one's.
    remove_stale_socket(place)
    place.summary.unlink(missing_ok=True)
    (place.root / REPORT_NAME).unlink(missing_ok=True)
    try:
        write_spec(spec, place.root / SPEC_NAME)
    except OSError as problem:
        raise LaunchError(f"{place.root}: cannot be written to: {problem.strerror}") from problem
    Gate.create(place.root, latch_dir_of(spec)).detach()
    sentinel = sentinel_path()
    if os.path.lexists(sentinel):
        sys.stderr.write(
            f"lobdeck: the sentinel file {sentinel} is there: session {place.name} is KILLED until you remove"
            f" it and `lobdeck release {place.name}`\n"
        )


def latch_dir_of(spec: SessionSpec) -> Path | None:
    """Give the account's directory, whose latch stops every session of it; only LIVE has one."""
    if spec.orders is None or spec.params.mode is not VenueMode.LIVE:
        return None
    return account_place(spec.orders.account).root


def load_console() -> None:
    """Import what draws: a third of a second's work, best done while a session starts."""
    import app.attach_command  # noqa: F401  loaded for whoever imports it next


def start_session(
    spec: SessionSpec, place: SessionPlace, meanwhile: Callable[[], None] = lambda: None
) -> subprocess.Popen[bytes]:
    """Start the session's process, in a session of its own, with its output in its log.

    `meanwhile` is done between its start and the waiting for its answer.

    Raises:
        LaunchError: the session runs already, its process ended, or it did not listen within 15 s.
    """
    prepare_session(spec, place)
    with place.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipeline.runtime.session_main", str(place.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=child_environment(),
        )
    meanwhile()
    _wait_until_listening(process, place)
    return process


def child_environment() -> dict[str, str]:
    """Give the environment of a child: the modules must be found where this process found them."""
    root = str(Path(__file__).resolve().parent.parent)
    known = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, *(e for e in known if e != root)])}


def _wait_until_listening(process: subprocess.Popen[bytes], place: SessionPlace) -> None:
    """Wait until this very process holds the session's lock and listens; another's socket is not enough."""
    deadline_s = time.monotonic() + START_S
    while True:
        if process.poll() is not None:
            raise LaunchError(
                f"session {place.name} ended at once: {_last_line(place.log)} (log: {place.log})"
            )
        owner = read_owner(place.lock)
        if owner is not None and owner.pid == process.pid and _listens(place):
            return
        if time.monotonic() > deadline_s:
            process.kill()
            raise LaunchError(
                f"session {place.name} did not answer within {START_S:.0f} s (log: {place.log})"
            )
        time.sleep(_LOOK_S)


def _listens(place: SessionPlace) -> bool:
    """Say whether the session takes a console now; its socket is there a moment before it does."""
    try:
        connect_unix_socket(place.link_socket).close()
    except PlacesError:
        return False
    return True


def _last_line(log: Path) -> str:
    with log.open("rb") as lines:
        lines.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
        text = lines.read().decode("utf-8", "replace").strip()
    return text.splitlines()[-1] if text else "it said nothing"
