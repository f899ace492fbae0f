"""The stop door: who comes in, what they may do, and which directories are refused for it."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import json
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.config import ConfigError
from app.door_groups import NOBODY, door_group
from app.stop_door import ask, home_of_another, stop_all
from pipeline.runtime import stop_door
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.private_dirs import PlacesError
from pipeline.runtime.stop_door import DoorAnswer, StopDoor, closed_to, group_id, open_for_group
from pipeline.runtime.unix_socket import Peer, peer_groups

KILLERS, RELEASERS = 54_321, 54_322
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


class Session:
    """A session that notes what its guests did."""

    def __init__(self) -> None:
        self.acts: list[tuple[str, str]] = []
        self.orders = 2

    def stop_by(self, who: str, *, kill: bool) -> None:
        self.acts.append((who, "kill" if kill else "halt"))
        self.orders = 0

    def stop_status(self) -> DoorAnswer:
        return DoorAnswer(True, f"{self.orders} orders open", confirmed=not self.orders)

    def agree_to_release(self, uid: int, who: str) -> DoorAnswer:
        self.acts.append((who, f"agree {uid}"))
        return DoorAnswer(True, "agreed")


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="door"))
    yield path
    shutil.rmtree(path)


@contextlib.asynccontextmanager
async def opened(home: Path, session: Session, gid: int, release_gid: int = -1) -> AsyncIterator[StopDoor]:
    door = StopDoor(session, home, "one", gid, release_gid)
    with InstanceLock.acquire(home / "lock", "ada", 1) as lock:
        await door.start(lock)
        try:
            yield door
        finally:
            door.close()


def said(path: Path, line: bytes) -> bytes:
    """Say one line at a door; give what comes back, nothing where it is shut."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as guest:
        guest.settimeout(2)
        guest.connect(str(path))
        with contextlib.suppress(ConnectionError):
            guest.sendall(line)
            return guest.recv(4_096)
    return b""


def as_guest(monkeypatch: pytest.MonkeyPatch, uid: int, *groups: int) -> None:
    monkeypatch.setattr(stop_door, "peer_of", lambda _: Peer(1, uid, 100))
    monkeypatch.setattr(stop_door, "peer_groups", lambda _: frozenset(groups))


def test_door_is_the_groups_and_nothing_else_of_the_home_is(home: Path) -> None:
    (home / "sessions").mkdir(0o700)

    async def look() -> None:
        async with opened(home, Session(), os.getgid()) as door:
            modes = {p: stat.S_IMODE(p.lstat().st_mode) for p in (home, door.path.parent, door.path)}
            assert list(modes.values()) == [0o710, 0o750, 0o660]
            assert all(p.lstat().st_gid == os.getgid() for p in modes)
            assert stat.S_IMODE((home / "sessions").stat().st_mode) == 0o700
        assert not door.path.exists()

    asyncio.run(look())


@pytest.mark.parametrize("mode", [0o720, 0o770, 0o702, 0o777])
def test_home_others_may_write_to_is_refused_and_left_as_it_is(home: Path, mode: int) -> None:
    home.chmod(mode)
    with pytest.raises(PlacesError, match="others can write to it"):
        open_for_group(home, os.getgid())
    assert stat.S_IMODE(home.stat().st_mode) == mode
    assert not (home / "stop").exists()


def test_home_another_group_has_rights_on_is_refused(home: Path) -> None:
    home.chmod(0o750)
    with pytest.raises(PlacesError, match=f"group {os.getgid()} has rights on it"):
        open_for_group(home, KILLERS)


