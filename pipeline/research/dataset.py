"""A dataset on disk: rows in columns, part by part, and one page that says what they are.

    DIR/dataset.json   schema, instrument, windows, sources with digests, every part with its digest
    DIR/part-SS-NNNNN.npz or .parquet    the rows of source SS in order of time
    DIR/touch-SS-NNNNN.npz or .parquet   the path of the touch they were labelled from

A part has `ts_ns`, `trigger`, `segment`, `epoch`, one float32 column a feature, `bid_ticks`, `ask_ticks`, and
for each horizon h (in ms) `return_h`, `long_h`, `short_h`, `barrier_h`, `barrier_end_h` (see `labels.py`). A
segment is a stretch of uninterrupted book; it rises at each gap. An epoch counts what the engine calls a loss
of the book, and bounds windows of rows (`row_table.py`). A touch file has `ts_ns`, `bid_ticks`, `ask_ticks`
of each change, 0 from where no book can be believed; the last of a source is 1 ns after its end. The page is
written last and names every file, so what it does not name is not part of the dataset.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.core.types import Instrument

PAGE = "dataset.json"
DATASET_VERSION = 3
TOUCH_COLUMNS = ("ts_ns", "bid_ticks", "ask_ticks")

Column = npt.NDArray[Any]
Columns = Mapping[str, Column]


class DatasetError(Exception):
    """A dataset cannot be written or read; one line names the file and what is wrong."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Files that were read as one stream."""

    names: tuple[str, ...]
    sha256: tuple[str, ...]
    """Of the files as they lie on disk, in the same order."""
    cut: tuple[str, ...] = ()
    """Those that end in the middle of a line, whose last frame is lost."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of rows."""

    file: str
    source: int
    rows: int
    first_ts_ns: int
    last_ts_ns: int
    sha256: str


class HorizonMix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the labels of one horizon are mixed; the four counts add up to the rows."""

    horizon_ms: int
    down: int
    flat: int
    up: int
    unknown: int
    """Looked across a gap or past the end."""


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decides a dataset's content beside its sources: the same of both give the same rows."""

    features: tuple[str, ...]
    schema_hash: str
    schema_json: str
    cadence: str
    trigger: str
    grid_ms: int
    instrument: Instrument
    delay_ms: int
    horizons_ms: tuple[int, ...]
    barrier_sigmas: float
    """Half width of the barriers in trailing volatilities over the horizon."""
    part_rows: int
    format: str
    """`npz` or `parquet`."""
    code_version: str


class DatasetPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a dataset says of itself."""

    version: int
    recipe: Recipe
    sources: tuple[Source, ...]
    done: tuple[int, ...]
    """Sources that are whole; the dataset is complete when all are."""
    rows: int
    frames: int
    gaps: int
    mix: tuple[HorizonMix, ...]
    parts: tuple[Part, ...]
    touches: tuple[Part, ...]

    @property
    def complete(self) -> bool:
        """Say whether every source has been read to its end."""
        return len(self.done) == len(self.sources)


def label_columns(horizon_ms: int) -> tuple[str, ...]:
    """Give the names of the label columns of one horizon."""
    return tuple(f"{name}_{horizon_ms}" for name in ("return", "long", "short", "barrier", "barrier_end"))


def write_page(folder: Path, page: DatasetPage) -> None:
    """Write the page in one step: a reader sees the old one or the new one.

    Raises:
        DatasetError: the folder cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(page), indent=2) + b"\n"
    _write(folder / PAGE, text)


def read_page(folder: Path) -> DatasetPage:
    """Read a dataset's page.

    Raises:
        DatasetError: there is none, or it is of another version.
    """
    path = folder / PAGE
    try:
        page = msgspec.json.decode(path.read_bytes(), type=DatasetPage)
    except OSError as problem:
        raise DatasetError(f"{path}: no dataset: {problem.strerror}") from problem
    except (ValueError, RecursionError) as problem:
        raise DatasetError(f"{path}: not a dataset page of this version: {problem}") from problem
    if page.version != DATASET_VERSION:
        raise DatasetError(f"{path}: version {page.version}, want {DATASET_VERSION}; build the dataset again")
    return page


def write_part(folder: Path, number: int, source: int, columns: Columns, kind: str) -> Part:
    """Write the rows of one part; give its entry for the page.

    Raises:
        DatasetError: it cannot be written, or the `parquet` extra is not installed.
    """
    return _write_columns(folder, f"part-{source:02}-{number:05}.{kind}", source, columns)


def write_touches(folder: Path, number: int, source: int, columns: Columns, kind: str) -> Part:
    """Write a stretch of the path of the touch; give its entry for the page.

    Raises:
        DatasetError: as `write_part`.
    """
    return _write_columns(folder, f"touch-{source:02}-{number:05}.{kind}", source, columns)


def _write_columns(folder: Path, name: str, source: int, columns: Columns) -> Part:
    data = _packed(columns, name.rpartition(".")[2])
    _write(folder / name, data)
    ts_ns = columns["ts_ns"]
    digest = hashlib.sha256(data).hexdigest()
    return Part(name, source, len(ts_ns), int(ts_ns[0]), int(ts_ns[-1]), digest)


def read_part(folder: Path, part: Part) -> dict[str, Column]:
    """Read the rows of one part and prove them by their digest.

    Raises:
        DatasetError: the file is missing or is not what was written.
    """
    path = folder / part.file
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise DatasetError(f"{path}: {problem.strerror}; build the dataset again") from problem
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise DatasetError(f"{path}: not the file that was written (sha256); build the dataset again")
    return _unpacked(data, path.suffix)


def read_parts(folder: Path, page: DatasetPage) -> Iterator[dict[str, Column]]:
    """Give the parts one after the other; memory holds one at a time.

    Raises:
        DatasetError: as `read_part`.
    """
    for part in page.parts:
        yield read_part(folder, part)


def _packed(columns: Columns, kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "npz":
        np.savez(buffer, allow_pickle=False, **dict(columns))
    else:
        arrow, parquet = _arrow()
        parquet.write_table(arrow.table(dict(columns)), buffer)
    return buffer.getvalue()


def _unpacked(data: bytes, suffix: str) -> dict[str, Column]:
    if suffix == ".npz":
        with np.load(io.BytesIO(data), allow_pickle=False) as columns:
            return {name: columns[name] for name in columns.files}
    _, parquet = _arrow()
    table = parquet.read_table(io.BytesIO(data))
    return {name: table[name].to_numpy() for name in table.column_names}


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as problem:
        raise DatasetError(
            "parquet needs the extra: .venv/bin/pip install -e '.[parquet]', or --format npz"
        ) from problem
    return pyarrow, pyarrow.parquet


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as problem:
        raise DatasetError(f"{path}: cannot be written: {problem.strerror}") from problem
