from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.runtime import places
from pipeline.runtime.journal_reader import verify_journal
from pipeline.runtime.journal_retention import prune_journals
from pipeline.runtime.locks import InstanceLock
from tests.fakes.journals import closed_journal, names


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))


def session(name: str, age_rank: int) -> places.SessionPlace:
    place = places.make_session(name)
    closed_journal(place.journal_dir, [os.urandom(1_000)] * 20)
    for path in place.journal_dir.iterdir():
        os.utime(path, ns=(age_rank * 10**9, age_rank * 10**9))
    return place


def disk_bytes(*sessions: places.SessionPlace) -> int:
    return sum(path.stat().st_blocks * 512 for place in sessions for path in place.journal_dir.iterdir())


def test_oldest_ended_session_goes_first_and_whole() -> None:
    newest, oldest, middle = session("a", 3), session("b", 1), session("c", 2)
    pruned = prune_journals(disk_bytes(newest, middle))
    assert pruned.removed == ("b",)
    assert names(oldest.journal_dir) == []
    assert pruned.kept_bytes == disk_bytes(newest, middle)
    assert verify_journal(middle.journal_dir).sound


def test_open_session_is_never_touched_even_above_the_limit() -> None:
    oldest, newer = session("a", 1), session("b", 2)
    size = disk_bytes(oldest)
    with InstanceLock.acquire(oldest.lock, "ann", 1):
        pruned = prune_journals(0)
    assert pruned.removed == ("b",)
    assert pruned.kept_bytes == size
    assert names(newer.journal_dir) == []
    assert verify_journal(oldest.journal_dir).sound


def test_nothing_goes_below_the_limit() -> None:
    place = session("a", 1)
    places.make_session("empty").journal_dir.rmdir()
    places.make_session("shared").root.chmod(0o777)
    assert prune_journals(disk_bytes(place)).removed == ()
