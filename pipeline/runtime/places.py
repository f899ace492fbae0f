"""Where things live: one state directory, a directory per session and per account, the configuration.

    HOME/sessions/NAME/   journal/ gate KILL link.sock lock log summary.json
    HOME/accounts/ALIAS/  KILL lock
    HOME/records/         what sessions learned of models
    HOME/KILL             the sentinel: made by hand, it kills every session that has a guard

HOME is LOBDECK_HOME, else `.local/state/lobdeck` in the home the password database gives: never $HOME, which
differs under sudo and cron, and never XDG_RUNTIME_DIR, which is removed at the last logout.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.runtime.locks import LockOwner, hold_if_free, is_held, read_owner
from pipeline.runtime.private_dirs import (
    PlacesError,
    Warn,
    check_private_dir,
    make_new_private_dir,
    make_private_dir,
)
from pipeline.runtime.unix_socket import bind_unix_socket, connect_unix_socket, peer_of

__all__ = [
    "AccountPlace",
    "PlacesError",
    "SessionEntry",
    "SessionPlace",
    "account_place",
    "bind_unix_socket",
    "check_name",
    "config_dir",
    "connect_unix_socket",
    "home_dir",
    "list_sessions",
    "make_session",
    "new_session_name",
    "peer_of",
    "remove_stale_socket",
    "sentinel_path",
    "session_place",
]

HOME_VARIABLE = "LOBDECK_HOME"
MAX_NAME = 32
_NAME = re.compile(rf"[a-z0-9-]{{1,{MAX_NAME}}}")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_NUMBERED_ATTEMPTS = 1_000


@dataclass(frozen=True, slots=True)
class SessionPlace:
    """Paths of one session; every one of them is inside `root`, which is 0700."""

    name: str
    root: Path

    @property
    def journal_dir(self) -> Path:
        """Directory of the journal's segments."""
        return self.root / "journal"

    @property
    def gate(self) -> Path:
        """The memory-mapped gate."""
        return self.root / "gate"

    @property
    def latch(self) -> Path:
        """The latch file; its existence is KILL."""
        return self.root / "KILL"

    @property
    def link_socket(self) -> Path:
        """Socket the consoles connect to."""
        return self.root / "link.sock"

    @property
    def lock(self) -> Path:
        """One-instance lock, held by the session's process as long as it lives; holds its pid."""
        return self.root / "lock"

    @property
    def log(self) -> Path:
        """Output of the session's processes."""
        return self.root / "log"

    @property
    def summary(self) -> Path:
        """Summary of the newest run, there once it has ended in order."""
        return self.root / "summary.json"


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """Paths of one trading account, shared by all sessions that trade it."""

    alias: str
    root: Path

    @property
    def latch(self) -> Path:
        """The latch file of LIVE; its existence is KILL for every session of the account."""
        return self.root / "KILL"

    @property
    def lock(self) -> Path:
        """One-instance lock of the account."""
        return self.root / "lock"


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """One row of `sessions`: a directory under sessions/ and whether its process lives."""

    place: SessionPlace
    alive: bool
    owner: LockOwner | None
    """Who holds the session, or held it last."""
    trouble: str
    """Why the directory was refused; empty when it is sound. A refused one is never alive."""


def home_dir(warn: Warn | None = None) -> Path:
    """Give the state directory, made if missing; with `warn` one that is not private is used all the same.

    Raises:
        PlacesError: when LOBDECK_HOME is not absolute, this uid has no home, or the directory is not private.
    """
    chosen = os.environ.get(HOME_VARIABLE, "")
    if chosen and not os.path.isabs(chosen):
        raise PlacesError(f"{HOME_VARIABLE}={chosen} is not an absolute path; write it from / on")
    home = Path(os.path.realpath(chosen)) if chosen else _passwd_home() / ".local" / "state" / "lobdeck"
    make_private_dir(home, warn)
    return home


def config_dir() -> Path:
    """Give `~/.config/lobdeck` of the password database's home; it is not made here."""
    return _passwd_home() / ".config" / "lobdeck"


def models_dir() -> Path:
    """Give where trained models are kept, `NAME/VERSION/NAME.onnx`; it is not made here."""
    return home_dir() / "models"


def records_dir() -> Path:
    """Give where sessions keep what they learned of models (`model_records.py`); it is not made here."""
    return home_dir() / "records"


