"""A venue and a session on it, each a process of its own on loopback: what the live measurements run on."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from app.bench_tools import BenchError
from app.launch import child_environment
from app.link_call import NoAnswerError, ask_status
from pipeline.runtime.places import PlacesError, SessionPlace, session_place

START_S = 40.0
END_S = 20.0
LOOK_S = 0.1


class BenchSession:
    """One `lobdeck run --headless` on a venue on loopback."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, summary: Path) -> None:
        self._process = process
        self._name = name
        self._summary = summary

    @property
    def place(self) -> SessionPlace:
        """Where it lives.

        Raises:
            PlacesError: it has not come so far.
        """
        return session_place(self._name)

    @property
    def pid(self) -> int:
        """Process of the engine."""
        return self._process.pid

    def workers(self) -> list[psutil.Process]:
        """Give the inference processes there are now."""
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(self.pid).children()
            return [one for one in children if any("worker_main" in part for part in one.cmdline())]
        return []

    def status(self) -> dict[str, Any]:
        """Give the summary as it stands; empty while the session does not answer."""
        try:
            content: dict[str, Any] = json.loads(ask_status(self.place))
        except (NoAnswerError, PlacesError):
            content = {}
        return content

    def wait_for(self, holds: Callable[[dict[str, Any]], bool], longest_s: float = START_S) -> dict[str, Any]:
        """Wait until the summary is as wanted, and give it.

        Raises:
            BenchError: it never was, or the session ended.
        """
        until_s = time.perf_counter() + longest_s
        while not ((content := self.status()) and holds(content)):
            if self._process.poll() is not None:
                raise BenchError(f"the session ended with status {self._process.returncode}: {self._words()}")
            if time.perf_counter() > until_s:
                raise BenchError(f"the session did not come to its frames within {longest_s:.0f} s")
            time.sleep(LOOK_S)
        return content

    def end(self) -> dict[str, Any]:
        """End it in good order and give its summary.

        Raises:
            BenchError: it did not end well.
        """
        self._process.send_signal(signal.SIGINT)
        try:
            _, said = self._process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            raise BenchError(f"the session did not end within {END_S:.0f} s") from None
        if not self._summary.exists():
            raise BenchError(f"the session left no summary: {said.decode('utf-8', 'replace')[-200:]}")
        content: dict[str, Any] = json.loads(self._summary.read_bytes())
        return content

    def _words(self) -> str:
        _, said = self._process.communicate()
        return said.decode("utf-8", "replace").strip().rpartition("\n")[2]


@contextlib.contextmanager
def venue(capture: Path, speed: float) -> Iterator[str]:
    """Serve a capture as `lobdeck sim --replay` does; gives the base URL. It waits for its first listener.

    Raises:
        BenchError: it does not start.
    """
    command = ("sim", "--json", "--port", "0", "--replay", str(capture), "--speed", f"{speed:.4f}")
    with process(command, subprocess.PIPE) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        if not line.startswith(b"{"):
            raise BenchError("the simulated venue did not start")
        base_url: str = json.loads(line)["base_url"]
        yield base_url


@contextlib.contextmanager
def session(name: str, base_url: str, symbol: str, home: Path, *options: str) -> Iterator[BenchSession]:
    """Run a session on a venue in AUTO at no fees with one worker, and end it whatever happens."""
    summary = home / f"{name}.json"
    what = ("run", "--venue", "binance", "--symbol", symbol, "--base-url", base_url, "--name", name)
    how = ("--headless", "--authority", "auto", "--fees", "0/0", "--workers", "1", "--summary", str(summary))
    with process((*what, *how, *options)) as running:
        yield BenchSession(running, name, summary)


@contextlib.contextmanager
def process(arguments: Sequence[str], stdout: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """Run a lobdeck command in a process of its own; it is ended with the context."""
    command = [sys.executable, "-P", "-m", "app", *arguments]
    running = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=child_environment()
    )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()
