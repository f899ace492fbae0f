from __future__ import annotations

import os
import pwd
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.runtime import places
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.places import PlacesError, SessionPlace


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "state" / "lobdeck"))
    return tmp_path / "state" / "lobdeck"


def test_home_is_the_passwd_one_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = pwd.struct_passwd(("ann", "x", os.geteuid(), 0, "", str(tmp_path / "ann"), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: record)
    monkeypatch.delenv("LOBDECK_HOME")
    monkeypatch.setenv("HOME", "/elsewhere")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/0")
    assert places.home_dir() == tmp_path / "ann" / ".local" / "state" / "lobdeck"
    assert places.config_dir() == tmp_path / "ann" / ".config" / "lobdeck"


def test_relative_home_and_unknown_user_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", "state")
    with pytest.raises(PlacesError, match="not an absolute path"):
        places.home_dir()
    monkeypatch.delenv("LOBDECK_HOME")

    def unknown(_uid: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(PlacesError, match="set LOBDECK_HOME"):
        places.home_dir()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_directories_are_0700_whatever_the_umask(home: Path, umask: int) -> None:
    previous = os.umask(umask)
    try:
        place = places.make_session("demo-1")
        account = places.account_place("main")
    finally:
        os.umask(previous)
    for path in (home, home / "sessions", place.root, place.journal_dir, home / "accounts", account.root):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_names_of_files_are_where_other_versions_look_for_them(home: Path) -> None:
    place = places.make_session("demo-1")
    paths = (
        place.journal_dir,
        place.gate,
        place.latch,
        place.link_socket,
        place.lock,
        place.log,
        place.summary,
    )
    assert [path.name for path in paths] == [
        "journal",
        "gate",
        "KILL",
        "link.sock",
        "lock",
        "log",
        "summary.json",
    ]
    assert {path.parent for path in paths} == {home / "sessions" / "demo-1"}
    account = places.account_place("main")
    assert (account.latch, account.lock) == (account.root / "KILL", account.root / "lock")


@pytest.mark.parametrize("name", ["", "A", "a" * 33, "a/b", "..", "a b", "é", "a\n"])
def test_illegal_name_is_refused_before_any_path_is_made(home: Path, name: str) -> None:
    for call in (places.make_session, places.session_place, places.account_place):
        with pytest.raises(PlacesError, match="1 to 32 characters"):
            call(name)
    assert not (home / "sessions").exists() or os.listdir(home / "sessions") == []


def test_next_name_is_one_above_the_highest_even_with_holes(home: Path) -> None:
    assert places.new_session_name("Binance Spot/BTCUSDT") == "binance-spot-btcusdt-1"
    assert places.new_session_name("demo") == "demo-1"
    (home / "sessions" / "demo-7").mkdir(mode=0o700)
    (home / "sessions" / "demo-nope").mkdir(mode=0o700)
    assert places.new_session_name("demo") == "demo-8"
    assert places.session_place("demo-8").journal_dir.is_dir()


def test_long_and_empty_prefixes_still_give_legal_names() -> None:
    for prefix in ("x" * 100, "", "///"):
        assert places.check_name(places.new_session_name(prefix))


def test_names_taken_at_once_are_all_different() -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(places.new_session_name, ["demo"] * 32))
    assert len(set(names)) == 32


def test_unknown_session_is_named(home: Path) -> None:
    with pytest.raises(PlacesError, match=f"no session named ghost in {home}"):
        places.session_place("ghost")


def test_session_others_can_write_is_refused() -> None:
    place = places.make_session("demo-1")
    place.root.chmod(0o720)
    with pytest.raises(PlacesError, match=r"others can write .*mode 0720.*chmod 700"):
        places.session_place("demo-1")
    place.root.chmod(0o750)
    assert places.session_place("demo-1") == place


def test_session_that_is_a_link_is_refused(home: Path, tmp_path: Path) -> None:
    places.make_session("real")
    (home / "sessions" / "linked").symlink_to(home / "sessions" / "real")
    (home / "sessions" / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("linked", "dangling"):
        with pytest.raises(PlacesError, match="symbolic link"):
            places.session_place(name)
        with pytest.raises(PlacesError, match="symbolic link"):
            places.make_session(name)


def test_session_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    places.make_session("demo-1")
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(PlacesError, match=f"belongs to uid {mine}"):
        places.session_place("demo-1")


def test_home_below_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(PlacesError, match=r"cannot (make|use) directory"):
        places.home_dir()


def test_list_says_who_lives_and_does_not_stop_at_a_refused_one(home: Path) -> None:
    alive, dead = places.make_session("alive"), places.make_session("dead")
    places.make_session("open").root.chmod(0o777)
    (home / "sessions" / "Stray File").touch()
    InstanceLock.acquire(dead.lock, "bob", 1).release()
    places.make_session("odd").lock.symlink_to("/dev/null")
    with InstanceLock.acquire(alive.lock, "ann", 2):
        entries = {entry.place.name: entry for entry in places.list_sessions()}
    assert [(name, entry.alive) for name, entry in entries.items()] == [
        ("Stray File", False),
        ("alive", True),
        ("dead", False),
        ("odd", False),
        ("open", False),
    ]
    assert entries["alive"].owner is not None
    assert entries["alive"].owner.pid == os.getpid()
    assert "others can write" in entries["open"].trouble
    assert "symbolic links" in entries["odd"].trouble
    assert "1 to 32" in entries["Stray File"].trouble


def served(place: SessionPlace, lock: InstanceLock | None = None) -> socket.socket:
    listener = places.bind_unix_socket(place.link_socket, lock)
    listener.listen(1)
    return listener


def test_socket_works_below_a_path_longer_than_any_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / ("d" * 100) / ("e" * 100)))
    place = places.make_session("demo-1")
    assert len(str(place.link_socket)) > 108
    previous = os.umask(0)
    try:
        listener = served(place)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(place.link_socket.stat().st_mode) == 0o600
    with listener, places.connect_unix_socket(place.link_socket) as client:
        server, _ = listener.accept()
        with server:
            assert places.peer_of(server).pid == os.getpid()
            assert places.peer_of(server).uid == os.geteuid()
            client.sendall(b"halt")
            assert server.recv(16) == b"halt"


