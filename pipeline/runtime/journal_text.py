"""A journal as text: every record for a reader, or the raw frames for any program that replays lines."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipeline.runtime.journal_format import Record, RecordKind
from pipeline.runtime.journal_reader import read_journal

_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


def dump_journal(path: Path, run: int = 0) -> Iterator[str]:
    """Give a run as JSON lines: first its header, then each record, last what is torn off, if anything.

    A frame stands there as text under `frame`, as it was received; an input or effect as the object it is
    under `value`; bytes that are neither in hex under `hex`. All characters are printable ASCII, so that no
    frame can steer a terminal.

    Raises:
        JournalError: as `read_journal`.
    """
    header, records = read_journal(path, run)
    yield _line({"kind": "HEADER", **msgspec.to_builtins(header)})
    for record in records:
        about = {"sequence": record.sequence, "ts_ns": record.ts_ns, "kind": _kind_name(record.kind)}
        yield _line({**about, "epoch": record.epoch, **_payload(record)})
    if records.torn is not None:
        torn = records.torn
        yield _line({"kind": "TORN", "offset": torn.offset, "size": torn.size, "damage": torn.damage})


def export_frames(path: Path, run: int = 0) -> Iterator[bytes]:
    """Give the raw frames as stamped lines, `RECEIVE_TIME_NS FRAME`, each with its line end.

    A line end inside a frame can only be white space of its JSON; it becomes a space.

    Raises:
        JournalError: as `read_journal`.
    """
    _, records = read_journal(path, run)
    for record in records:
        if record.kind == RecordKind.FRAME:
            yield b"%d %s\n" % (record.ts_ns, record.payload.translate(_LINE_ENDS))


def _kind_name(kind: int) -> str:
    try:
        return RecordKind(kind).name
    except ValueError:
        return f"KIND_{kind}"


def _payload(record: Record) -> dict[str, object]:
    match record.kind:
        case RecordKind.FRAME | RecordKind.NOTE:
            return {
                "frame" if record.kind == RecordKind.FRAME else "note": record.payload.decode(
                    "utf-8", "replace"
                )
            }
        case RecordKind.INPUT | RecordKind.EFFECT:
            with contextlib.suppress(msgspec.MsgspecError):
                return {"value": msgspec.to_builtins(msgspec.msgpack.decode(record.payload))}
    return {"hex": record.payload.hex()}


def _line(content: dict[str, object]) -> str:
    return json.dumps(content, separators=(",", ":"))
