"""Queue imbalance in the place of a model, and what is done to a decision before it counts. Pure.

Queue imbalance alone is nearly the whole signal of short horizons, so it is what decides while the model may
not: its answer needs no worker, and its slope is the one the monitor learned from outcomes.
"""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec

from pipeline.core.decision import Decision
from pipeline.core.desk import SymbolDesk
from pipeline.core.inputs import PredictionReceived
from pipeline.core.model_monitor import logit_of
from pipeline.core.symbol_watch import FALLBACK_ID, Source, SymbolWatch
from pipeline.core.types import E6, DenyReason


def fallback_answer(desk: SymbolDesk, feature_seq: int, ts_ns: int) -> PredictionReceived | None:
    """Give queue imbalance's answer to a row just asked for; None where it does not decide."""
    watch = desk.watch
    live = watch.live
    if live is None or watch.source is not Source.FALLBACK:
        return None
    spec = live.spec
    moves = 1.0 if spec.binary else spec.move_rate_e6 / E6
    p_up = moves / (1.0 + math.exp(-live.slope.value * watch.imbalance_e6 / E6))
    return PredictionReceived(
        symbol=desk.symbol,
        model_id=FALLBACK_ID,
        generation=spec.generation,
        schema_hash=spec.schema_hash,
        feature_seq=feature_seq,
        p_down=moves - p_up,
        p_flat=1.0 - moves,
        p_up=p_up,
        horizon_ms=spec.horizon_ms,
        started_ns=ts_ns,
        finished_ns=ts_ns,
        worker_id=-1,
        epoch=desk.row_epoch,
        ts_ns=ts_ns,
    )


def tempered(event: PredictionReceived, watch: SymbolWatch) -> PredictionReceived:
    """Give an answer after the online temperature, where that is in use; P(flat) stays as it is."""
    scale = watch.live.scale if watch.live is not None else 1.0
    moves = event.p_down + event.p_up
    if scale == 1.0 or moves <= 0.0:
        return event
    p_up = moves / (1.0 + math.exp(-scale * logit_of(event.p_down, event.p_up)))
    return msgspec.structs.replace(event, p_up=p_up, p_down=moves - p_up)


def unusable(decision: Decision, watch: SymbolWatch) -> Decision:
    """Give a decision that may open nothing; one that already has a reason keeps it."""
    if decision.reason is not None:
        return decision
    why = DenyReason.MODEL_DISABLED if watch.stopped else DenyReason.MODEL_UNPROVEN
    return replace(decision, reason=why)
