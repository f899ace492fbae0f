"""What `lobdeck kill` and a console read out of a guard's report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.guard_wait import guard_words, has_guard, wait_for_guard
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.guard_report import (
    GUARD_LOCK_NAME,
    REPORT_NAME,
    GuardReport,
    read_report,
    write_report,
)
from pipeline.runtime.link_messages import PROTOCOL_VERSION, Hello
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.places import SessionPlace

ZERO = GuardReport(
    acts=True, phase="confirmed", confirmed=True, venue_ms=34_269_412, cancels_sent=7, foreign=1
)


@pytest.fixture
def place(tmp_path: Path) -> SessionPlace:
    tmp_path.chmod(0o700)
    gate = Gate.create(tmp_path)
    gate.close(Closer.SHELL, "ada", "", "kill", 1)
    gate.detach()
    return SessionPlace("one", tmp_path)


@contextmanager
def alive(place: SessionPlace) -> Iterator[None]:
    """A guard that lives, as far as its lock says."""
    with InstanceLock.acquire(place.root / GUARD_LOCK_NAME, "guard", 1):
        yield


def report(place: SessionPlace, **changes: object) -> None:
    import msgspec

    write_report(msgspec.structs.replace(ZERO, **changes), place.root)


def hello(place: SessionPlace) -> Hello:
    return Hello(PROTOCOL_VERSION, "0", "one", 1, str(place.root), True)


def test_confirmed_zero_names_the_venues_time_and_the_cancels(place: SessionPlace) -> None:
    report(place, generation=1)
    word = wait_for_guard(place)
    assert word.confirmed
    assert word.text == "NO ORDERS LEFT (venue 09:31:09.412 UTC), the guard sent 7 cancels; 1 foreign kept"
    assert guard_words(hello(place)) == (word.text, True)


def test_zero_of_an_earlier_kill_is_no_answer_to_this_one(place: SessionPlace) -> None:
    with alive(place):
        report(place, generation=0)
        word = wait_for_guard(place, timeout_s=0.05)
    assert not word.confirmed
    assert word.text.startswith("NOT CONFIRMED")


def test_zero_after_the_engines_end_holds_for_ever(place: SessionPlace) -> None:
    report(place, generation=0, engine="dead")
    assert wait_for_guard(place).confirmed


def test_guard_that_is_gone_without_a_zero_is_said_at_once(place: SessionPlace) -> None:
    report(place, generation=1, confirmed=False, phase="gave up")
    word = wait_for_guard(place)
    assert not word.confirmed
    assert "the guard is gone (gave up)" in word.text
    assert guard_words(hello(place)) == ("", False)


def test_guard_at_work_says_what_is_left_and_whether_the_venue_is_there(place: SessionPlace) -> None:
    with alive(place):
        report(place, confirmed=False, phase="cancelling", ours_left=3)
        assert guard_words(hello(place)) == ("The guard is cancelling: 3 left, venue out of reach.", False)
        word = wait_for_guard(place, timeout_s=0.0)
    assert word.text.endswith("venue out of reach, orders left 3; it goes on")


def test_session_without_a_guard_or_with_one_that_only_watches_has_none(place: SessionPlace) -> None:
    assert not has_guard(place)
    (place.root / "guard.json").write_bytes(b"rubbish")
    assert not has_guard(place)
    report(place, acts=False)
    assert not has_guard(place)
    assert guard_words(hello(place)) == guard_words(None) == ("", False)


@pytest.mark.parametrize("text", [b"{}", b'{"pid":1,"phase":"\xff"}', b'{"reason":' + b"[" * 100_000, b""])
def test_a_report_that_is_none_counts_for_nothing(tmp_path: Path, text: bytes) -> None:
    (tmp_path / REPORT_NAME).write_bytes(text)
    assert read_report(tmp_path) in (None, GuardReport())


def test_a_report_is_written_over_in_place_where_no_new_file_can_be(tmp_path: Path) -> None:
    first = GuardReport(pid=1, reason="x" * 90, phase="cancelling")
    write_report(first, tmp_path)
    length = (tmp_path / REPORT_NAME).stat().st_size
    (tmp_path / f"{REPORT_NAME}.{os.getpid()}").mkdir()
    for report in (GuardReport(pid=2, confirmed=True), first):
        write_report(report, tmp_path)
        assert read_report(tmp_path) == report
        assert (tmp_path / REPORT_NAME).stat().st_size == length
