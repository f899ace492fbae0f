from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.runtime.locks import InstanceLock, LockHeldError, hold_if_free, is_held, read_owner, start_ticks


def test_second_holder_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with InstanceLock.acquire(path, "ann", 5) as lock:
        assert lock.held
        with pytest.raises(LockHeldError, match=rf"held by pid {os.getpid()} \(ann\)") as refusal:
            InstanceLock.acquire(path, "bob", 6)
        assert refusal.value.owner is not None
        assert refusal.value.owner.since_ns == 5
        assert hold_if_free(path) is None
    assert not lock.held


def test_released_lock_can_be_taken_and_names_its_last_owner(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    InstanceLock.acquire(path, "somebody with a long name", 5).release()
    assert not is_held(path)
    owner = read_owner(path)
    assert owner is not None
    assert owner.who == "somebody with a long name"
    with InstanceLock.acquire(path, "b", 6):
        assert is_held(path)
        newer = read_owner(path)
        assert newer is not None
        assert (newer.who, newer.pid, newer.start_ticks) == ("b", os.getpid(), start_ticks(os.getpid()))


def test_looking_does_not_take_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    assert not path.exists()
    tidy = hold_if_free(path)
    assert tidy is not None
    assert is_held(path)
    tidy.release()
    tidy.release()
    assert not is_held(path)


def test_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert read_owner(path) is None
    path.write_bytes(b'{"pid": 1')
    assert read_owner(path) is None


def test_link_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        InstanceLock.acquire(tmp_path / "lock", "ann", 5)


def test_process_that_is_not_there_has_no_start() -> None:
    assert start_ticks(2**22) == 0
    assert start_ticks(os.getpid()) > 0
