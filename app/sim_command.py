"""`lobdeck sim`: the simulated exchange alone, or a capture served as a live feed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.core.types import Instrument, SyncRule
from pipeline.runtime.capture import is_journal, open_capture, probe
from pipeline.runtime.instruments import load_instruments
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_text import export_frames
from pipeline.runtime.places import config_dir
from pipeline.sim.opening import SimOptions, open_live, open_replay
from pipeline.sim.protocol.dialect import DIALECTS
from pipeline.sim.replayed_market import Frames, ReplayError
from pipeline.sim.serving import Serving, line_sink, planted_words, run, sim_options


class SimError(Exception):
    """The simulated exchange cannot be started; one line says why."""


@dataclass(frozen=True, slots=True)
class SimRequest:
    """What the command line asked for."""

    seed: int
    port: int
    seconds: float
    symbols: tuple[str, ...]
    pace: str
    informed: float | None
    fees: str
    faults: tuple[str, ...]
    lifetime_s: float
    ledger: Path | None
    as_json: bool
    captures: tuple[Path, ...] = ()
    speed: float = 1.0
    loop: bool = False
    times_as_captured: bool = False
    venue: str = "binance"
    requests: Path | None = None


def speed_of(text: str) -> float:
    """Read `--speed`.

    Raises:
        SimError: it is no pace a live feed can have.
    """
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1_000:
        raise SimError(f"sim: --speed {text[:20]}: wanted times real time, 0.01 to 1000")
    return speed


def run_sim(request: SimRequest) -> int:
    """Serve until Ctrl+C, the given time, or the capture's end; give the exit status.

    Raises:
        SimError: an option cannot be used, or the port is taken.
        CaptureError: a capture cannot be read.
    """
    try:
        options = sim_options(
            seed=request.seed,
            venue=request.venue,
            symbols=request.symbols,
            pace=request.pace,
            informed=request.informed,
            fees=request.fees,
            faults=request.faults,
            lifetime_s=request.lifetime_s,
        )
        if request.captures:
            _serve_captures(request, options)
        else:
            _serve_live(request, options)
    except (ValueError, OSError, ReplayError) as error:
        raise SimError(f"sim: {error}") from error
    return 0


def _serve_live(request: SimRequest, options: SimOptions) -> None:
    with ExitStack() as stack:
        sinks = line_sink(request.ledger, stack), line_sink(request.requests, stack)
        venue = open_live(options, time.time_ns(), *sinks)
        run(venue, _serving(request, options, planted_words(options), options.symbols))


def _serve_captures(request: SimRequest, options: SimOptions) -> None:
    """Serve captures once, or again and again, each time from the start on the same port."""
    open_frames, instruments = _frames_of(request.captures)
    if instruments[0].sync_rule is SyncRule.STREAMED:
        raise SimError(f"sim: a capture of {instruments[0].venue} cannot be served: the sim speaks Binance")
    by_symbol = {one.symbol: one for one in instruments}
    venue = instruments[0].venue
    options = replace(options, venue=venue if venue in DIALECTS else options.venue)
    what = f"capture of {venue} {', '.join(by_symbol)}; orders are refused"
    serving = _serving(request, options, what, tuple(by_symbol))
    while _play(request, options, serving, open_frames, by_symbol) and request.loop:
        continue


def _play(
    request: SimRequest,
    options: SimOptions,
    serving: Serving,
    open_frames: Callable[[], Frames],
    instruments: dict[str, Instrument],
) -> bool:
    """Serve the captures once; say whether they were played to their end."""
    venue, market = open_replay(
        options,
        open_frames,
        instruments,
        time.time_ns(),
        speed=request.speed,
        times_now=not request.times_as_captured,
    )
    return run(venue, serving, lambda: market.is_over)


def _frames_of(paths: Sequence[Path]) -> tuple[Callable[[], Frames], tuple[Instrument, ...]]:
    """Give what reads the frames from the beginning, and the instruments they are of."""
    if len(paths) == 1 and (paths[0].is_dir() or is_journal(paths[0])):
        header, _ = read_journal(paths[0])
        return (lambda: _journal_frames(paths[0])), header.params.instruments
    info = probe(paths)
    instruments = load_instruments(info.venue, info.symbols, None, config_dir() / "instruments.toml")
    return (lambda: ((one.ts_recv_ns, one.payload) for one in open_capture(paths))), instruments


def _journal_frames(path: Path) -> Iterator[tuple[int, bytes]]:
    for line in export_frames(path):
        stamp, _, payload = line.rstrip(b"\n").partition(b" ")
        yield int(stamp), payload


def _serving(request: SimRequest, options: SimOptions, what: str, symbols: tuple[str, ...]) -> Serving:
    return Serving(options, what, symbols, request.port, request.seconds, request.as_json)
