"""The model screen's slices, built from the monitors, which sum a record up once a block."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.core.desk import SymbolDesk
from pipeline.core.model_monitor import RECENT_BLOCKS, ModelMonitor
from pipeline.core.registry import spec_of
from pipeline.core.skill import Proof, Skill
from pipeline.core.snapshot import NONE_E6, FeatureRow, ModelView
from pipeline.core.snapshot_model import (
    DecileView,
    DriftView,
    FateView,
    RecordView,
    SkillView,
    WatchView,
)
from pipeline.core.state import EngineState
from pipeline.core.types import E6


def model_view(
    state: EngineState, desk: SymbolDesk, files: Mapping[str, str], ts_ns: int
) -> ModelView | None:
    """Give the live model with its newest row, and what watches it; None without a model.

    `files` gives version and approvals by model id.
    """
    model = state.model
    if model is None:
        return None
    waiting = desk.features.not_ready(model.features, ts_ns)
    rows = []
    for name in model.features:
        value = desk.features.shown_e6(name, ts_ns)
        rows.append(
            FeatureRow(name, value or 0, name not in waiting and value is not None, spec_of(name).unit)
        )
    return ModelView(
        name=model.name,
        model_id=model.model_id,
        generation=model.generation,
        schema_hash=model.schema_hash,
        horizon_ms=model.horizon_ms,
        features=tuple(rows),
        watch=_watch(state, desk, files),
    )


def _watch(state: EngineState, desk: SymbolDesk, files: Mapping[str, str]) -> WatchView | None:
    watch, live = desk.watch, desk.watch.live
    if live is None:
        return None
    shadows = {one.model_id for one in state.models.shadows}
    records = [record_view(live, "live", files)]
    for model_id, monitor in watch.others.items():
        records.append(record_view(monitor, "shadow" if model_id in shadows else "before", files))
    summary = live.summary()
    sized = desk.decision.sized if desk.decision is not None else None
    return WatchView(
        source=watch.source.value,
        records=tuple(records),
        deciles=tuple(
            DecileView(d.calls, d.p_up_e6, d.up_e6, d.hit_e6, d.move_e9 // 1_000)
            for d in summary.reliability.deciles
        ),
        drift=tuple(
            DriftView(name, index) for name, index in zip(live.spec.features, summary.drift_e6, strict=False)
        ),
        fates=tuple(
            FateView(
                end.value,
                count.ideas,
                E6 * count.hits // count.ideas if count.ideas else NONE_E6,
                count.move_e9 // (1_000 * count.ideas) if count.ideas else NONE_E6,
            )
            for end, count in watch.ideas.by_fate.items()
        ),
        cost_e6=sized.cost_e6 if sized is not None else NONE_E6,
        tempered=state.params.watch.temper,
    )


def record_view(monitor: ModelMonitor, role: str, files: Mapping[str, str]) -> RecordView:
    """Give one model's record."""
    spec, summary = monitor.spec, monitor.summary()
    reliability, some = summary.reliability, bool(summary.reliability.calls)
    proof = summary.over_constant_proof, summary.over_imbalance_proof
    return RecordView(
        name=spec.name,
        model_id=spec.model_id,
        generation=spec.generation,
        role=role,
        file=files.get(spec.model_id, ""),
        gate_open=monitor.gate.is_open,
        rows=summary.rows,
        moved_e6=E6 * summary.moved // summary.rows if summary.rows else NONE_E6,
        said_e6=NONE_E6 if spec.binary or not summary.rows else summary.said_e6 // summary.rows,
        calls=summary.calls,
        least_calls=monitor.least_calls,
        skills=(
            _skill("constant", proof[0], *summary.over_constant),
            _skill("imbalance", proof[1], *summary.over_imbalance),
        ),
        brier_e6=reliability.brier_e6 if some else NONE_E6,
        ece_e6=reliability.ece_e6 if some else NONE_E6,
        bias_e6=reliability.bias_e6 if some else NONE_E6,
        temperature_e6=round(E6 / monitor.temperature.value),
        unanswered=monitor.unanswered,
        void=monitor.void,
        restored=monitor.restored_rows,
    )


def _skill(over: str, proof: Proof, whole: Skill, recent: Skill) -> SkillView:
    shown = [
        value if skill.known else NONE_E6
        for skill in (whole, recent)
        for value in (skill.skill_e6, skill.low_e6, skill.high_e6)
    ]
    return SkillView(over, proof.value, *shown)


__all__ = ["RECENT_BLOCKS", "model_view", "record_view"]
