"""What a session is started with: one value, written by the command line, read by the session's process.

The file is MessagePack in the session's own directory, so that nothing of it is on a command line.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline.core.params import EngineParams
from pipeline.runtime.feed_params import FeedParams
from pipeline.runtime.guard_params import GuardSettings
from pipeline.runtime.head_params import HeadParams
from pipeline.runtime.sim_params import SimParams
from pipeline.runtime.venue_params import VenueParams

SPEC_NAME = "spec"
"""The spec's file in the session's directory."""


class SessionSpec(msgspec.Struct, frozen=True):
    """Everything one session needs; times in nanoseconds unless the name says otherwise."""

    name: str
    venue: str
    symbols: tuple[str, ...]
    params: EngineParams
    captures: tuple[str, ...]
    """Files in order of time; one journal directory or file where `is_journal`."""
    model_path: str
    workers: int = 2
    ring_depth: int = 64
    worker_deadline_ms: int = 50
    speed: float = 1.0
    """Replay pace; 0 is as fast as it goes."""
    loop: bool = False
    inference_latency_ns: int = 2_000_000
    """Virtual delay from decision to answer in a replay of a capture."""
    ack_latency_ns: int = 12_000_000
    cancel_latency_ns: int = 12_000_000
    journal: bool = False
    journal_segment_mb: int = 64
    headless: bool = False
    seconds: float = 0.0
    """Ends the session after this long; 0 never."""
    summary_path: str = ""
    linger_s: float = 60.0
    """A session nobody watches ends after this, unless it was detached on purpose; 0 never ends it."""
    operator: str = ""
    is_journal: bool = False
    planted: bool = False
    """True where the flow is planted: the screen says that profit there means nothing."""
    today: str = ""
    """UTC date the session was started, for models that expire; empty leaves that check out."""
    feed: FeedParams | None = None
    """Live data of the venue in real time; None for a replay of `captures`."""
    orders: VenueParams | None = None
    """The venue orders go to (SIM, LIVE); None for the paper venue."""
    sim: SimParams | None = None
    """A simulated exchange the session starts and ends; where `feed` and `orders` go is then its to say."""
    replays_own_exchange: bool = False
    """True for a replay of the journal of a session with an exchange of its own: same verdict."""
    guard: GuardSettings | None = GuardSettings()
    """How patient the guard of a session on live data is; None for a session without one."""
    shadow_paths: tuple[str, ...] = ()
    """Files of the models of `params.shadows`, in their order."""
    heads: HeadParams = HeadParams()
    """Where the journal's head goes while a live session runs."""
    journal_max_gb: int = 0
    """Disk all journals together may keep; 0 keeps all."""
    kill_gid: int = -1
    """Members of this group may look, halt and kill by the stop door; -1 opens none."""
    release_gid: int = -1
    """Those of them who may agree to a release; -1 for nobody."""
    worker_spares: int = 1
    worker_hang_ms: int = 400
    worker_restart_first_ms: int = 50
    worker_restart_max_ms: int = 5_000

    @property
    def sources(self) -> tuple[str, ...]:
        """Give the symbols a frame's source points into, for frames that name none themselves.

        What comes off a live stream always names its symbol: there, source 0 stands for no symbol.
        """
        return self.symbols if self.feed is None else ("", *self.symbols)


def write_spec(spec: SessionSpec, path: Path) -> None:
    """Store a spec."""
    path.write_bytes(msgspec.msgpack.encode(spec))


def read_spec(path: Path) -> SessionSpec:
    """Load a spec.

    Raises:
        msgspec.ValidationError: the file is of another version.
    """
    return msgspec.msgpack.decode(path.read_bytes(), type=SessionSpec)
