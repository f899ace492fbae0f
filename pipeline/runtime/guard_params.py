"""What a guard is started with; written by the session into its directory, read by the guard's process."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

GUARD_SPEC_NAME = "guard.spec"


class GuardSettings(msgspec.Struct, frozen=True):
    """How patient a guard is; times in milliseconds. A part of the session's spec."""

    ack_ms: int = 300
    """A kill the engine has not acknowledged after this fences it."""
    halt_ms: int = 1_000
    """An engine this late is halted: the guard closes the gate."""
    late_ms: int = 5_000
    """An engine this late is fenced."""
    converge_ms: int = 3_000
    """An engine that acknowledged a kill has so long to cancel by itself; then the guard helps."""
    settle_ms: int = 200
    """Added to recvWindow before the venue's last zero is believed."""
    answer_ms: int = 1_500
    """A request without an answer for so long is asked again on another connection."""
    dead_man_ms: int = 60_000
    """Where the venue has a dead-man switch; refreshed every third of it."""
    give_up_ms: int = 60_000
    """With the engine gone, how long a guard goes on while the venue cannot be reached; 0 for ever."""
    missing_ms: int = 1_000
    """A guard that does not beat for so long is replaced, and the engine halts until the new one is there."""
    no_venue_ms: int = 5_000
    """A guard without a venue for so long halts the engine."""
    start_ms: int = 10_000
    restart_first_ms: int = 100
    restart_longest_ms: int = 5_000


class GuardParams(msgspec.Struct, frozen=True):
    """Everything one guard needs."""

    session: str
    symbols: tuple[str, ...]
    acts: bool = False
    """False where orders go to no venue (PAPER, REPLAY): it only watches."""
    venue: str = ""
    rest_url: str = ""
    key_path: str = ""
    id_prefix: str = ""
    """Client order ids that begin so are ours."""
    recv_window_ms: int = 1_000
    sentinel: str = ""
    """A file whose existence is a kill."""
    settings: GuardSettings = GuardSettings()


def write_guard_params(params: GuardParams, directory: Path) -> None:
    """Store the parameters, whole or not at all."""
    path = directory / GUARD_SPEC_NAME
    draft = path.with_name(f"{GUARD_SPEC_NAME}.{os.getpid()}")
    draft.write_bytes(msgspec.msgpack.encode(params))
    draft.replace(path)


def read_guard_params(directory: Path) -> GuardParams:
    """Load the parameters.

    Raises:
        OSError: there are none.
        msgspec.MsgspecError: they are of another version.
    """
    return msgspec.msgpack.decode((directory / GUARD_SPEC_NAME).read_bytes(), type=GuardParams)
