"""Where the chain's head of a session is sent, and how often; a part of the session's spec."""

from __future__ import annotations

import msgspec

SYSLOG = "/dev/log"


class HeadParams(msgspec.Struct, frozen=True):
    """Outside of this machine's journal the head proves that nobody rewrote what stood before it."""

    every_s: int = 3_600
    """0 sends none."""
    syslog: str = ""
    """Socket of the system's log; empty for none."""
    hook: str = ""
    """A program run with session, run, record and head; empty for none."""
    timeout_s: float = 5.0
    """Either is given up after this."""

    @property
    def wanted(self) -> bool:
        """Say whether there is anywhere to send to."""
        return self.every_s > 0 and bool(self.syslog or self.hook)
