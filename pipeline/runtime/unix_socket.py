"""Unix sockets without a path limit, mode 0600, and the kernel's word on who is at the other end.

A socket address holds 107 bytes; `/proc/self/fd/N/NAME` reaches any directory with far fewer. The abstract
namespace is never used: it has no owner.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.private_dirs import PlacesError, Warn, open_private_dir

_CREDENTIALS = struct.Struct("3i")
_SO_PEERGROUPS = 59
"""Linux 4.13 and later; the module `socket` has no name for it."""
_MOST_GROUPS_BYTES = 1_024
"""The most Python asks for; of who is in more than 256 groups only the first is known."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Credentials of the process at the other end, as it had them when it connected."""

    pid: int
    uid: int
    gid: int


def bind_unix_socket(path: Path, lock: InstanceLock | None = None) -> socket.socket:
    """Bind a stream socket of mode 0600 at `path`; the caller listens on it.

    A socket left by a dead session is removed only for the holder of the session's `lock`, and only when
    nobody answers on it.

    Raises:
        PlacesError: when the directory is not private, or the path is taken.
    """
    with _inside(path) as short:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if lock is not None and lock.held:
                _remove_unanswered(short, path)
            # The kernel makes the socket's file with the mode of the socket itself: no moment with another.
            os.fchmod(listener.fileno(), 0o600)
            listener.bind(short)
        except OSError as problem:
            listener.close()
            raise PlacesError(f"cannot bind {path}: {problem.strerror}") from problem
        except PlacesError:
            listener.close()
            raise
    return listener


def connect_unix_socket(path: Path, warn: Warn | None = None) -> socket.socket:
    """Connect a stream socket to the one at `path`, in blocking mode.

    Raises:
        PlacesError: when the directory is not private (with `warn` that is no reason), or nobody listens.
    """
    with _inside(path, warn) as short:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            client.connect(short)
        except OSError as problem:
            client.close()
            raise PlacesError(f"cannot connect to {path}: {problem.strerror}") from problem
    return client


def peer_of(connection: socket.socket) -> Peer:
    """Ask the kernel who connected (SO_PEERCRED)."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(raw))


def peer_groups(connection: socket.socket) -> frozenset[int]:
    """Ask the kernel for the groups of who connected (SO_PEERCRED, SO_PEERGROUPS)."""
    groups = {peer_of(connection).gid}
    with contextlib.suppress(OSError):
        raw = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS_BYTES)
        groups.update(one for (one,) in struct.iter_unpack("=I", raw[: len(raw) // 4 * 4]))
    return frozenset(groups)


@contextlib.contextmanager
def _inside(path: Path, warn: Warn | None = None) -> Iterator[str]:
    descriptor = open_private_dir(path.parent, warn)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def _remove_unanswered(short: str, path: Path) -> None:
    try:
        status = os.lstat(short)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise PlacesError(f"cannot bind {path}: something that is no socket is in the way; move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex(short) == 0:
            raise PlacesError(f"cannot bind {path}: another process answers there")
    os.unlink(short)
