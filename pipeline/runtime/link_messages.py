"""What travels between a session and its consoles over the link socket.

Framing: 4-byte big-endian length, then one MessagePack object; a frame is at most `MAX_FRAME_BYTES`.
The session sends `Hello` once, then `SnapshotFrame`s (the newest wins, older ones are dropped on the
session's side) and `CommandResult`s. The console sends the rest.
Unknown fields are ignored, so that a console of another version can still attach, halt and kill.
"""

from __future__ import annotations

import msgspec

from pipeline.core.inputs import Command, ModelAct, OperatorCommand
from pipeline.core.snapshot import ConsoleSnapshot

PROTOCOL_VERSION = 1
MAX_FRAME_BYTES = 4 * 1024 * 1024


class Hello(msgspec.Struct, frozen=True, tag=True):
    """First frame from the session."""

    protocol: int
    version: str
    session: str
    pid: int
    gate_path: str
    owns_life: bool
    """True where quitting the console must ask whether the session stops too."""
    keeps_shown: bool = False
    """True where the session takes `AlertsShown`; one of an older version would end the link."""


class SnapshotFrame(msgspec.Struct, frozen=True, tag=True):
    """One picture of the session."""

    snapshot: ConsoleSnapshot


class CommandResult(msgspec.Struct, frozen=True, tag=True):
    """What became of a console's request."""

    request_id: int
    ok: bool
    text: str
    """One line for the operator; empty where the screen already shows the result."""


class SessionEnding(msgspec.Struct, frozen=True, tag=True):
    """The session is about to end by itself; the console shows why and the exit status."""

    reason: str
    exit_status: int
    head: str = ""
    """The journal's last head; empty where there is no journal."""


class StatusAnswer(msgspec.Struct, frozen=True, tag=True):
    """The session's summary as it stands now, as one JSON object."""

    request_id: int
    summary_json: bytes


class Attach(msgspec.Struct, frozen=True, tag=True):
    """First frame from the console; `watch` asks for no control."""

    protocol: int
    who: str
    tty: str
    watch: bool
    frame_hz: float


class CommandRequest(msgspec.Struct, frozen=True, tag=True):
    """One operator command; the session stamps its time and the peer's uid."""

    request_id: int
    command: OperatorCommand


class ModelRequest(msgspec.Struct, frozen=True, tag=True):
    """Act on the models of the session; answered when it has ended. Needs no `Attach` before it.

    `name` is NAME or NAME@VERSION of the registry; empty for the way back. `who` and `tty` count only where
    no `Attach` said them.
    """

    request_id: int
    act: ModelAct
    name: str
    who: str = ""
    tty: str = ""


class StartRequest(msgspec.Struct, frozen=True, tag=True):
    """Settle what an earlier session left, without a console: `Command.ADOPT` or `Command.CANCEL_EARLIER`.

    Needs no `Attach` before it; `who` and `tty` count only where none said them.
    """

    request_id: int
    command: Command
    who: str = ""
    tty: str = ""


class SelectSymbol(msgspec.Struct, frozen=True, tag=True):
    """Which symbol this console looks at."""

    symbol: str


class SetFrameRate(msgspec.Struct, frozen=True, tag=True):
    """How many snapshots a second this console wants."""

    frame_hz: float


class ReplayControl(msgspec.Struct, frozen=True, tag=True):
    """Steer a replay.

    Actions: `pause`, `resume`, `toggle`, `step` (value = frames, negative steps back), `speed`
    (value = factor, 0 = max), `seek` (value = milliseconds from the start).
    """

    request_id: int
    action: str
    value: float


class StopSession(msgspec.Struct, frozen=True, tag=True):
    """End the session: `cancel` cancels our orders and verifies first, `leave` leaves them resting."""

    request_id: int
    how: str


class DetachNotice(msgspec.Struct, frozen=True, tag=True):
    """The console leaves on purpose and the session is to go on without one."""


class StatusRequest(msgspec.Struct, frozen=True, tag=True):
    """Ask for the summary as it stands; needs no `Attach` before it."""

    request_id: int


class AlertsShown(msgspec.Struct, frozen=True, tag=True):
    """Alerts above information up to this id have been drawn on the console's terminal."""

    alert_id: int


FromSession = Hello | SnapshotFrame | CommandResult | SessionEnding | StatusAnswer
FromConsole = (
    Attach
    | CommandRequest
    | ModelRequest
    | StartRequest
    | SelectSymbol
    | SetFrameRate
    | ReplayControl
    | StopSession
    | DetachNotice
    | StatusRequest
    | AlertsShown
)
