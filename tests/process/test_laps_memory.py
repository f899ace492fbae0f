"""A looped replay lets go of each lap: engines do not pile up behind the tamed collector."""

from __future__ import annotations

import gc
import signal
import weakref
from pathlib import Path

import msgspec
import pytest

from app.launch import prepare_session
from app.replay_command import ReplayOptions, build_session
from pipeline.core.engine import Engine
from pipeline.runtime.session import ReplaySession
from pipeline.runtime.session_main import run_session
from tests.fakes.sessions import synthetic_lines, write_capture

LAPS = 6


def test_of_all_laps_only_the_newest_engine_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "home"))
    engines: list[weakref.ref[Engine]] = []
    alive: list[int] = []
    sound = ReplaySession._start_again

    def start_again(session: ReplaySession, now_s: float) -> None:
        engines.append(weakref.ref(session.run_.engine))
        sound(session, now_s)
        alive.append(sum(engine() is not None for engine in engines))
        if len(engines) == LAPS:
            session._ask_to_stop("leave", "enough laps")

    monkeypatch.setattr(ReplaySession, "_start_again", start_again)
    capture = write_capture(tmp_path / "c.txt", synthetic_lines(300))
    options = ReplayOptions(paths=(capture,), prefix="laps", loop=True, speed=0.0, headless=True, fees="0/0")
    spec, place = build_session(options)
    bare = msgspec.structs.replace(spec.params, model=None)
    spec = msgspec.structs.replace(spec, model_path="", params=bare)
    prepare_session(spec, place)
    before = signal.getsignal(signal.SIGHUP)
    try:
        run_session(spec, place.root)
    finally:
        signal.signal(signal.SIGHUP, before)
        gc.collect()
    assert len(engines) == LAPS
    assert max(alive) <= 1
