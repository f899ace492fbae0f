"""`lobdeck status` for a reader: the summary as lines, and a line a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import status_text
from app.link_call import NoAnswerError
from app.shell import ShellError
from app.status_text import status_line, watch_line, watch_status
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.places import make_session
from tests.fakes.summaries import summary


def test_summary_is_said_in_lines() -> None:
    assert status_line(summary()).splitlines() == [
        "REPLAY APPROVE ACTIVE  engine pid 4242  alerts 3",
        "market    frames 41,249  updates 3,449  trades 9,757  gaps 0  resyncs 0  crossed 0  refused 0",
        "book      BTCUSDT SYNCED at update 50093421584  bid 61685.99 (1.00870000)  "
        "ask 61686.00 (2.29327000)",
        "position  BTCUSDT 0.01000 at 61680.50000000  closed 1.25000000  open -0.50000000  fees 0.10000000",
        "orders    sent 3  open 2  fills 1  not sent: EDGE_BELOW_COST 6,498, SCORE_BELOW_ENTRY 1,610",
        "model     features 8,108  predictions 8,108  stale predictions 0  signals 6,498  ideas 0  permits 0",
        "workers   1/2 ready  served 8,108  restarts 2  125 MB",
        "latency   receive to features 23 us / 278 us, prediction 23 us / 278 us, decision 23 us / 15 ms, "
        "order - / -  (p50 / p99)",
    ]


def test_a_session_that_would_not_end_clean_says_so() -> None:
    assert status_line(summary(exit="killed")).splitlines()[0].endswith("would exit: killed")


def test_empty_book_no_workers_and_nothing_denied_are_said() -> None:
    empty = {"BTCUSDT": {"state": "EMPTY", "last_update_id": 0, "bids": [], "asks": []}}
    lines = status_line(summary(book=empty, workers=[], denied={})).splitlines()
    assert lines[2] == "book      BTCUSDT EMPTY at update 0  bid - (-)  ask - (-)"
    assert lines[4] == "orders    sent 3  open 2  fills 1"
    assert lines[6] == "workers   none"


def test_many_reasons_are_cut_after_the_commonest() -> None:
    denied = {f"CODE_{number}": number for number in range(1, 8)}
    line = status_line(summary(denied=denied)).splitlines()[4]
    assert line.endswith("not sent: CODE_7 7, CODE_6 6, CODE_5 5, CODE_4 4, 3 more")


def test_watching_prints_one_line_each_time() -> None:
    assert watch_line(summary(), 137.6) == (
        "REPLAY APPROVE ACTIVE  book SYNCED     138 frames/s  gaps 0  orders 3 open 2 fills 1"
        "  workers 1/2  decision p50 23 us p99 15 ms"
    )


def test_watching_ends_with_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "home"))
    place = make_session("demo-1")
    place.log.touch()
    lock = InstanceLock.acquire(place.lock, "trader", 1)
    answers: list[Any] = [summary(frames=10), NoAnswerError("busy"), summary(frames=500)]

    def answer(_: object) -> str:
        given = answers.pop(0)
        if not answers:
            lock.release()
        if isinstance(given, Exception):
            raise given
        return json.dumps(given)

    monkeypatch.setattr(status_text, "ask_status", answer)
    monkeypatch.setattr(status_text, "EVERY_S", 0.001)
    assert watch_status("demo-1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "     0 frames/s" in lines[0]
    assert lines[1].startswith("demo-1 does not answer (log: ")
    assert "REPLAY APPROVE ACTIVE" in lines[2]
    assert "     0 frames/s" not in lines[2]
    assert lines[3] == "session demo-1 has ended"


def test_watching_without_a_session_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "home"))
    with pytest.raises(ShellError, match="no session is running"):
        watch_status(None)
