from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.runtime.latch import Latch, LatchDir, LatchRecord

RECORD = LatchRecord("ann", "pts/1", "kill key", 1_000, 42)
SECOND = LatchRecord("bob", "pts/2", "kill from the shell", 1_001, 43)


class RacedLatchDir(LatchDir):
    """Runs `meanwhile` once, between the two steps of a release."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def _rename(self, source: str, target: str) -> None:
        super()._rename(source, target)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[RacedLatchDir]:
    made = RacedLatchDir(tmp_path)
    yield made
    made.detach()


def seen(place: LatchDir) -> Latch:
    latch = place.read()
    assert latch is not None
    return latch


def test_each_kill_adds_its_record(place: LatchDir) -> None:
    assert not place.present()
    assert place.read() is None
    assert place.engage(RECORD)
    assert place.engage(SECOND)
    assert seen(place).records == (RECORD, SECOND)


def test_latch_is_private(place: LatchDir, tmp_path: Path) -> None:
    place.engage(RECORD)
    assert (tmp_path / "KILL").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.touch(),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("/nowhere"),
        lambda path: os.mkfifo(path),
        lambda path: path.write_text("stop everything"),
    ],
    ids=["empty", "directory", "dangling link", "pipe", "note"],
)
def test_anything_named_kill_counts_and_can_be_released(
    place: LatchDir, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "KILL")
    assert place.present()
    assert place.engage(RECORD)
    assert place.remove(seen(place), 7)
    assert not place.present()


def test_released_latch_is_kept_beside(place: LatchDir, tmp_path: Path) -> None:
    place.engage(RECORD)
    assert place.remove(seen(place), 7)
    (kept,) = tmp_path.glob("KILL.released-7-*")
    assert b"kill key" in kept.read_bytes()


def test_kill_after_the_operator_looked_keeps_the_latch(place: LatchDir) -> None:
    place.engage(RECORD)
    shown = seen(place)
    place.engage(SECOND)
    assert not place.remove(shown, 7)
    assert seen(place).records == (RECORD, SECOND)


def test_kill_while_the_release_compares_makes_its_own_latch(place: RacedLatchDir) -> None:
    place.engage(RECORD)
    place.meanwhile = lambda: place.engage(SECOND)
    place.remove(seen(place), 7)
    assert seen(place).records == (SECOND,)


def test_latch_put_back_never_replaces_a_newer_one(place: RacedLatchDir) -> None:
    place.engage(RECORD)
    shown = seen(place)
    place.engage(SECOND)
    third = LatchRecord("cid", "", "third", 3, 44)
    place.meanwhile = lambda: place.engage(third)
    assert not place.remove(shown, 7)
    assert seen(place).records == (third,)


def test_kill_whose_file_was_just_released_makes_a_new_one(
    place: LatchDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.engage(RECORD)
    shown = seen(place)
    really = os.utime

    def release_first(descriptor: int, ns: tuple[int, int]) -> None:
        monkeypatch.setattr(os, "utime", really)
        assert place.remove(shown, 7)
        really(descriptor, ns=ns)

    monkeypatch.setattr(os, "utime", release_first)
    assert place.engage(SECOND)
    assert seen(place).records == (SECOND,)


def test_kill_on_a_full_disk_still_changes_what_a_release_was_shown(
    place: LatchDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.engage(RECORD)
    shown = seen(place)

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    assert place.engage(SECOND)
    assert not place.remove(shown, 7)
    assert place.present()


def test_release_of_a_latch_already_gone_is_fine(place: LatchDir) -> None:
    place.engage(RECORD)
    shown = seen(place)
    assert place.remove(shown, 7)
    assert place.remove(shown, 8)


def test_directory_that_is_gone_takes_no_latch(tmp_path: Path) -> None:
    (tmp_path / "session").mkdir()
    place = LatchDir(tmp_path / "session")
    (tmp_path / "session").rmdir()
    assert not place.engage(RECORD)
    assert not place.sync()
    place.detach()


def test_look_that_fails_counts_as_latched(place: LatchDir, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "stat", broken)
    assert place.present()
