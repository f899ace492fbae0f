"""What a dataset is built from: options checked, captures and journals turned into runs of the engine."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.config import load_config
from app.config_build import build_engine_params
from pipeline import __version__
from pipeline.core.engine import Engine
from pipeline.core.feature_spec import MS_NS
from pipeline.core.params import MS, DecisionParams, EngineParams, ModelSpec
from pipeline.core.registry import NAMES, schema_hash, schema_json, spec_of
from pipeline.core.types import Authority, Fees, Instrument, VenueMode
from pipeline.models.expectation import TRIGGER
from pipeline.models.venue_offer import CADENCES
from pipeline.research.dataset import DatasetError, Recipe, Source
from pipeline.runtime.capture import ends_within_line, is_journal, open_capture, probe
from pipeline.runtime.capture_run import CaptureRun
from pipeline.runtime.instruments import load_instruments
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.runtime.places import config_dir
from pipeline.runtime.row_tap import Collector, TappedCapture, tapped_journal
from pipeline.wire.venues import codec_for

SHORT_MS = 30_000
"""Features that are ready within this are built unless others are asked for."""
MOST_HORIZON_MS = 600_000


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What the command line asked for."""

    paths: tuple[Path, ...]
    output: Path
    symbol: str = ""
    features: str = "short"
    horizons: str = "500,1000,3000"
    delay_ms: int = 100
    barrier_sigmas: float = 1.0
    part_rows: int = 20_000
    format: str = "npz"
    venue: str = ""
    """Of the captures, "" to find out."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One source of frames and how to play it into a collector."""

    source: Source
    instrument: Instrument
    start: Callable[[Engine, Collector], CaptureRun | JournalRun]
    params: EngineParams


def feeds_of(options: BuildOptions) -> list[Feed]:
    """Give the sources of a build: the stamped captures together first, then each journal.

    Raises:
        DatasetError: an option cannot be used, or the sources are of several instruments.
        CaptureError, JournalError, InstrumentError: an input cannot be read.
    """
    journals = [path for path in options.paths if path.is_dir() or is_journal(path)]
    stamped = tuple(path for path in options.paths if path not in journals)
    features = _features(options.features)
    feeds = [_capture_feed(stamped, options, features)] if stamped else []
    feeds += [_journal_feed(path, options.symbol, features) for path in journals]
    if not feeds:
        raise DatasetError("no capture given")
    units = {_unit_of(feed.instrument) for feed in feeds}
    if len(units) > 1:
        raise DatasetError(f"sources of {len(units)} instruments: one dataset holds one; build them apart")
    return feeds


def _capture_feed(paths: tuple[Path, ...], options: BuildOptions, features: tuple[str, ...]) -> Feed:
    info = probe(paths, options.venue)
    if info.others and not options.venue:
        raise DatasetError(
            f"{paths[0]}: holds {', '.join((info.venue, *info.others))}; choose one with --venue"
        )
    chosen = _chosen(info.symbols, options.symbol, str(paths[0]))
    instruments = load_instruments(info.venue, (chosen,), None, config_dir() / "instruments.toml")

    def start(engine: Engine, collector: Collector) -> CaptureRun:
        codec = codec_for(info.venue, {one.symbol: one for one in instruments})
        return TappedCapture(engine, codec, open_capture(paths, info.venue), chosen, collector, (chosen,))

    cut = tuple(path.name for path in paths if ends_within_line(path))
    source = Source(tuple(path.name for path in paths), tuple(map(_digest, paths)), cut)
    return Feed(source, instruments[0], start, _params(instruments, features))


def _journal_feed(path: Path, symbol: str, features: tuple[str, ...]) -> Feed:
    inner = path / "journal" if (path / "journal").is_dir() else path
    header, _ = read_journal(inner)
    instruments = {one.symbol: one for one in header.params.instruments}
    chosen = _chosen(tuple(instruments), symbol, str(path))

    def start(engine: Engine, collector: Collector) -> JournalRun:
        _, records = read_journal(inner)
        codec = codec_for(instruments[chosen].venue, instruments)
        return tapped_journal(engine, codec, records, chosen, collector, header.sources)

    files = sorted(inner.iterdir()) if inner.is_dir() else [inner]
    source = Source(tuple(one.name for one in files), tuple(map(_digest, files)))
    params = msgspec.structs.replace(header.params, model=_rows_of(features))
    return Feed(source, instruments[chosen], start, params)


def recipe_of(options: BuildOptions, feeds: Sequence[Feed]) -> Recipe:
    """Give what decides the dataset's content.

    Raises:
        DatasetError: an option cannot be used.
    """
    instrument, features = feeds[0].instrument, _features(options.features)
    if options.format not in ("npz", "parquet"):
        raise DatasetError(f"--format {options.format}: wanted npz or parquet")
    if (
        not 0 <= options.delay_ms <= MOST_HORIZON_MS
        or not options.barrier_sigmas > 0
        or options.part_rows < 1
    ):
        raise DatasetError("--delay-ms wants 0 to 600000, --barrier-sigmas above 0, --part-rows at least 1")
    cadence = CADENCES[instrument.venue]
    return Recipe(
        features=features,
        schema_hash=schema_hash(features, cadence, TRIGGER),
        schema_json=schema_json(features, cadence, TRIGGER),
        cadence=cadence,
        trigger=TRIGGER,
        grid_ms=DecisionParams().grid_ns // MS,
        instrument=instrument,
        delay_ms=options.delay_ms,
        horizons_ms=_horizons(options.horizons),
        barrier_sigmas=options.barrier_sigmas,
        part_rows=options.part_rows,
        format=options.format,
        code_version=__version__,
    )


def _features(text: str) -> tuple[str, ...]:
    if text == "all":
        return NAMES
    if text == "short":
        return tuple(name for name in NAMES if spec_of(name).ready_after_ns <= SHORT_MS * MS_NS)
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        try:
            spec_of(name)
        except ValueError as problem:
            raise DatasetError(f"--features: {problem}") from problem
    if not names or len(dict.fromkeys(names)) != len(names):
        raise DatasetError(f"--features {text}: wanted all, short, or names, each once")
    return names


def _horizons(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    horizons = tuple(int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 8)
    sound = len(horizons) == len(parts) and list(horizons) == sorted(set(horizons))
    if not sound or not all(1 <= ms <= MOST_HORIZON_MS for ms in horizons):
        raise DatasetError(
            f"--horizons {text}: wanted rising ms, each 1 to {MOST_HORIZON_MS}, as in 500,1000"
        )
    return horizons


def _chosen(symbols: tuple[str, ...], symbol: str, name: str) -> str:
    if symbol and symbol not in symbols:
        raise DatasetError(f"--symbol {symbol}: {name} has {', '.join(symbols)}")
    if not symbol and len(symbols) != 1:
        raise DatasetError(f"{name}: has {', '.join(symbols)}; choose one with --symbol")
    return symbol or symbols[0]


def _params(instruments: tuple[Instrument, ...], features: tuple[str, ...]) -> EngineParams:
    config = load_config(None, {})
    return build_engine_params(config, VenueMode.REPLAY, Authority.OBSERVE, instruments, _rows_of(features))


def _rows_of(features: tuple[str, ...]) -> ModelSpec:
    """Give a model's place that asks for rows and is never answered."""
    return ModelSpec("", "rows", 0, "", features, 1_000, True, 1, 1, 1)


def _unit_of(instrument: Instrument) -> Instrument:
    """Give what must agree for rows to be of one kind: everything but the fees."""
    return dataclasses.replace(instrument, fees=Fees(0, 0, ""))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
