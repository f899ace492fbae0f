"""A running session of the bundled market for tests of the console; LOBDECK_HOME says where."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from app.launch import start_session
from app.link_call import ask_status
from app.replay_command import ReplayOptions, build_session, sample_capture
from pipeline.runtime.places import SessionPlace


@dataclass
class DemoSession:
    """One session in a process of its own."""

    process: subprocess.Popen[bytes]
    place: SessionPlace

    def status(self) -> dict[str, Any]:
        """Ask for the summary as it stands."""
        content: dict[str, Any] = json.loads(ask_status(self.place, timeout_s=10))
        return content

    def goes_on(self) -> bool:
        """Say whether it handles more frames within a few seconds."""
        before, until_s = self.status()["frames"], time.monotonic() + 5
        while time.monotonic() < until_s:
            if self.status()["frames"] > before:
                return True
            time.sleep(0.05)
        return False


@contextlib.contextmanager
def demo_session(name: str, *, speed: float = 4.0) -> Iterator[DemoSession]:
    """Start a session and see to it that it is gone afterwards."""
    options = ReplayOptions(
        paths=(sample_capture(),), prefix="demo", name=name, loop=True, fees="0/0", workers=1,
        speed=speed, authority="auto",
    )  # fmt: skip
    spec, place = build_session(options)
    session = DemoSession(start_session(replace(spec, linger_s=0.0), place), place)
    try:
        yield session
    finally:
        if session.process.poll() is None:
            os.kill(session.process.pid, signal.SIGKILL)
        session.process.wait(10)
