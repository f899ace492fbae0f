"""`lobdeck replay`: from options to a session, with or without a console."""

from __future__ import annotations

import datetime
import importlib.resources
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.config import load_config
from app.config_build import build_engine_params
from app.launch import load_console, prepare_session, start_session
from app.session_options import SessionOptions
from app.shadow_models import shadow_models
from app.shell import operator, require_terminal
from pipeline.core.types import Authority, Instrument, VenueMode
from pipeline.models.expectation import Expectation
from pipeline.models.inspection import InspectedModel, inspect_model, model_spec
from pipeline.models.manifest import read_manifest
from pipeline.models.refusal import ModelRefused
from pipeline.models.venue_offer import expectation_for, planted_words
from pipeline.runtime.capture import CaptureInfo, probe
from pipeline.runtime.instruments import load_instruments, parse_fees
from pipeline.runtime.journal_format import OWN_EXCHANGE
from pipeline.runtime.journal_reader import is_journal, read_journal
from pipeline.runtime.places import SessionPlace, config_dir, make_session, new_session_name, session_place
from pipeline.runtime.spec import SessionSpec

LOCKSTEP_DEADLINE_MS = 10_000
"""Real time a replay waits for an answer; its virtual delay is configured apart."""


class OptionError(Exception):
    """An option cannot be used; one line says which, what was found and what is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions(SessionOptions):
    """What the command line asked for."""

    paths: tuple[Path, ...]
    prefix: str
    venue: str | None = None
    speed: float = 1.0
    loop: bool = False
    journal: bool = False


def sample_capture() -> Path:
    """Give the recording of the simulated market that ships with the package."""
    return Path(str(importlib.resources.files("pipeline.sim") / "data" / "synthetic_btcusdt.zst"))


def bundled_model(name: str) -> Path:
    """Give a model that ships with the package."""
    return Path(str(importlib.resources.files("pipeline.models") / "bundled" / f"{name}.onnx"))


def default_model(instruments: Sequence[Instrument]) -> Path:
    """Give the bundled model: the trained one for what it was trained on, else the reference."""
    trained = bundled_model("ob-logit")
    contract = inspect_model(trained, Expectation()).contract
    here = {instrument.symbol for instrument in instruments}
    fits = contract.venue == instruments[0].venue and here <= set(contract.symbols)
    return trained if fits else bundled_model("qi-logit")


def parse_speed(text: str) -> float:
    """Give the pace of `--speed`: 0 for `max`, else times real time.

    Raises:
        OptionError: no such pace.
    """
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0.01 <= speed <= 1000:
        raise OptionError(f"--speed {text}: wanted max, or times real time from 0.01 to 1000")
    return speed


def parse_authority(text: str | None) -> Authority | None:
    """Give the authority of `--authority`; None where none was asked for.

    Raises:
        OptionError: no such authority.
    """
    if text is None:
        return None
    if text.upper() not in Authority.__members__:
        raise OptionError(f"--authority {text}: wanted observe, approve or auto")
    return Authority[text.upper()]


def run_replay(options: ReplayOptions) -> int:
    """Run a replay to its end; give the exit status."""
    if options.headless:
        return run_headless(*build_session(options))
    parse_authority(options.authority)  # a wrong value is told before a missing terminal
    require_terminal()
    spec, place = build_session(options)
    start_session(spec, place, load_console)
    from app.attach_command import attach_console

    return attach_console(place, watch=False, slow=options.slow)


def run_headless(spec: SessionSpec, place: SessionPlace) -> int:
    """Run a session in this process, without a screen; its summary goes to stdout unless to a file."""
    from pipeline.runtime.session_main import run_session
    from pipeline.runtime.summary import EXIT_FAILED, SummaryError

    prepare_session(spec, place)
    try:
        summary = run_session(spec, place.root)
    except SummaryError as problem:
        sys.stderr.write(f"lobdeck: {problem}\n")
        return EXIT_FAILED
    if summary.content["journal_head"]:
        sys.stderr.write(f"journal head {summary.content['journal_head']}\n")
    if not spec.summary_path:
        sys.stdout.write(summary.to_json().decode())
    return summary.exit_status


def build_session(options: ReplayOptions) -> tuple[SessionSpec, SessionPlace]:
    """Turn options into a session's spec and its directory; nothing has been started yet.

    The directory comes last, so that what is refused leaves none behind.
    """
    _check_summary(options.summary)
    if len(options.paths) == 1 and is_journal(options.paths[0]):
        return _journal_session(options)
    overrides = {} if options.workers is None else {"workers.count": options.workers}
    config = load_config(options.config, overrides)
    info = probe(options.paths, options.venue or "")
    fees = parse_fees(options.fees) if options.fees is not None else None
    instruments = load_instruments(info.venue, info.symbols, fees, config_dir() / "instruments.toml")
    today = datetime.datetime.fromtimestamp(info.first_ts_ns / 1e9, datetime.UTC).strftime("%Y-%m-%d")
    model_path = options.model or default_model(instruments)
    inspected = _inspected(model_path, expectation_for(instruments[0], today))
    if read_manifest(model_path) is None:
        sys.stderr.write(f"lobdeck: {model_path.name} has no manifest: approved for nothing but a replay\n")
    live = model_spec(inspected.contract, inspected.model_id)
    shadows, shadow_paths = shadow_models(options.shadow or (), live, instruments[0], today)
    params = build_engine_params(
        config,
        VenueMode.REPLAY,
        parse_authority(options.authority),
        instruments,
        live,
        session_number=1,
    )
    params = msgspec.structs.replace(params, shadows=shadows)
    place = _place(options, info)
    spec = SessionSpec(
        name=place.name,
        venue=info.venue,
        symbols=_symbols(instruments),
        params=params,
        captures=tuple(str(path.absolute()) for path in options.paths),
        model_path=str(model_path.absolute()),
        shadow_paths=shadow_paths,
        workers=config.workers.count,
        ring_depth=config.workers.ring_depth,
        worker_deadline_ms=LOCKSTEP_DEADLINE_MS,
        speed=options.speed,
        loop=options.loop,
        inference_latency_ns=config.replay.inference_latency_ms * 1_000_000,
        ack_latency_ns=config.replay.ack_latency_ms * 1_000_000,
        cancel_latency_ns=config.replay.cancel_latency_ms * 1_000_000,
        journal=options.journal,
        journal_segment_mb=config.session.journal_segment_mb,
        journal_max_gb=config.journal.max_gb,
        headless=options.headless,
        seconds=options.seconds,
        summary_path=str(options.summary.absolute()) if options.summary else "",
        linger_s=float(config.session.linger_s),
        operator=operator(),
        planted=[path.resolve() for path in options.paths] == [sample_capture().resolve()],
        today=today,
    )
    warned = "" if spec.planted else planted_words(live.name)
    if warned:
        sys.stderr.write(f"lobdeck: {warned}\n")
    if info.others and options.venue is None:
        others = " or ".join(info.others)
        sys.stderr.write(f"lobdeck: replaying {info.venue}; --venue plays {others} of the same files\n")
    return spec, place


def _journal_session(options: ReplayOptions) -> tuple[SessionSpec, SessionPlace]:
    """A journal brings its own parameters, instruments and model identity: nothing of today is mixed in."""
    header, _ = read_journal(options.paths[0])
    params = header.params
    given = (options.model, options.shadow, options.fees, options.authority, options.workers, options.config)
    if any(option is not None for option in given):
        raise OptionError(
            "a journal is replayed as it was: "
            "leave out --model, --shadow, --fees, --authority, --workers, --config"
        )
    symbols = tuple(instrument.symbol for instrument in params.instruments)
    info = CaptureInfo(params.instruments[0].venue, symbols, header.created_ns)
    place = _place(options, info)
    spec = SessionSpec(
        name=place.name,
        venue=info.venue,
        symbols=symbols,
        params=params,
        captures=(str(options.paths[0].absolute()),),
        model_path="",
        speed=options.speed,
        loop=options.loop,
        headless=options.headless,
        seconds=options.seconds,
        summary_path=str(options.summary.absolute()) if options.summary else "",
        operator=operator(),
        is_journal=True,
        replays_own_exchange=OWN_EXCHANGE.items() <= header.notes.items(),
    )
    return spec, place


def _check_summary(path: Path | None) -> None:
    """Refuse a summary that could not be written when the session has ended."""
    if path is not None and (path.is_dir() or not os.access(path.absolute().parent, os.W_OK)):
        raise OptionError(f"--summary {path}: wanted a file in a directory that can be written to")


def _inspected(path: Path, expected: Expectation) -> InspectedModel:
    try:
        return inspect_model(path, expected)
    except ModelRefused as problem:
        raise OptionError(f"--model {path}: {problem}") from problem


def _symbols(instruments: tuple[Instrument, ...]) -> tuple[str, ...]:
    return tuple(instrument.symbol for instrument in instruments)


def _place(options: ReplayOptions, info: CaptureInfo) -> SessionPlace:
    if options.name is not None:
        return make_session(options.name)
    return session_place(new_session_name(f"{options.prefix}-{info.venue}-{info.symbols[0]}"))
