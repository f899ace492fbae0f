"""A session in this process for tests of the console: it shows what it is told to and remembers what it
was asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from app.console import ConsoleApp
from app.console_settings import ConsoleSettings
from app.kill_keys import Emergency
from pipeline.core.inputs import Command, ModelAct, OperatorCommand
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.runtime.gate_state import Closer, CloserRecord, GateState
from pipeline.runtime.link_messages import CommandResult, Hello
from tests.fakes import snapshots
from widgets.lines import line_text


@dataclass
class InlineLink:
    """What the console needs of a session; nothing happens by itself."""

    latest: ConsoleSnapshot | None = None
    latest_at_s: float = 0.0
    hello: Hello | None = None
    lost: str = ""
    died: bool = False
    exit_status: int | None = None
    head: str = ""
    on_result: Callable[[CommandResult], None] | None = None
    commands: list[OperatorCommand] = field(default_factory=list)
    models: list[tuple[ModelAct, str]] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    steered: list[tuple[str, float]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    detached: bool = False
    shown: list[int] = field(default_factory=list)
    frame_hz: float = 0.0

    def give(self, snapshot: ConsoleSnapshot) -> None:
        """Let a new picture arrive; its number is one more than the last one's."""
        seq = self.latest.seq + 1 if self.latest is not None else 1
        self.latest, self.latest_at_s = replace(snapshot, seq=seq), time.monotonic()

    def asked(self, *wanted: Command) -> list[OperatorCommand]:
        """Give the commands of some kinds, in order."""
        return [command for command in self.commands if command.command in wanted]

    def command(self, command: OperatorCommand) -> None:
        self.commands.append(command)

    def select_symbol(self, symbol: str) -> None:
        self.symbols.append(symbol)

    def frame_rate(self, frame_hz: float) -> None:
        self.frame_hz = frame_hz

    def model(self, act: ModelAct, name: str) -> None:
        self.models.append((act, name))

    def replay(self, action: str, value: float) -> None:
        self.steered.append((action, value))

    def stop_session(self, how: str) -> None:
        self.stopped.append(how)

    def detach(self) -> None:
        self.detached = True

    def alerts_shown(self, alert_id: int) -> None:
        self.shown.append(alert_id)


@dataclass
class FakeGate:
    """A gate in this process, with the console's hand on it."""

    fired: list[Emergency] = field(default_factory=list)
    on_fired: Callable[[Emergency], None] | None = None

    def fire(self, emergency: Emergency) -> None:
        self.fired.append(emergency)
        if self.on_fired is not None:
            self.on_fired(emergency)

    def release(self) -> None:
        self.fired.clear()

    def is_open(self) -> bool:
        return not self.fired

    def state(self) -> GateState:
        record = CloserRecord(Closer.CONSOLE, 1, "ada", "/dev/pts/3", 1, "kill key", 7, acknowledged=False)
        return GateState(
            open=self.is_open(),
            latched=Emergency.KILL in self.fired,
            closers=(record,) if self.fired else (),
            generation=len(self.fired),
            latches=(),
            kills={},
            kill_count=0,
            unknown_slots=(),
            orphaned=False,
            last_release=None,
        )


def two_symbols(snapshot: ConsoleSnapshot | None = None) -> ConsoleSnapshot:
    """Give a picture of a session with two symbols."""
    return replace(snapshot or snapshots.make_snapshot(), symbols=("BTCUSDT", "ETHUSDT"))


@dataclass
class Desk:
    """A console under test with what it stands on."""

    link: InlineLink
    gate: FakeGate
    app: ConsoleApp

    def said(self) -> str:
        """Give the last line of the screen."""
        hints = self.app.main.view.hints
        return line_text(hints.waiting(400, 1)[0]).strip()

    def header(self) -> str:
        """Give the header as it is drawn."""
        status = self.app.main.view.status
        return "\n".join(line_text(line) for line in status.framed(status.size.width, status.size.height))


def make_desk(
    snapshot: ConsoleSnapshot | None = None,
    *,
    frame_hz: float = 20.0,
    watch: bool = False,
    plain: bool = False,
) -> Desk:
    """Give a console on a session that has sent one picture."""
    link, gate = InlineLink(), FakeGate()
    link.give(snapshot or snapshots.make_snapshot())
    settings = ConsoleSettings(
        who="ada", tty="/dev/pts/3", account="sim-1", frame_hz=frame_hz, plain=plain, watch=watch
    )
    return Desk(link, gate, ConsoleApp(link, gate, settings))
