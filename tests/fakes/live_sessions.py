"""Live sessions for process tests: the real command on a server in the venue's place."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from app.shell import ShellError, status
from pipeline.runtime.places import PlacesError
from tests.fakes.feed_server import FeedServer
from tests.fakes.sessions import ROOT

FAST = {
    "LOBDECK_FEED__RECONNECT_FIRST_MS": "100",
    "LOBDECK_FEED__RECONNECT_MAX_MS": "400",
    "LOBDECK_FEED__RECONNECTS": "300",
}
"""A feed as patient as shipped would make every test wait."""

_STARTED: list[LiveSession] = []


@dataclass(eq=False)
class LiveSession:
    """One `lobdeck run` or `record` in a process of its own."""

    home: Path
    name: str
    process: asyncio.subprocess.Process
    summary_path: Path

    @property
    def journal(self) -> Path:
        return self.home / "sessions" / self.name / "journal"

    def workers(self) -> list[psutil.Process]:
        """Give the inference processes, oldest first."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if any("worker_main" in part for part in child.cmdline())]

    async def stop(self) -> dict[str, Any]:
        """Ask the session to end and give its summary; a failed one fails the test with its words."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        return await self.ended()

    async def interrupted(self) -> str:
        """Ask the session to end; give what it said on stderr."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            _, errors = await self.process.communicate()
        return errors.decode()

    async def ended(self, status: int = 0) -> dict[str, Any]:
        """Wait for the end, with this exit status, and give the summary."""
        async with asyncio.timeout(30):
            _, errors = await self.process.communicate()
        assert self.process.returncode == status, errors.decode()
        content: dict[str, Any] = json.loads(self.summary_path.read_text())
        return content


async def start_session(
    home: Path,
    server: FeedServer,
    *options: str,
    command: str = "run",
    venue: str = "binance",
    name: str = "live",
    settings: Mapping[str, str] | None = None,
) -> LiveSession:
    """Start a session on every symbol of the server; come back when it is connected."""
    symbols = ",".join(server.markets)
    session = await launch(
        home, server.url, symbols, *options, command=command, venue=venue, name=name, settings=settings
    )
    try:
        await server.wait_for_clients(1 if venue == "binance" else 2)
    except TimeoutError:
        session.process.kill()
        raise AssertionError((await session.process.communicate())[1].decode()) from None
    return session


async def launch(
    home: Path,
    url: str,
    symbols: str,
    *options: str,
    command: str = "run",
    venue: str = "binance",
    name: str = "live",
    settings: Mapping[str, str] | None = None,
) -> LiveSession:
    """Start a session on a venue at a URL; come back at once."""
    summary = home / f"{name}.json"
    given = [*options, "--summary", str(summary), *(("--headless",) if command == "run" else ())]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", command, "--venue", venue, "--symbol", symbols),
        *("--base-url", url, "--name", name, *given),
        cwd=ROOT,
        env={**os.environ, "LOBDECK_HOME": str(home), **FAST, **(settings or {})},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    session = LiveSession(home, name, process, summary)
    _STARTED.append(session)
    return session


def end_all() -> None:
    """Kill what a failed test left running."""
    for session in _STARTED:
        if session.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(session.process.pid, signal.SIGKILL)
    _STARTED.clear()


async def reached(
    session: LiveSession, wanted: Callable[[dict[str, Any]], bool], *, seconds: float = 30
) -> dict[str, Any]:
    """Wait until the session's status is as wanted, and give it; a session that ended fails the test."""
    content: dict[str, Any] = {}
    try:
        async with asyncio.timeout(seconds):
            while not (content and wanted(content)):
                if session.process.returncode is not None:
                    raise AssertionError((await session.process.communicate())[1].decode())
                await asyncio.sleep(0.1)
                with contextlib.suppress(ShellError, PlacesError):
                    content = await asyncio.to_thread(status, session.name)
    except TimeoutError:
        session.process.kill()
        _, errors = await session.process.communicate()
        raise AssertionError(f"not reached within {seconds} s: {content} {errors.decode()}") from None
    return content
