"""Workers that die under a replay: said on the screen, and nothing of it in the hashes; laps and memory."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.inputs import Command
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.runtime.link_messages import SnapshotFrame
from tests.fakes.session_processes import LinkClient, LiveSession, live_session
from tests.fakes.sessions import synthetic_lines, write_capture

GONE = ("WORKER_DEAD", "WORKER_REPLACED")
"""Whether a warm spare took over before the next look."""
BLOWS = (signal.SIGKILL, signal.SIGSTOP, signal.SIGKILL)
HASHES = (
    *("inputs_sha256", "effects_sha256", "effects", "orders", "alerts"),
    *("features", "predictions", "updates"),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


def after_more_predictions(session: LiveSession) -> dict[str, Any]:
    """Give the summary once a few more rows were answered: a worker works then."""
    before = session.status()["predictions"]
    return session.until(lambda content: content["predictions"] > before + 5)


def headless(capture: Path, name: str, *, struck: bool) -> dict[str, Any]:
    """Replay a capture to its end; with `struck` workers are killed and stopped on the way."""
    with live_session(name, paths=(capture,), loop=False, headless=True, speed=4.0) as session:
        for blow in BLOWS if struck else ():
            os.kill(after_more_predictions(session)["workers"][0]["pid"], blow)
        assert session.wait(60) == 0
    return session.summary()


def test_a_worker_that_died_is_not_in_the_hashes(home: Path) -> None:
    capture = write_capture(home / "c.txt", synthetic_lines(1_500))
    calm, struck = headless(capture, "calm", struck=False), headless(capture, "struck", struck=True)
    assert calm["workers"][0]["restarts"] == 0
    assert struck["workers"][0]["restarts"] >= 1
    assert (struck["gaps"], struck["resyncs"], struck["crossed"]) == (0, 0, 0)
    assert calm["orders"] > 0
    assert {name: struck[name] for name in HASHES} == {name: calm[name] for name in HASHES}


def picture(client: LinkClient) -> ConsoleSnapshot:
    frame: SnapshotFrame = client.until(SnapshotFrame)
    return frame.snapshot


def until(client: LinkClient, *codes: str) -> ConsoleSnapshot:
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        shown = picture(client)
        if any(alert.code in codes for alert in shown.alerts):
            return shown
    pytest.fail(f"none of {codes} within 20 s")


def died(session: LiveSession) -> None:
    os.kill(session.until(lambda content: content["predictions"] > 20)["workers"][0]["pid"], signal.SIGKILL)


def test_a_worker_that_died_in_a_replay_is_an_alert_that_can_be_noted() -> None:
    with live_session("one") as session, LinkClient(session.place) as client:
        client.attach(frame_hz=20)
        died(session)
        shown = until(client, *GONE)
        assert shown.header.alerts_unnoted >= 1
        while picture(client).header.alerts_unnoted:
            client.command(Command.NOTE_ALERT)
        assert "ada" in [alert.noted_by for alert in picture(client).alerts if alert.code in GONE]


def test_a_lap_is_an_alert_and_on_the_replay_line(home: Path) -> None:
    capture = write_capture(home / "c.txt", synthetic_lines(600))
    with live_session("one", paths=(capture,), model=False, speed=8.0) as session:
        with LinkClient(session.place) as client:
            client.attach(frame_hz=20)
            shown = until(client, "REPLAY_LAP")
        assert shown.header.replay is not None
        assert shown.header.replay.lap >= 2
        laps = [alert.values for alert in shown.alerts if alert.code == "REPLAY_LAP"]
        assert laps == [(shown.header.replay.lap,)]
