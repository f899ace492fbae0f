"""A journal as text: every record for a reader, or the raw frames for any program that replays lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipeline.runtime.journal_format import Record, RecordKind
from pipeline.runtime.journal_reader import read_journal

MAX_TEXT = 400
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


def dump_journal(path: Path, run: int = 0, limit: int = MAX_TEXT) -> Iterator[str]:
    """Give one line per record: sequence, time in ns, kind, epoch, and at most `limit` characters of payload.

    Raises:
        JournalError: as `read_journal`.
    """
    header, records = read_journal(path, run)
    yield f"# session {header.session}, code {header.code_version}, begun {header.created_ns}"
    for record in records:
        text = _payload_text(record)
        cut = text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
        yield f"{record.sequence} {record.ts_ns} {_kind_name(record.kind)} {record.epoch} {cut}"
    if records.torn is not None:
        yield f"# torn: {records.torn.size} bytes at {records.torn.offset} ({records.torn.damage})"


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


def _payload_text(record: Record) -> str:
    match record.kind:
        case RecordKind.INPUT | RecordKind.EFFECT:
            text = _packed_text(record.payload)
        case RecordKind.FRAME | RecordKind.NOTE:
            text = record.payload.decode("utf-8", "replace")
        case _:
            text = record.payload.hex()
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _packed_text(payload: bytes) -> str:
    try:
        return msgspec.json.encode(msgspec.msgpack.decode(payload)).decode()
    except msgspec.MsgspecError:
        return payload.hex()
