"""A floor that keeps what its engine was told, as a journal would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from pipeline.core.effects import Effect
from pipeline.core.inputs import Input
from pipeline.runtime.journal import JournalHeader, JournalWriter, RecordKind
from tests.fakes.engines import Floor, engine_params


class RecordedFloor(Floor):
    """Remembers every input in order; `write` makes a journal of them."""

    def __init__(self, **changes: Any) -> None:
        self.inputs: list[Input] = []
        super().__init__(engine_params(**changes))

    def put(self, event: Input) -> list[Effect]:
        """Note and hand over."""
        self.inputs.append(event)
        return super().put(event)

    def write(self, directory: Path, *, notes: tuple[str, ...] = (), close: bool = True) -> JournalWriter:
        """Write a run into a journal, notes of evidence before the inputs."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        started_ns = self.now_ns if not self.inputs else _time(self.inputs[0])
        header = JournalHeader("demo-1", "0.1.0", started_ns, self.params, codecs=("binance",))
        journal = JournalWriter.create(directory, header, segment_bytes=1 << 20, pack=False)
        for note in notes:
            journal.append(RecordKind.NOTE, started_ns, note.encode())
        for event in self.inputs:
            journal.append(RecordKind.INPUT, _time(event), msgspec.msgpack.encode(event))
        if close:
            journal.close()
        return journal


def _time(event: Input) -> int:
    ts_ns: int = getattr(event, "ts_ns", 0) or getattr(event, "ts_recv_ns", 0)
    return ts_ns
