"""A key of real money on every error path: it stands in its own file and nowhere else."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.live_orders import live_session
from app.run_command import RunOptions
from pipeline.core.inputs import Command
from pipeline.core.types import Authority
from pipeline.runtime.journal_reader import is_journal, read_journal
from pipeline.runtime.places import list_sessions
from pipeline.runtime.venue_keys import write_keys
from pipeline.wire.binance_requests import ApiKey
from tests.fakes.guards import is_alive, lines_of, lobdeck, report_of, until
from tests.fakes.models import approved_for_live
from tests.fakes.session_processes import LinkClient
from tests.fakes.sim_process import sim_process
from tests.fakes.terminals import Terminal
from tests.fakes.venue_sessions import VenueSession, running

LIMITS = """
[limits.BTCUSDT]
max_qty_base = 0.05
max_notional_quote = 2000
max_position_quote = 5000
max_gross_quote = 5000
max_daily_loss_quote = 500
"""
ERRORS = ("html=0.3", "unknown=0.3", "overload=0.2", "lost-ack=0.2", "disconnect=3@6:api", "reject=0.2")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    monkeypatch.setenv("LOBDECK_EXECUTION__ENTRY", "cross")
    monkeypatch.setenv("LOBDECK_EXECUTION__EXIT_AFTER_S", "1")
    monkeypatch.setenv("LOBDECK_WATCH__BEFORE_PROOF", "trade")
    monkeypatch.setattr("app.live_orders.key_path", lambda _: tmp_path / "keys.toml")
    (tmp_path / "config.toml").write_text(LIMITS)
    return tmp_path


@contextmanager
def live(home: Path, at: dict[str, Any], key: ApiKey) -> Iterator[VenueSession]:
    """Run a LIVE session at a sim with a key."""
    write_keys(home / "keys.toml", key)
    options = RunOptions(
        venue="binance",
        symbols=("BTCUSDT",),
        base_url=at["base_url"],
        live=True,
        account="main",
        config=home / "config.toml",
        fees="0/0",
        workers=1,
        name="live",
        model=approved_for_live(home),
    )
    spec, place = live_session(options, confirm=lambda *_: "LIVE main binance", euid=1_000)
    with running(spec, place) as session:
        yield session


def everything_written(home: Path) -> dict[str, bytes]:
    """Give what stands in every file but the key's own, the records of journals unpacked."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name != "keys.toml")
    found = {str(path): path.read_bytes() for path in files}
    for entry in list_sessions():
        if is_journal(entry.place.journal_dir):
            _, records = read_journal(entry.place.journal_dir)
            found[f"records of {entry.place.name}"] = b"\n".join(one.payload for one in records)
    return found


def told_to_processes(session: VenueSession) -> dict[str, bytes]:
    """Give command lines and environments of the session and all it started."""
    whole = psutil.Process(session.process.pid)
    found = {}
    for process in (whole, *whole.children(recursive=True)):
        for what in ("cmdline", "environ"):
            found[f"{what} of {process.pid}"] = Path(f"/proc/{process.pid}/{what}").read_bytes()
    return found


def only_for_their_owner(home: Path) -> None:
    """Directories are 0700 and sockets, keys, gates and journals 0600; nothing can be written by others."""
    for path in (home / "keys.toml", *(home / "sessions").rglob("*"), *(home / "accounts").rglob("*")):
        mode = path.lstat().st_mode
        private = (
            path.is_dir() or path.is_socket() or path.name in ("keys.toml", "gate", "lock", "KILL", "heart")
        )
        assert mode & (0o077 if private or "journal" in path.parts else 0o022) == 0, (path, oct(mode))


def nowhere(secret: str, places: dict[str, bytes]) -> None:
    assert [name for name, content in places.items() if secret.encode() in content] == []


def test_a_secret_stands_in_its_own_file_alone_whatever_goes_wrong(home: Path) -> None:
    ledger, faults = home / "ledger", [word for one in ERRORS for word in ("--fault", one)]
    with sim_process("--seed", "7", "--ledger", str(ledger), *faults) as sim:
        secret = sim.at["secret"]
        with live(home, sim.at, ApiKey(sim.at["api_key"], secret)) as session:
            until(lambda: session.place.link_socket.exists(), what="it listens")
            with LinkClient(session.place) as client, Terminal(["-m", "app", "attach", "live"]) as console:
                client.attach()
                client.command(Command.SET_AUTHORITY, authority=int(Authority.AUTO))
                until(lambda: client.command(Command.RESUME).text == "ACTIVE", what="it trades")
                until(lambda: len(lines_of(ledger)) > 3, what="orders went")
                for page in (b"5", b"6", b"4", b"2"):
                    console.type(page)
                    console.read(0.2)
                running_with = told_to_processes(session)
                only_for_their_owner(home)
                guard = report_of(session.place).pid
                limits = [
                    psutil.Process(pid).rlimit(resource.RLIMIT_CORE)[0]
                    for pid in (session.process.pid, guard)
                ]
                os.kill(session.process.pid, signal.SIGABRT)
                until(lambda: not is_alive(guard), 30, "the guard ends")
                console.read(0.5)
                seen = bytes(console.output)
            _, errors = session.process.communicate(timeout=10)
        said = [lobdeck(*words) for words in (("status", "live"), ("sessions",), ("kill", "live"))]
    written = everything_written(home)
    assert any(b"BTCUSDT" in content for content in written.values()), "what is looked through holds words"
    assert limits == [0, 0], "no core file of a process that knows a key"
    nowhere(secret, written)
    nowhere(secret, running_with)
    nowhere(secret, {"the screen": seen, "stderr": errors.encode()})
    nowhere(secret, {" ".join(one.args): (one.stdout + one.stderr).encode() for one in said})


def test_a_key_the_venue_does_not_know_is_refused_without_being_named(home: Path) -> None:
    key = ApiKey("CANARY-KEY-0123456789", "CANARY-SECRET-0123456789")
    with sim_process("--seed", "7") as sim, live(home, sim.at, key) as session:
        _, errors = session.process.communicate(timeout=30)
    assert session.process.returncode == 2
    assert errors.count("\n") == 1
    for canary in (key.api_key, key.secret):
        nowhere(canary, {**everything_written(home), "stderr": errors.encode()})
