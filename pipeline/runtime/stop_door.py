"""The stop door: a socket of its own by which a supervisor's group may look, halt and kill, and nothing else.

`HOME/stop/NAME.sock`, 0660 and of the group, in a directory the group may read (0750); the state directory
itself becomes enterable for it (0710). The session's own directory stays 0700: neither its gate nor its link
is reached by this way. Who comes is known by the kernel (SO_PEERCRED, SO_PEERGROUPS), not by what they say.
One line of JSON asks, one answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pwd
import socket
import stat
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.private_dirs import PlacesError, check_private_dir, make_private_dir
from pipeline.runtime.unix_socket import bind_unix_socket, peer_groups, peer_of

STOP_DIR = "stop"
_DOOR_DIR_MODE, _SOCKET_MODE = 0o750, 0o660
_MOST_BYTES = 4_096
_MOST_GUESTS = 8
_PATIENCE_S = 10.0


class DoorAsk(msgspec.Struct, frozen=True):
    """What a guest asks for."""

    what: Literal["status", "halt", "kill", "agree"]
    """`agree` lets the owner release a kill by a limit: the second person's word."""


class DoorAnswer(msgspec.Struct, frozen=True):
    """What became of it."""

    ok: bool
    text: str
    confirmed: bool = False
    """True when the venue has no order of ours left after a kill."""


class DoorHost(Protocol):
    """What the session does for its guests; `who` is the kernel's word."""

    def stop_by(self, who: str, *, kill: bool) -> None:
        """Close the gate, and latch it for a kill."""
        ...

    def stop_status(self) -> DoorAnswer:
        """Say how the session stands, in one line."""
        ...

    def agree_to_release(self, uid: int, who: str) -> DoorAnswer:
        """Take a second person's word that a kill may be released."""
        ...


class StopDoor:
    """Listens on one session's door."""

    def __init__(self, host: DoorHost, home: Path, name: str, kill_gid: int, release_gid: int = -1) -> None:
        """Prepare; `release_gid` may agree to a release as well, -1 for nobody."""
        self._host = host
        self._home = home
        self.path = home / STOP_DIR / f"{name}.sock"
        self._kill_gid = kill_gid
        self._release_gid = release_gid
        self._server: asyncio.Server | None = None
        self._guests = 0
        self.refused = 0

    async def start(self, lock: InstanceLock) -> None:
        """Open the directories for the group and listen.

        Raises:
            PlacesError: a directory is not private, has another group, or cannot be given to this one.
        """
        open_for_group(self._home, self._kill_gid)
        listener = bind_unix_socket(self.path, lock)
        try:
            _give(self.path, self._kill_gid, _SOCKET_MODE)
        except PlacesError:
            listener.close()
            raise
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=_MOST_BYTES)

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest: socket.socket = writer.get_extra_info("socket")
        uid, groups = peer_of(guest).uid, peer_groups(guest)
        allowed = uid in (0, os.getuid()) or self._kill_gid in groups
        if not allowed or self._guests >= _MOST_GUESTS:
            self.refused += 1
            writer.close()
            return
        self._guests += 1
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while line := await reader.readline():
                    answer = self._answer(msgspec.json.decode(line, type=DoorAsk), uid, groups)
                    writer.write(msgspec.json.encode(answer) + b"\n")
                    await writer.drain()
        except (msgspec.MsgspecError, ConnectionError, TimeoutError, ValueError):
            pass  # who talks nonsense, or nothing, is shown out; the session goes on
        finally:
            self._guests -= 1
            writer.transport.abort()

    def _answer(self, ask: DoorAsk, uid: int, groups: frozenset[int]) -> DoorAnswer:
        who = f"{_name_of(uid)} (kill group)"
        match ask.what:
            case "status":
                return self._host.stop_status()
            case "agree" if self._release_gid not in groups or uid == os.getuid():
                return DoorAnswer(False, "only another person, of access.release_group, may agree")
            case "agree":
                return self._host.agree_to_release(uid, who)
            case "halt" | "kill":
                self._host.stop_by(who, kill=ask.what == "kill")
                return self._host.stop_status()


def open_for_group(home: Path, gid: int) -> None:
    """Let a group enter the state directory and read its stop directory; nothing else of it changes.

    Raises:
        PlacesError: a directory others may write to, one another group has rights on, or no right to give it.
    """
    check_private_dir(home)
    status = home.stat()
    if status.st_mode & stat.S_IRWXG and status.st_gid != gid:
        raise PlacesError(f"refusing {home} for access.kill_group: group {status.st_gid} has rights on it")
    _give(home, gid, stat.S_IMODE(status.st_mode) & ~stat.S_IRWXG | stat.S_IXGRP)
    make_private_dir(home / STOP_DIR)
    _give(home / STOP_DIR, gid, _DOOR_DIR_MODE)


def closed_to(home: Path, gid: int) -> Path | None:
    """Give the first directory above `home` the group cannot enter; None where all are open to it."""
    for directory in reversed(home.parents):
        status = directory.stat()
        by_group = status.st_gid == gid and status.st_mode & stat.S_IXGRP
        if not (status.st_mode & stat.S_IXOTH or by_group):
            return directory
    return None


def group_id(name: str) -> int:
    """Give the id of a group this user may give files to.

    Raises:
        PlacesError: there is no such group, or this user is no member of it.
    """
    try:
        gid = grp.getgrnam(name).gr_gid
    except KeyError:
        raise PlacesError(f"no group named {name!r}") from None
    if os.geteuid() != 0 and gid not in (os.getegid(), *os.getgroups()):
        raise PlacesError(f"you are no member of the group {name!r}, so you cannot open a door for it")
    return gid


def _give(path: Path, gid: int, mode: int) -> None:
    try:
        os.chown(path, -1, gid, follow_symlinks=False)
        path.chmod(mode)
    except OSError as problem:
        raise PlacesError(f"cannot give {path} to group {gid}: {problem.strerror}") from problem


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
