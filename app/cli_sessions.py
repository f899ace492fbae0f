"""The commands that look at sessions and stop them: attach, sessions, status, halt, kill, release."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer

from app.session_options import SlowOption

drill_app = typer.Typer(help="Rehearse what must work when it counts.", rich_markup_mode=None)
SessionArgument = Annotated[str | None, typer.Argument(help="Name of a session.")]


def attach(
    name: SessionArgument = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look only; halt and kill still work.")] = False,
    slow: SlowOption = False,
) -> None:
    """Open a console on a running session. Without NAME, on the only one."""
    from app.attach_command import attach_console
    from app.shell import attachable

    raise typer.Exit(attach_console(attachable(name), watch=watch, slow=slow))


def sessions() -> None:
    """List your sessions. Each with its trading state and what holds its gate closed."""
    from app.session_list import sessions_text
    from pipeline.runtime.places import list_sessions

    typer.echo(sessions_text(list_sessions()))


def status(
    name: SessionArgument = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary object.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="A line a second, until Ctrl+C.")] = False,
) -> None:
    """Print a session's summary as it stands. Without NAME, of the only one running.

    Of a session that has ended, its last summary, with how and when. Exit status: 0 printed, 2 none.
    """
    from app import shell
    from app.status_text import status_line, watch_status

    if watch:
        raise typer.Exit(watch_status(name))
    content = shell.status(name)
    typer.echo(json.dumps(content, indent=1) if as_json else status_line(content))


def halt(name: SessionArgument = None) -> None:
    """Close the gate: no new risk. Without NAME, on every running session."""
    from app import shell

    _by_the_door(name, "halt")
    warn = shell.Warner()
    lines, closed = shell.halt(shell.targets(name, warn), warn)
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if closed else shell.NOT_CONFIRMED)


def kill(name: SessionArgument = None) -> None:
    """Close and latch the gate, cancel our orders, wait for zero.

    Without NAME, on every session; one that died and may have left orders counts.
    Exit status: 0 zero orders confirmed, 3 not confirmed, 2 no such session.
    """
    from app import shell

    _by_the_door(name, "kill")
    warn = shell.Warner()
    lines, confirmed = shell.kill(shell.targets(name, warn, dead=True), warn)
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if confirmed else shell.NOT_CONFIRMED)


def _by_the_door(name: str | None, what: Literal["halt", "kill"]) -> None:
    """Do it by the stop doors where LOBDECK_HOME is another user's, and leave."""
    from app.shell import NOT_CONFIRMED
    from app.stop_door import home_of_another, stop_all

    home = home_of_another()
    if home is not None:
        lines, done = stop_all(home, name, what)
        typer.echo("\n".join(lines))
        raise typer.Exit(0 if done else NOT_CONFIRMED)


@drill_app.command("kill")
def drill_kill(
    orders: Annotated[int, typer.Option("--orders", help="Orders working when it begins, 1 to 50.")] = 50,
) -> None:
    """Kill a hung session at the simulated exchange.

    With orders working. Measures key to gate, to the last cancel, and to NO ORDERS LEFT, and keeps it.
    """
    from app.drill_kill import run_drill

    raise typer.Exit(run_drill(orders, typer.echo))


def reconcile(
    name: Annotated[str | None, typer.Argument(help="Name of a session; the one that runs.")] = None,
    adopt: Annotated[bool, typer.Option("--adopt", help="Take over what was left, as it was found.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the orders that were left.")] = False,
) -> None:
    """Show what an earlier session left, or settle it.

    Exits 3 while something differs: nothing is armed before.
    """
    from app.reconcile_command import reconcile as settle
    from app.shell import ShellError
    from pipeline.core.inputs import Command

    if adopt and cancel:
        raise ShellError("--adopt or --cancel, not both: cancel first, then adopt what is left")
    act = Command.ADOPT if adopt else Command.CANCEL_EARLIER if cancel else None
    lines, settled = settle(name, act)
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if settled else 3)


@drill_app.callback()
def drill() -> None:
    """Rehearse what must work when it counts."""


def _agree(name: str) -> None:
    """Give a second person's word at the door of another's session, and leave."""
    from app.shell import ShellError
    from app.stop_door import ask, doors, home_of_another

    home = home_of_another()
    if home is None:
        raise ShellError("--agree: for another user's session; set LOBDECK_HOME to their state directory")
    (door,) = doors(home, name)
    answer = ask(door, "agree")
    if not answer.ok:
        raise ShellError(f"{name}: {answer.text}")
    typer.echo(f"{name}: {answer.text}")
    raise typer.Exit(0)


def release(
    name: Annotated[str, typer.Argument(help="Name of a session.")],
    phrase: Annotated[str, typer.Option("--phrase", help="RELEASE NAME, instead of typing it.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; after a kill by a limit in LIVE.")] = "",
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="You looked at the venue's page: no orders. With --reason.")
    ] = False,
    agree: Annotated[
        bool, typer.Option("--agree", help="Be the second person: let its owner release a kill by a limit.")
    ] = False,
) -> None:
    """Take a kill or halt back.

    Shows what closed the gate and a check list first. Leads to HALTED, after a kill in OBSERVE: `:resume` in
    a console, then raise the authority step by step.
    """
    from app import shell
    from app.release_check import check_list
    from app.session_list import gate_words
    from pipeline.runtime.places import session_place

    if agree:
        _agree(name)
    place = session_place(name)
    seen = shell.gate_now(place)  # a kill that comes while the phrase is typed is not taken back with it
    typer.echo("\n".join(gate_words(place)) or f"{name}: the gate is open")
    checks = check_list(place)
    typer.echo("\n".join(checks.lines))
    refusal = checks.refusal_of(reason, unconfirmed=unconfirmed)
    if refusal:
        raise shell.ShellError(f"not released: {refusal}")
    wanted = f"RELEASE {name}"
    typed = phrase or typer.prompt(f"type {wanted} to release", default="", show_default=False)
    if typed != wanted:
        raise shell.ShellError(f"not released: typed {typed!r}, wanted {wanted!r}")
    typer.echo(shell.release(place, reason, unconfirmed=bool(checks.unconfirmed), seen=seen))