def check_name(name: str, what: str = "session name") -> str:
    """Give `name` back when it is 1 to 32 characters of a-z, 0-9 and `-`.

    Raises:
        PlacesError: otherwise.
    """
    if not _NAME.fullmatch(name):
        raise PlacesError(f"{what} {name!r} must be 1 to {MAX_NAME} characters of a-z, 0-9 and -")
    return name


def sentinel_path() -> Path:
    """Give the sentinel file: as long as it is there, every guard holds its session killed.

    Raises:
        PlacesError: when the state directory is refused.
    """
    return home_dir() / "KILL"


def session_place(name: str, warn: Warn | None = None) -> SessionPlace:
    """Give the paths of a session that exists, after checking its directory; `warn` as in `home_dir`.

    Raises:
        PlacesError: when the name is illegal, there is no such session, or its directory is refused.
    """
    root = _sessions_dir(warn) / check_name(name)
    if not os.path.lexists(root):
        raise PlacesError(f"no session named {name} in {root.parent}; `lobdeck sessions` lists them")
    check_private_dir(root, warn)
    return SessionPlace(name, root)


def make_session(name: str) -> SessionPlace:
    """Make a session's directory and its journal/, or check the ones that are there.

    Raises:
        PlacesError: when the name is illegal or a directory is refused.
    """
    place = SessionPlace(check_name(name), _sessions_dir() / name)
    make_private_dir(place.root)
    make_private_dir(place.journal_dir)
    return place


def new_session_name(prefix: str) -> str:
    """Reserve the next name `prefix-n` by making its directory, and give it.

    `prefix` is lowered and cut to fit; n is one more than the highest there is, so that no session meets the
    latch of an older one. Two callers never get the same name.

    Raises:
        PlacesError: when the directory cannot be made.
    """
    parent = _sessions_dir()
    stem = _NOT_IN_NAMES.sub("-", prefix.lower()).strip("-") or "session"
    stem = stem[: MAX_NAME - len(str(_NUMBERED_ATTEMPTS)) - 4].strip("-")
    numbered = re.compile(rf"{re.escape(stem)}-([0-9]{{1,6}})")
    taken = [int(match[1]) for entry in os.listdir(parent) if (match := numbered.fullmatch(entry))]
    first = max(taken, default=0) + 1
    for number in range(first, first + _NUMBERED_ATTEMPTS):
        name = f"{stem}-{number}"
        if make_new_private_dir(parent / name):
            make_private_dir(parent / name / "journal")
            return name
    raise PlacesError(f"no free name {stem}-n in {parent}; remove old sessions")


def account_place(alias: str) -> AccountPlace:
    """Give the paths of an account, making its directory if missing.

    Raises:
        PlacesError: when the alias is illegal or a directory is refused.
    """
    root = home_dir() / "accounts" / check_name(alias, "account alias")
    make_private_dir(root.parent)
    make_private_dir(root)
    return AccountPlace(alias, root)


def list_sessions(warn: Warn | None = None) -> tuple[SessionEntry, ...]:
    """Give every session by name; one refused directory does not hide the others; `warn` as in `home_dir`.

    Raises:
        PlacesError: when the state directory itself is refused.
    """
    parent = _sessions_dir(warn)
    return tuple(_entry(SessionPlace(name, parent / name), warn) for name in sorted(os.listdir(parent)))


def remove_stale_socket(place: SessionPlace) -> bool:
    """Remove the link socket of a session nobody runs; False when somebody holds it or there is none."""
    lock = hold_if_free(place.lock)
    if lock is None:
        return False
    with lock, contextlib.suppress(FileNotFoundError):
        place.link_socket.unlink()
        return True
    return False


def _entry(place: SessionPlace, warn: Warn | None) -> SessionEntry:
    try:
        check_name(place.name)
        check_private_dir(place.root, warn)
        alive = is_held(place.lock)
    except PlacesError as problem:
        return SessionEntry(place, alive=False, owner=None, trouble=str(problem))
    except OSError as problem:
        return SessionEntry(place, alive=False, owner=None, trouble=f"{place.lock}: {problem.strerror}")
    return SessionEntry(place, alive, read_owner(place.lock), trouble="")


def _sessions_dir(warn: Warn | None = None) -> Path:
    sessions = home_dir(warn) / "sessions"
    make_private_dir(sessions, warn)
    return sessions


def _passwd_home() -> Path:
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        raise PlacesError(
            f"uid {os.geteuid()} is not in the password database; set {HOME_VARIABLE}"
        ) from None
