"""What sessions learn of models, kept over restarts: a small file a model, symbol and kind of market.

    HOME/records/KIND-VENUE-SYMBOL-MODEL16.msgpack

A record enters the next session as an input, before any row is asked for, so a journal replays with it. PAPER
and LIVE look at the same market and share it; a simulated exchange is a market of its own. Replays neither
read nor write: the same capture must give the same effects every time. Writing is a thread's business; a disk
that cannot be written costs the next session its record and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from pipeline.core.engine import Engine
from pipeline.core.inputs import ModelRecord
from pipeline.core.monitor_state import MonitorState
from pipeline.core.params import SECOND, EngineParams
from pipeline.core.types import VenueMode
from pipeline.runtime.private_dirs import PlacesError, make_private_dir

RECORD_VERSION = 1
OLDEST_NS = 86_400 * SECOND
"""An older record says little: rankings travel from day to day, calibration does not."""
SAVE_EVERY_S = 60.0
MOST_BYTES = 4 << 20

_KINDS = {VenueMode.PAPER: "market", VenueMode.LIVE: "market", VenueMode.SIM: "sim"}
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


class RecordFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: where the outcomes come from, when it was written by the wall clock, and the record."""

    version: int
    kind: str
    venue: str
    symbol: str
    written_ns: int
    state: MonitorState


class ModelRecords:
    """Reads records at the start of a session and writes them while it runs."""

    def __init__(self, folder: Path, params: EngineParams) -> None:
        """`folder` is made when something is written; a REPLAY has no records."""
        self._folder = folder
        self._kind = _KINDS.get(params.mode, "")
        self._venues = {one.symbol: one.venue for one in params.instruments}
        self._known: set[str] = set()
        """Models whose record was asked for: one that comes back has its own by now."""
        self._next_s = 0.0
        self._writer: threading.Thread | None = None

    def unasked(self, engine: Engine) -> tuple[str, ...]:
        """Give the running models whose records nobody asked for yet; the next call gives no more of them."""
        book = engine.models
        running = (*((book.live,) if book.live is not None else ()), *book.shadows)
        found = tuple(m.model_id for m in running if m.model_id not in self._known)
        self._known.update(found)
        return found if self._kind else ()

    def load(self, model_ids: Sequence[str], wall_ns: int) -> tuple[ModelRecord, ...]:
        """Give the records of these models that are fit to go on from, without a time; reads files."""
        return tuple(
            ModelRecord(found.symbol, found.state, 0)
            for symbol in self._venues
            for model_id in model_ids
            if (found := self._read(symbol, model_id, wall_ns)) is not None
        )

    def save_when_due(self, engine: Engine, now_s: float, wall_ns: int) -> None:
        """Write what was learned, once a minute, in a thread; never two at a time."""
        if not self._kind or now_s < self._next_s:
            return
        first, self._next_s = self._next_s == 0.0, now_s + SAVE_EVERY_S
        if first or (self._writer is not None and self._writer.is_alive()):
            return
        files = tuple(self._files(engine, wall_ns))
        self._writer = threading.Thread(target=self._write, args=(files,), name="records", daemon=True)
        self._writer.start()

    def save(self, engine: Engine, wall_ns: int) -> None:
        """Write what was learned and wait for the disk: the session ends."""
        if not self._kind:
            return
        if self._writer is not None:
            self._writer.join(timeout=5.0)
        self._write(tuple(self._files(engine, wall_ns)))

    def path(self, symbol: str, model_id: str) -> Path:
        """Give where the record of a model on a symbol is kept."""
        parts = (self._kind, self._venues[symbol], symbol, model_id[:16])
        return self._folder / ("-".join(_UNSAFE.sub("_", part) for part in parts) + ".msgpack")

    def _files(self, engine: Engine, wall_ns: int) -> Iterator[RecordFile]:
        for symbol, state in engine.model_states():
            venue = self._venues[symbol]
            yield RecordFile(RECORD_VERSION, self._kind, venue, symbol, wall_ns, state)

    def _write(self, files: Sequence[RecordFile]) -> None:
        try:
            if files:
                make_private_dir(self._folder)
            for one in files:
                path = self.path(one.symbol, one.state.model_id)
                partial = path.with_name(f"{path.name}.{os.getpid()}")
                partial.write_bytes(msgspec.msgpack.encode(one))
                partial.replace(path)
        except (OSError, PlacesError) as problem:
            with contextlib.suppress(OSError):
                sys.stderr.write(f"lobdeck: models' records are not kept: {problem}\n")

    def _read(self, symbol: str, model_id: str, wall_ns: int) -> RecordFile | None:
        """Give the record of a model on a symbol; None where there is none that is sound and young."""
        path = self.path(symbol, model_id)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError(f"larger than {MOST_BYTES} bytes")
            found = msgspec.msgpack.decode(path.read_bytes(), type=RecordFile)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as problem:
            sys.stderr.write(f"lobdeck: {path} is not used: {problem}\n")
            return None
        here = (RECORD_VERSION, self._kind, self._venues[symbol], symbol, model_id)
        says = (found.version, found.kind, found.venue, found.symbol, found.state.model_id)
        young = -SECOND * 3_600 <= wall_ns - found.written_ns <= OLDEST_NS
        return found if says == here and young else None