def test_member_may_look_halt_and_kill_and_is_named_by_the_kernel(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session()
    as_guest(monkeypatch, 65_000, os.getgid())

    async def visit() -> None:
        async with opened(home, session, os.getgid()) as door:
            for what in ("status", "halt", "kill"):
                answer = await asyncio.to_thread(said, door.path, json.dumps({"what": what}).encode() + b"\n")
                assert json.loads(answer)["ok"] is True

    asyncio.run(visit())
    assert session.acts == [("uid 65000 (kill group)", "halt"), ("uid 65000 (kill group)", "kill")]


RUBBISH = [
    *(json.dumps({"what": what}).encode() for what in ("release", "resume", "flatten", "attach", "FLATTEN")),
    *(b"", b"{}", b"[]", b"\xff\xfe", b'{"what":7}', b"x" * 9_000, b"[" * 4_000, b'{"what":"kill"'),
]


@pytest.mark.parametrize("line", RUBBISH, ids=range(len(RUBBISH)))
def test_anything_else_shows_a_member_out_and_does_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    session = Session()
    as_guest(monkeypatch, 65_000, os.getgid())

    async def visit() -> None:
        async with opened(home, session, os.getgid()) as door:
            assert await asyncio.to_thread(said, door.path, line + b"\n") == b""
            assert await asyncio.to_thread(said, door.path, b'{"what":"status"}\n')

    asyncio.run(visit())
    assert session.acts == []


def test_stranger_whom_a_wrong_mode_let_in_is_shown_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    as_guest(monkeypatch, 65_000, KILLERS)

    async def visit() -> None:
        async with opened(home, session, os.getgid()) as door:
            assert await asyncio.to_thread(said, door.path, b'{"what":"kill"}\n') == b""
            assert door.refused == 1

    asyncio.run(visit())
    assert session.acts == []


@pytest.mark.parametrize(
    ("uid", "groups", "agreed"),
    [(65_000, (RELEASERS,), True), (65_000, (), False), (os.getuid(), (RELEASERS,), False)],
)
def test_only_another_person_of_the_release_group_may_agree(
    home: Path, monkeypatch: pytest.MonkeyPatch, uid: int, groups: tuple[int, ...], agreed: bool
) -> None:
    session = Session()
    as_guest(monkeypatch, uid, os.getgid(), *groups)

    async def visit() -> None:
        async with opened(home, session, os.getgid(), RELEASERS) as door:
            answer = await asyncio.to_thread(said, door.path, b'{"what":"agree"}\n')
            assert json.loads(answer)["ok"] is agreed

    asyncio.run(visit())
    assert bool(session.acts) is agreed


def test_kill_by_the_door_is_confirmed_by_the_session_and_names_it(home: Path) -> None:
    session = Session()

    async def visit() -> None:
        async with opened(home, session, os.getgid()):
            lines, done = await asyncio.to_thread(stop_all, home, None, "kill")
            assert (lines, done) == (["one: 0 orders open"], True)

    asyncio.run(visit())


def test_door_nobody_answers_at_is_no_kill(home: Path) -> None:
    (home / "stop").mkdir()
    with pytest.raises(PlacesError, match="no session with a stop door"):
        stop_all(home, None, "kill")
    lines, done = stop_all(home, "gone", "kill")
    assert lines[0].startswith("gone: NOT DONE")
    assert not done


def test_groups_are_checked_before_a_session_starts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(home / "closed" / "state"))
    mine = grp.getgrgid(os.getgid()).gr_name
    assert door_group("", "access.kill_group") == NOBODY
    with pytest.raises(ConfigError, match=r"access.kill_group: no group named 'no-such-group'"):
        door_group("no-such-group", "access.kill_group")
    (home / "closed").mkdir(0o700)
    home.chmod(0o711)
    (home / "closed").chmod(0o700)
    with pytest.raises(ConfigError, match=r"access.kill_group: members of .* cannot enter .*closed"):
        door_group(mine, "access.kill_group")
    (home / "closed").chmod(0o711)
    assert door_group(mine, "access.kill_group") == group_id(mine)
    assert closed_to(home / "closed" / "state", os.getgid()) is None


def test_own_home_needs_no_door(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(home))
    assert home_of_another() is None
    monkeypatch.setattr("os.geteuid", lambda: 65_000)
    assert home_of_another() == home


def test_kernel_names_our_own_groups() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_groups(ours) == {os.getgid(), *os.getgroups()}


def become(uid: int, groups: list[int], door: Path) -> str:
    """Ask for a kill as another user, in a process of its own; give its answer."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups(groups)
        os.setgid(65_000)
        os.setuid(uid)
        os.write(writes, ask(door, "kill").text.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writes)
    with os.fdopen(reads) as answer:
        return answer.read()


@root_only
@pytest.mark.parametrize(("groups", "kills"), [([KILLERS], 1), ([RELEASERS], 0), ([], 0)])
def test_real_user_gets_in_by_the_group_alone(home: Path, groups: list[int], kills: int) -> None:
    session = Session()

    async def visit() -> None:
        async with opened(home, session, KILLERS) as door:
            answer = await asyncio.to_thread(become, 65_001, groups, door.path)
            assert ("orders open" in answer) is bool(kills), answer

    asyncio.run(visit())
    assert session.acts == [("uid 65001 (kill group)", "kill")] * kills
