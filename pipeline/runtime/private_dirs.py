"""Directories only their owner can write: made with mode 0700, checked before use.

A session directory holds the gate and the sockets that can send orders; whoever can write there can trade.
So it is refused when it is a symbolic link, belongs to another user, or others may write to it. Halt and kill
alone go on in such a directory, with a warning: what can only stop must not be stopped by hygiene.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

PRIVATE_DIR_MODE = 0o700
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

Warn = Callable[[str], None]
"""Takes one line about a directory or file that would be refused otherwise; given, nothing is refused."""


class PlacesError(Exception):
    """A directory, name or socket cannot be used; the text is one line: what, where, what to do."""


def make_private_dir(path: Path, warn: Warn | None = None) -> bool:
    """Make `path` with mode 0700 whatever the umask, or check the one that is there; True when made.

    Missing parents are made the same way; parents that exist are not checked.

    Raises:
        PlacesError: when it cannot be made, or what is there fails `check_private_dir`.
    """
    if not path.parent.exists():
        make_private_dir(path.parent)
    if make_new_private_dir(path):
        return True
    check_private_dir(path, warn)
    return False


def make_new_private_dir(path: Path) -> bool:
    """Make `path` with mode 0700 whatever the umask; False when anything of that name exists.

    Raises:
        PlacesError: when it cannot be made.
    """
    try:
        os.mkdir(path, PRIVATE_DIR_MODE)
        os.chmod(path, PRIVATE_DIR_MODE)
    except FileExistsError:
        return False
    except OSError as problem:
        raise PlacesError(f"cannot make directory {path}: {problem.strerror}") from problem
    return True


def check_private_dir(path: Path, warn: Warn | None = None) -> None:
    """Accept a real directory of this user that nobody else can write.

    Raises:
        PlacesError: naming the path, what is wrong with it, and how to mend it.
    """
    os.close(open_private_dir(path, warn))


def open_private_dir(path: Path, warn: Warn | None = None) -> int:
    """Open a checked directory and give its descriptor; the caller closes it.

    The checks are made on the descriptor, so that nothing can be swapped in after them.

    Raises:
        PlacesError: as `check_private_dir`; with `warn` only what cannot be opened at all.
    """
    follow = 0 if warn is not None else os.O_NOFOLLOW
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | follow | os.O_CLOEXEC)
    except OSError as problem:
        link = "it is a symbolic link; " if path.is_symlink() else ""
        raise PlacesError(f"cannot use directory {path}: {link}{problem.strerror}") from problem
    trouble = _trouble(os.fstat(descriptor))
    if trouble and warn is not None:
        warn(f"directory {path}: {trouble}")
    elif trouble:
        os.close(descriptor)
        raise PlacesError(f"refusing directory {path}: {trouble}")
    return descriptor


def _trouble(status: os.stat_result) -> str:
    if status.st_uid != os.geteuid():
        return f"it belongs to uid {status.st_uid}, not to uid {os.geteuid()}; use another LOBDECK_HOME"
    if status.st_mode & _OTHERS_WRITE:
        return f"others can write to it (mode {stat.S_IMODE(status.st_mode):04o}); run chmod 700 on it"
    return ""
