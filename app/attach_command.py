"""Puts a console on a running session and gives the exit status when it leaves."""

from __future__ import annotations

import asyncio
import os
import sys

from app.console import ConsoleApp, ConsoleSettings, plain_terminal
from app.console_kill import ConsoleKillSwitch
from app.link import SocketLink
from app.shell import ShellError, controlling_tty, operator
from pipeline.runtime.gate import Gate
from pipeline.runtime.link_messages import PROTOCOL_VERSION, Attach
from pipeline.runtime.places import SessionPlace

LOCAL_HZ = 10.0
SSH_HZ = 4.0
SLOW_HZ = 1.0
SWITCH_INTERVAL_S = 0.001
"""Threads change places this often, so that the input thread never waits long for a busy app."""


def attach_console(place: SessionPlace, *, watch: bool, slow: bool) -> int:
    """Run a console on a session; give the exit status.

    Raises:
        ShellError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ShellError("no terminal here: use --headless, or `lobdeck attach` from one")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    frame_hz = frame_rate(slow=slow)
    who, tty = operator(), controlling_tty()
    gate = Gate.attach(place.root)
    attach = Attach(protocol=PROTOCOL_VERSION, who=who, tty=tty, watch=watch, frame_hz=frame_hz)
    settings = ConsoleSettings(
        who=who, tty=tty, account=place.name, frame_hz=frame_hz, plain=plain_terminal(), watch=watch
    )
    console = ConsoleApp(SocketLink(place, attach), ConsoleKillSwitch(gate, who, tty), settings)
    status = asyncio.run(_run(console))
    link = console.link
    if link.lost and not console.lost_terminal:
        sys.stdout.write(f"{link.lost}\n")
    elif not console.lost_terminal:
        sys.stdout.write(f"session {place.name} goes on; `lobdeck attach {place.name}` joins it again\n")
    if console.lost_terminal:
        # The terminal is gone: nothing may be written to it, and its threads may hang in it for ever.
        os._exit(0)
    return status


async def _run(console: ConsoleApp) -> int:
    link = console.link
    assert isinstance(link, SocketLink)
    reading = asyncio.ensure_future(link.run())
    try:
        status = await console.run_async()
    finally:
        reading.cancel()
    return status or 0


def frame_rate(*, slow: bool) -> float:
    """Give the pictures a second that suit the link."""
    if slow:
        return SLOW_HZ
    return SSH_HZ if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY") else LOCAL_HZ
