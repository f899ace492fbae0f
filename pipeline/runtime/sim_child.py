"""The simulated exchange as a child of a session: started, watched, ended with it.

The session holds the writing end of a pipe and writes nothing into it; the exchange ends when it reads the
end of it. So it goes when the session goes, also by SIGKILL, and no signal meant for a terminal reaches it.
It says where it is in one line, and in a last one what its ledger says, which goes into the log.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pipeline.runtime.feed_endpoints import feed_urls
from pipeline.runtime.feed_params import FeedParams
from pipeline.runtime.sim_params import SimParams
from pipeline.runtime.venue_keys import write_keys
from pipeline.runtime.venue_params import VenueParams
from pipeline.runtime.worker_process import child_environment, open_log
from pipeline.wire.binance_requests import ApiKey

LOG_NAME = "sim.log"
KEYS_NAME = "sim-keys.toml"
LOG_BYTES = 1 << 20
_MOST_LINE_BYTES = 65_536
_ENDING_S = 1.0


class SimError(Exception):
    """The simulated exchange cannot be had; one line says why and where its log is."""


class SimAddress(msgspec.Struct, frozen=True):
    """Where the exchange is and its key, which is worth nothing anywhere else."""

    base_url: str
    api_url: str
    api_key: str
    secret: str


class SimChild:
    """One exchange; `address` first, `close` at the end."""

    def __init__(self, params: SimParams, symbols: Sequence[str], directory: Path) -> None:
        """Start the process; it answers a third of a second later.

        Raises:
            OSError: no descriptors, or the interpreter cannot be run.
        """
        self._params = params
        self._log_path = directory / LOG_NAME
        theirs, self._life_fd = os.pipe()
        try:
            self._process = self._start(symbols, theirs)
        finally:
            os.close(theirs)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (LOG_BYTES, LOG_BYTES))
        self.pid = self._process.pid

    def _start(self, symbols: Sequence[str], life_fd: int) -> subprocess.Popen[bytes]:
        params = self._params
        options = ["--json", "--life-fd", str(life_fd), "--seed", str(params.seed), "--pace", params.pace]
        options += ["--fees", params.fees]
        options += [part for symbol in symbols for part in ("--symbol", symbol)]
        options += [part for fault in params.faults for part in ("--fault", fault)]
        with open_log(self._log_path, LOG_BYTES) as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "pipeline.sim.server_main", *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                pass_fds=(life_fd,),
                env=child_environment(),
            )

    @property
    def life_fd(self) -> int:
        """Give the descriptor that keeps the exchange alive as long as anybody holds it open."""
        return self._life_fd

    def address(self) -> SimAddress:
        """Wait for the exchange to say where it is.

        Raises:
            SimError: it ended, said something else, or was silent for too long.
        """
        line = self._first_line()
        try:
            return msgspec.json.decode(line, type=SimAddress)
        except ValueError:
            why = "ended at once" if self.exit_status is not None else "did not say where it is"
            raise SimError(f"the simulated exchange {why} (log: {self._log_path})") from None

    @property
    def exit_status(self) -> int | None:
        """Give the exit status once it has ended, negative for a signal; None while it runs."""
        return self._process.poll()

    def close(self) -> None:
        """End the exchange, by force when it takes too long, and log what its ledger says."""
        os.close(self._life_fd)
        try:
            last, _ = self._process.communicate(timeout=self._params.end_ms / 1_000)
        except subprocess.TimeoutExpired:
            self._process.kill()
            last, _ = self._process.communicate()
        with open_log(self._log_path, LOG_BYTES) as log:
            log.write(last[-_MOST_LINE_BYTES:])

    def _first_line(self) -> bytes:
        out = self._process.stdout
        assert out is not None
        line, until_s = b"", time.monotonic() + self._params.ready_ms / 1_000
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while not line.endswith(b"\n") and len(line) < _MOST_LINE_BYTES:
                if not selector.select(max(0.0, until_s - time.monotonic())):
                    break
                read = os.read(out.fileno(), _MOST_LINE_BYTES)
                if not read:
                    # Its status is to be known by whoever asks next.
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(_ENDING_S)
                    break
                line += read
        return line


def orders_at(address: SimAddress, directory: Path) -> VenueParams:
    """Give the order endpoint of an exchange; its key goes into the session's own directory, 0600.

    Raises:
        OSError: the key cannot be written.
    """
    keys = directory / KEYS_NAME
    keys.unlink(missing_ok=True)
    write_keys(keys, ApiKey(address.api_key, address.secret))
    return VenueParams(api_url=address.api_url, key_path=str(keys), account="sim", earlier_ms=0)


def aimed(feed: FeedParams, venue: str, address: SimAddress) -> FeedParams:
    """Give a feed's settings with the exchange in the place of the venue."""
    stream_url, rest_url = feed_urls(venue, address.base_url)
    return msgspec.structs.replace(feed, stream_url=stream_url, rest_url=rest_url)


def ended_words(status: int) -> str:
    """Give how a process ended, for a person."""
    return f"signal {-status}" if status < 0 else f"status {status}"
