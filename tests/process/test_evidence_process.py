"""Evidence of a real session: what its consoles did stands in the journal, and the page for risk tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.risk_report import write_risk_report
from pipeline.core.evidence import Seen
from pipeline.core.inputs import Command
from pipeline.runtime.link_messages import AlertsShown, CommandResult, StopSession
from pipeline.runtime.session_reader import read_session_facts
from tests.fakes.session_processes import LinkClient, live_session


def test_acts_refusals_and_what_was_shown_are_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(home))
    changes = {"linger_s": 0.0, "journal": True}
    with live_session("evidence", model=False, spec_changes=changes) as session:
        with LinkClient(session.place) as watcher, LinkClient(session.place) as ada:
            watcher.attach(watch=True, frame_hz=0.2, who="eve")
            assert ada.attach(frame_hz=0.2).keeps_shown
            assert not watcher.command(Command.SET_AUTHORITY, authority=2).ok
            ada.command(Command.REDUCE, drawn_seq=4, seen=Seen(picture_ns=5, drawn_ms=70, key="r"))
            ada.send(AlertsShown(3))
            ada.send(AlertsShown(3))
            ada.send(StopSession(9, "leave"))
            assert ada.until(CommandResult).ok
        session.wait()
        place = session.place
    run, facts = read_session_facts(place.root)
    assert run.chain.sound
    assert not run.cut_short
    [act] = [one for one in facts.commands if one.command.who == "ada"]
    seen = act.command.seen
    assert seen is not None
    assert (seen.picture_ns, seen.drawn_ms, seen.key, seen.controls) == (5, 70, "r", True)
    assert seen.uid >= 0
    assert seen.pid > 0
    notes = [text for _, text in run.evidence]
    assert [one for one in notes if one.startswith("eve") and "SET_AUTHORITY refused: watching only" in one]
    assert len([one for one in notes if one.endswith("alerts up to 3 shown")]) == 1
    assert [one for one in notes if "ada" in one and one.endswith("asked the session to stop: leave")]
    assert len([one for one in notes if one.endswith(": attached")]) == 2
    write_risk_report([place.root], tmp_path / "risk.html")
    page = (tmp_path / "risk.html").read_text()
    assert "70 ms on screen" in page
    assert "eve" in page