def test_stale_socket_goes_only_for_the_holder_of_the_lock() -> None:
    place = places.make_session("demo-1")
    served(place).close()
    with pytest.raises(PlacesError, match="Connection refused"):
        places.connect_unix_socket(place.link_socket)
    with pytest.raises(PlacesError, match="already in use"):
        places.bind_unix_socket(place.link_socket)
    with InstanceLock.acquire(place.lock, "ann", 1) as lock:
        assert not places.remove_stale_socket(place)
        served(place, lock).close()
    assert places.remove_stale_socket(place)
    assert not places.remove_stale_socket(place)
    assert not place.link_socket.exists()


def test_socket_somebody_answers_on_stays_even_with_the_lock() -> None:
    place = places.make_session("demo-1")
    with InstanceLock.acquire(place.lock, "ann", 1) as lock, served(place):
        with pytest.raises(PlacesError, match="another process answers"):
            places.bind_unix_socket(place.link_socket, lock)
        assert place.link_socket.exists()


def test_file_in_place_of_the_socket_is_not_removed() -> None:
    place = places.make_session("demo-1")
    place.link_socket.write_text("mine")
    with InstanceLock.acquire(place.lock, "ann", 1) as lock:
        with pytest.raises(PlacesError, match="no socket is in the way"):
            places.bind_unix_socket(place.link_socket, lock)
        assert place.link_socket.read_text() == "mine"


def test_socket_in_a_directory_others_can_write_is_refused() -> None:
    place = places.make_session("demo-1")
    place.root.chmod(0o777)
    with pytest.raises(PlacesError, match="others can write"):
        places.bind_unix_socket(place.link_socket)
    with pytest.raises(PlacesError, match="others can write"):
        places.connect_unix_socket(place.link_socket)
