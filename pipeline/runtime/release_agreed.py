"""A second person's word that a kill by a limit may be released: one small file beside the session's latch.

It names the kill it is about by that kill's time, so that a later one is not released by it, and holds for a
quarter of an hour. It stays where it is, as evidence.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

AGREED_NAME = "AGREED"
HOLDS_S = 15 * 60


class Agreement(msgspec.Struct, frozen=True):
    """Who agreed, when, and to the release of which kill."""

    uid: int
    who: str
    ts_ns: int
    kill_ts_ns: int

    def covers(self, kill_ts_ns: int, owner_uid: int, now_ns: int) -> bool:
        """Say whether it lets the owner release the kill of that time now."""
        fresh = 0 <= now_ns - self.ts_ns < HOLDS_S * 1_000_000_000
        return fresh and self.uid != owner_uid and self.kill_ts_ns == kill_ts_ns


def write_agreement(agreement: Agreement, session_dir: Path) -> None:
    """Store it, 0600, whole or not at all.

    Raises:
        OSError: the disk takes it not.
    """
    path = session_dir / AGREED_NAME
    draft = path.with_name(f"{AGREED_NAME}.{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(agreement) + b"\n")
    draft.chmod(0o600)
    draft.replace(path)


def read_agreement(session_dir: Path) -> Agreement | None:
    """Load it; None where there is none that can be read."""
    try:
        return msgspec.json.decode((session_dir / AGREED_NAME).read_bytes(), type=Agreement)
    except (OSError, msgspec.MsgspecError):
        return None
