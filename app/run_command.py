"""`lobdeck run` and `lobdeck record`: from options to a session on a venue's live data.

Orders of `run` meet the paper venue, or a real one with `--live` (`live_orders`); `record` trades nothing.
"""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import typer

from app.config import Config, load_config
from app.config_build import build_engine_params
from app.door_groups import door_group
from app.journal_command import export
from app.launch import load_console, start_session
from app.replay_command import OptionError, default_model, parse_authority, run_headless
from app.session_options import SessionOptions
from app.shadow_models import shadow_models
from app.shell import operator, require_terminal
from pipeline.core.params import EngineParams
from pipeline.core.types import Authority, Instrument, VenueMode
from pipeline.models.inspection import model_spec
from pipeline.models.refusal import ModelRefused, RefusalCode
from pipeline.models.registry import approved_model, role_of
from pipeline.models.venue_offer import expectation_for, planted_words
from pipeline.runtime.feed_endpoints import depth_weight, feed_urls
from pipeline.runtime.feed_params import FeedParams
from pipeline.runtime.instruments import load_instruments, parse_fees
from pipeline.runtime.places import SessionPlace, config_dir, make_session, new_session_name, session_place
from pipeline.runtime.spec import SessionSpec

_FRAME_MARGIN_BYTES = 64 * 1024
"""Kept free of a journal segment beside the largest message."""
MOST_SYMBOLS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(SessionOptions):
    """What the command line asked for."""

    venue: str
    symbols: tuple[str, ...]
    base_url: str = ""
    live: bool = False
    account: str = ""
    """Whose key signs real orders; its file is `keys/ACCOUNT.toml`."""
    journal: bool = True


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What the command line asked `record` for."""

    venue: str
    symbols: tuple[str, ...]
    base_url: str = ""
    name: str | None = None
    config: Path | None = None
    output: Path | None = None
    seconds: float = 0.0
    summary: Path | None = None


def run_live(options: RunOptions) -> int:
    """Run a session on live data to its end; give the exit status.

    Raises:
        OptionError: an option cannot be used.
    """
    spec, place = _confirmed(options) if options.live else build_live_session(options)
    if options.headless:
        return run_headless(spec, place)
    start_session(spec, place, load_console)
    from app.attach_command import attach_console

    return attach_console(place, watch=False, slow=options.slow)


def record(options: RecordOptions) -> int:
    """Record live data until told to stop, without a screen; give the exit status.

    Raises:
        OptionError: several symbols for one file of stamped lines, or a file that exists.
        ExportError: the file cannot be written; the journal stands.
    """
    output = options.output
    if output is not None and len(options.symbols) > 1:
        raise OptionError("-o with several symbols: stamped lines name no symbol; leave -o out for a journal")
    if output is not None and output.exists():
        raise OptionError(f"-o {output}: exists already; name another file")
    spec, place = _recording(options)
    status = run_headless(spec, place)
    if output is not None:
        export(place.journal_dir, output)
    return status


def build_live_session(options: RunOptions) -> tuple[SessionSpec, SessionPlace]:
    """Turn options into a paper session's spec and its directory; nothing has been started yet.

    Raises:
        OptionError: an option cannot be used.
    """
    if options.account:
        raise OptionError("--account: for --live only; orders meet the paper venue without it")
    return session_on_live_data(options, VenueMode.PAPER, session_number=1)


def session_on_live_data(
    options: RunOptions,
    mode: VenueMode,
    session_number: int,
    *,
    defaults: Mapping[str, object] | None = None,
    prefix: str = "",
) -> tuple[SessionSpec, SessionPlace]:
    """Turn options into a session on a venue's live data; where its orders go is the caller's to add.

    `defaults` are settings (dotted names) that hold unless the configuration says otherwise; `prefix` begins
    the name of a session that was given none, instead of venue and symbol.

    Raises:
        OptionError: an option cannot be used.
    """
    overrides = {} if options.workers is None else {"workers.count": options.workers}
    config = load_config(options.config, overrides, defaults)
    fees = parse_fees(options.fees) if options.fees is not None else None
    feed = feed_params(options.venue, options.base_url, config)
    instruments = load_instruments(options.venue, options.symbols, fees, config_dir() / "instruments.toml")
    today = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    model_path = options.model or default_model(instruments)
    role = role_of(mode is VenueMode.LIVE)
    inspected = approved_model(model_path, expectation_for(instruments[0], today, role=role))
    live = model_spec(inspected.contract, inspected.model_id)
    if mode is not VenueMode.SIM:
        _mind_planted(live.name, own_address=bool(options.base_url or config.feed.base_url))
    shadows, shadow_paths = shadow_models(options.shadow or (), live, instruments[0], today)
    params = build_engine_params(
        config,
        mode,
        parse_authority(options.authority),
        instruments,
        live,
        session_number=session_number,
    )
    params = msgspec.structs.replace(params, shadows=shadows)
    place = _place(options.name, prefix or f"{options.venue}-{options.symbols[0]}")
    spec = _spec(place, params, feed, config, options.seconds, options.summary)
    spec = msgspec.structs.replace(
        spec,
        model_path=str(model_path.absolute()),
        shadow_paths=shadow_paths,
        headless=options.headless,
        journal=options.journal,
        today=today,
    )
    return spec, place


def _mind_planted(name: str, *, own_address: bool) -> None:
    """Refuse a model of planted flow at the venue itself; another address may be a sim, so say it in a line.

    Raises:
        ModelRefused: the model was fitted on the simulated exchange.
    """
    words = planted_words(name)
    if words and not own_address:
        raise ModelRefused(RefusalCode.E_SPAN, words)
    if words:
        sys.stderr.write(f"lobdeck: {words}\n")


def symbols_of(given: Sequence[str]) -> tuple[str, ...]:
    """Give the symbols of `--symbol`, which may stand several times or hold commas: capitals, each once.

    Raises:
        OptionError: none, or more than a session takes.
    """
    names = (name.strip().upper() for text in given for name in text.split(","))
    wanted = tuple(dict.fromkeys(name for name in names if name))
    if not 1 <= len(wanted) <= MOST_SYMBOLS:
        raise OptionError(f"--symbol: found {len(wanted)} symbols, wanted 1 to {MOST_SYMBOLS}")
    return wanted


def feed_params(venue: str, base_url: str, config: Config) -> FeedParams:
    """Give the feed's settings; `base_url` of the command line goes before the configured one.

    Raises:
        FeedError: unknown venue, no URL, or a book deeper than the venue gives.
    """
    settings = config.feed
    stream_url, rest_url = feed_urls(venue, base_url or settings.base_url)
    depth_weight(venue, settings.snapshot_levels)
    segment_bytes = config.session.journal_segment_mb << 20
    return FeedParams(
        stream_url=stream_url,
        rest_url=rest_url,
        max_frame_bytes=min(settings.max_frame_mb << 20, segment_bytes - _FRAME_MARGIN_BYTES),
        first_message_ms=settings.first_message_ms,
        silent_depth_ms=settings.silent_depth_ms,
        silent_trades_ms=settings.silent_trades_ms,
        deaf_ms=settings.deaf_ms,
        backoff_first_ms=settings.reconnect_first_ms,
        backoff_longest_ms=settings.reconnect_max_ms,
        attempts=settings.reconnects,
        notice_age_ms=settings.notice_age_ms,
        snapshot_limit=settings.snapshot_levels,
    )


def _confirmed(options: RunOptions) -> tuple[SessionSpec, SessionPlace]:
    """Make a LIVE session after its words were typed on the terminal.

    Raises:
        OptionError: something does not hold.
        ShellError: there is no terminal.
    """
    from app.live_orders import live_session

    def confirm(words: str, prompt: str) -> str:
        require_terminal()
        typer.echo(words, err=True)
        return str(typer.prompt(prompt, default="", show_default=False, err=True))

    return live_session(options, confirm=confirm, euid=os.geteuid())


def _recording(options: RecordOptions) -> tuple[SessionSpec, SessionPlace]:
    config = load_config(options.config)
    feed = feed_params(options.venue, options.base_url, config)
    instruments = load_instruments(options.venue, options.symbols, None, config_dir() / "instruments.toml")
    params = build_engine_params(config, VenueMode.PAPER, Authority.OBSERVE, instruments, None)
    place = _place(options.name, f"record-{options.venue}-{options.symbols[0]}")
    spec = _spec(place, params, feed, config, options.seconds, options.summary)
    return msgspec.structs.replace(spec, headless=True, journal=True), place


def _spec(
    place: SessionPlace,
    params: EngineParams,
    feed: FeedParams,
    config: Config,
    seconds: float,
    summary: Path | None,
) -> SessionSpec:
    workers = config.workers
    return SessionSpec(
        name=place.name,
        venue=params.instruments[0].venue,
        symbols=_names(params.instruments),
        params=params,
        captures=(),
        model_path="",
        workers=workers.count,
        ring_depth=workers.ring_depth,
        worker_deadline_ms=workers.deadline_ms,
        ack_latency_ns=config.replay.ack_latency_ms * 1_000_000,
        cancel_latency_ns=config.replay.cancel_latency_ms * 1_000_000,
        journal_segment_mb=config.session.journal_segment_mb,
        seconds=seconds,
        summary_path=str(summary.absolute()) if summary else "",
        linger_s=float(config.session.linger_s),
        operator=operator(),
        feed=feed,
        guard=config.guard.settings(),
        kill_gid=door_group(config.access.kill_group, "access.kill_group"),
        release_gid=door_group(config.access.release_group, "access.release_group"),
        heads=config.journal.heads(params.mode),
        journal_max_gb=config.journal.max_gb,
        worker_spares=workers.spares,
        worker_hang_ms=workers.hang_ms,
        worker_restart_first_ms=workers.restart_first_ms,
        worker_restart_max_ms=workers.restart_max_ms,
    )


def _names(instruments: tuple[Instrument, ...]) -> tuple[str, ...]:
    return tuple(instrument.symbol for instrument in instruments)


def _place(name: str | None, prefix: str) -> SessionPlace:
    return make_session(name) if name is not None else session_place(new_session_name(prefix))
