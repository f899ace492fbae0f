"""How a session starts the process that guards it: `python -P -m pipeline.runtime.guard_main`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from pipeline.runtime.guard_report import GuardReport, read_report

GUARD_LOG = "guard.log"


class GuardChild(Protocol):
    """A guard that was started."""

    @property
    def pid(self) -> int:
        """Give its process id."""
        ...

    def poll(self) -> int | None:
        """Give its exit status; None while it lives."""
        ...

    def kill(self) -> None:
        """End it at once, and see its end."""
        ...


class GuardStarter(Protocol):
    """Starts guards of one session and reads what they report."""

    def start(self) -> GuardChild:
        """Start one.

        Raises:
            OSError: the system has no room for it.
        """
        ...

    def report(self) -> GuardReport | None:
        """Give the newest report; None before one."""
        ...

    def close(self) -> None:
        """Let go of what guards were started with."""
        ...


class GuardProcesses:
    """Starts real processes, in sessions of their own, that watch this one."""

    def __init__(self, directory: Path, keeps: tuple[int, ...] = ()) -> None:
        """Let each guard hold `keeps` open as long as it lives."""
        self._directory = directory
        self._keeps = keeps
        self._engine = os.pidfd_open(os.getpid())

    def start(self) -> GuardChild:
        """Start one.

        Raises:
            OSError: the system has no room for it.
        """
        command = (sys.executable, "-P", "-m", "pipeline.runtime.guard_main")
        with (self._directory / GUARD_LOG).open("ab") as log:
            return _Child(
                subprocess.Popen(
                    [*command, str(self._directory), str(self._engine)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(self._engine, *self._keeps),
                    env=_environment(),
                )
            )

    def report(self) -> GuardReport | None:
        """Give the newest report; None before one."""
        return read_report(self._directory)

    def close(self) -> None:
        """Close the pidfd; a guard that lives has its own."""
        os.close(self._engine)


class _Child:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def _environment() -> dict[str, str]:
    """Give the environment of the guard: the modules must be found where this process found them."""
    root = str(Path(__file__).resolve().parents[2])
    known = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, *(e for e in known if e != root)])}
