"""Builders of small journals."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from pipeline.core.params import (
    DecisionParams,
    EngineParams,
    ExecutionParams,
    HealthParams,
    PermitParams,
    RiskLimits,
    SizingParams,
)
from pipeline.core.types import Authority, Fees, Instrument, SyncRule, VenueMode
from pipeline.runtime.journal import JournalHeader, JournalWriter, RecordKind
from pipeline.runtime.journal_format import Record
from pipeline.runtime.journal_reader import read_journal

MS = 1_000_000
SMALL_SEGMENT = 4096


def header(session: str = "demo-1") -> JournalHeader:
    instrument = Instrument(
        venue="binance-spot",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        price_decimals=2,
        tick_units=1,
        size_decimals=5,
        lot_units=1,
        min_notional_quote_e8=5 * 10**8,
        max_qty_lots=10**9,
        sync_rule=SyncRule.CONTIGUOUS,
        fees=Fees(maker_e6=1_000, taker_e6=1_000, source="assumed"),
    )
    params = EngineParams(
        mode=VenueMode.REPLAY,
        authority=Authority.OBSERVE,
        instruments=(instrument,),
        model=None,
        decision=DecisionParams(),
        sizing=SizingParams(),
        execution=ExecutionParams(),
        permits=PermitParams(),
        limits={"BTCUSDT": RiskLimits("practice", 1, 2, 3, 4, 5)},
        health=HealthParams(),
    )
    return JournalHeader(session, "0.1.0", 1_000, params, codecs=("binance-spot/1",))


def writer(directory: Path, **settings: object) -> JournalWriter:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    chosen: dict[str, object] = {"segment_bytes": SMALL_SEGMENT, "pack": False, **settings}
    return JournalWriter.create(directory, header(), **chosen)  # type: ignore[arg-type]  # keywords are passed on


def append_frames(journal: JournalWriter, payloads: Iterable[bytes], gap_ns: int = MS) -> list[int]:
    start = journal.sequence
    return [
        journal.append(RecordKind.FRAME, 1_000 + (start + number) * gap_ns, payload, epoch=1)
        for number, payload in enumerate(payloads)
    ]


def closed_journal(directory: Path, payloads: Iterable[bytes], **settings: object) -> str:
    """Write a journal in good order and give its head."""
    journal = writer(directory, **settings)
    append_frames(journal, payloads)
    journal.close()
    return journal.head()


def crashed_journal(directory: Path, payloads: Iterable[bytes], **settings: object) -> None:
    """Leave a journal as the death of its writer would: nothing ended, nothing cut."""
    alive = directory.with_name(directory.name + "-alive")
    journal = writer(alive, **settings)
    append_frames(journal, payloads)
    shutil.copytree(alive, directory)
    journal.close()
    shutil.rmtree(alive)


def records_of(directory: Path, run: int = 0) -> list[Record]:
    return list(read_journal(directory, run)[1])


def payloads_of(directory: Path, run: int = 0) -> list[bytes]:
    return [record.payload for record in records_of(directory, run)]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())
