"""The process a guard watches: whether it has ended, and how it is made unable to send."""

from __future__ import annotations

import contextlib
import select
import signal
from typing import Protocol


class EngineProcess(Protocol):
    """What a guard knows of its engine's process."""

    def has_ended(self) -> bool:
        """Say whether it is gone: nothing it had not sent will leave any more."""
        ...

    def fence(self) -> None:
        """Make it end now, whatever it does; its end is seen by `has_ended`."""
        ...


class PidfdEngine:
    """A process behind a pidfd, which no other process can take the place of."""

    def __init__(self, pidfd: int) -> None:
        self._pidfd = pidfd
        self._poll = select.poll()
        self._poll.register(pidfd, select.POLLIN)

    def has_ended(self) -> bool:
        """Say whether it is gone."""
        return bool(self._poll.poll(0))

    def fence(self) -> None:
        """Send SIGKILL; one that is gone already needs none."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
