"""What a journal gives when a fresh engine reads it: the orders it asked for, and the hash of all effects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.core.effects import Effect, SubmitOrder
from pipeline.core.engine import Engine
from pipeline.core.params import EngineParams
from pipeline.runtime.journal_format import Record
from pipeline.runtime.journal_run import JournalRun
from pipeline.wire.venues import codec_for

_NO_LIMIT_S = 1e9


def orders_of(params: EngineParams, records: Sequence[Record]) -> dict[str, None]:
    """Give the client order ids of every order the journal makes an engine ask for."""
    found: dict[str, None] = {}

    def note(effect: Effect) -> None:
        if isinstance(effect, SubmitOrder):
            found[effect.approved.client_order_id] = None

    run = _run(params, records, note)
    run.advance(None, _NO_LIMIT_S)
    return found


def replayed_hash(params: EngineParams, records: Sequence[Record]) -> str:
    """Give the hash of every effect the journal makes an engine have."""
    run = _run(params, records, lambda _: None)
    run.advance(None, _NO_LIMIT_S)
    return run.pump.effects_sha256


def _run(params: EngineParams, records: Sequence[Record], note: Callable[[Effect], None]) -> JournalRun:
    instruments = {one.symbol: one for one in params.instruments}
    sources = ("", *instruments)
    return JournalRun(Engine(params), codec_for("binance", instruments), iter(records), sources, note)
