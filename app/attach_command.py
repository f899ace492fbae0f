"""Puts a console on a running session and gives the exit status when it leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from app.console import ConsoleApp
from app.console_kill import ConsoleKillSwitch
from app.console_settings import ConsoleSettings
from app.interpreter import attentive, set_apart
from app.last_summary import log_words
from app.link import SocketLink
from app.link_end import LinkEnd, end_of, last_words
from app.shell import ShellError, controlling_tty, operator, require_terminal
from app.terminal_facts import frame_rate, plain_terminal, working_kill_key
from pipeline.core.types import VenueMode
from pipeline.runtime.gate import Gate
from pipeline.runtime.link_messages import PROTOCOL_VERSION, Attach
from pipeline.runtime.places import SessionPlace
from pipeline.runtime.spec import SPEC_NAME, read_spec

EXIT_FAILED = 5
CRASH_LOG = "console.log"


def attach_console(place: SessionPlace, *, watch: bool, slow: bool) -> int:
    """Run a console on a session; give the exit status.

    Raises:
        ShellError: there is no terminal, or the session does not answer.
    """
    console = make_console(place, watch=watch, slow=slow)
    status = run_console(console)
    if console.lost_terminal:
        # The terminal is gone: nothing may be written to it, and its threads may hang in it for ever.
        os._exit(0)
    if console.return_code:
        return _failed(console, place)
    end = end_of(console.link)
    if end is LinkEnd.CUT and console.link.latest is None:
        raise ShellError(f"{console.link.lost}{log_words(place)}")
    stream = sys.stdout if end in (LinkEnd.STANDS, LinkEnd.ORDERLY) else sys.stderr
    stream.write(f"{last_words(console.link, place)}\n")
    return status


def _failed(console: ConsoleApp, place: SessionPlace) -> int:
    """Say that the console failed and the session did not; the details are in a file."""
    log = place.root / CRASH_LOG
    with log.open("a", encoding="utf-8") as lines:
        lines.write(console.crash)
    cause = (console.crash.strip().splitlines() or ["no traceback"])[-1]
    sys.stderr.write(
        f"lobdeck: the console failed ({cause}; log: {log}); the session goes on: "
        f"`lobdeck attach {place.name}`\n"
    )
    return EXIT_FAILED


def make_console(
    place: SessionPlace, *, watch: bool, slow: bool, kind: type[ConsoleApp] = ConsoleApp
) -> ConsoleApp:
    """Make a console for the terminal of this process.

    Raises:
        ShellError: there is no terminal.
    """
    require_terminal()
    frame_hz = frame_rate(os.environ, slow=slow)
    who, tty = operator(), controlling_tty()
    attach = Attach(protocol=PROTOCOL_VERSION, who=who, tty=tty, watch=watch, frame_hz=frame_hz)
    settings = ConsoleSettings(
        who=who,
        tty=tty,
        account=account_of(place),
        frame_hz=frame_hz,
        plain=plain_terminal(os.environ),
        watch=watch,
        kill_key=working_kill_key(os.environ),
    )
    switch = ConsoleKillSwitch(Gate.attach(place.root), who, tty)
    return kind(SocketLink(place, attach), switch, settings)


def account_of(place: SessionPlace) -> str:
    """Give the name a person types to add risk: the account's in LIVE, the session's otherwise."""
    try:
        spec = read_spec(place.root / SPEC_NAME)
    except (OSError, ValueError):
        return place.name
    if spec.orders is None or spec.params.mode is not VenueMode.LIVE:
        return place.name
    return spec.orders.account


def run_console(console: ConsoleApp) -> int:
    """Run a console until somebody leaves it or its terminal goes."""
    console.on_started = set_apart
    with attentive():
        return asyncio.run(_run(console))


async def _run(console: ConsoleApp) -> int:
    link, loop = console.link, asyncio.get_running_loop()
    assert isinstance(link, SocketLink)
    for number in (signal.SIGHUP, signal.SIGTERM):
        loop.add_signal_handler(number, console.leave_lost, signal.Signals(number).name)
    reading = asyncio.ensure_future(link.run())
    try:
        status = await console.run_async()
    finally:
        reading.cancel()
    return status or 0
