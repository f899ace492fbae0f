"""Load a model with every check, or refuse it with a code: what a worker does before it takes a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

import numpy as np
import numpy.typing as npt
from onnxruntime.capi import onnxruntime_pybind11_state as _ort

from pipeline.models.contract import ModelContract
from pipeline.models.expectation import Expectation
from pipeline.models.golden import mirror_signs, probe_rows
from pipeline.models.inspection import InspectedModel, inspect_model
from pipeline.models.refusal import ModelRefused, RefusalCode
from pipeline.models.running import SUM_TOLERANCE, BoundModel, InvalidAnswer, Probabilities, open_session

MIRROR_TOLERANCE = 1e-4
BATCH_TOLERANCE = 1e-5
PROBES = 3

_ORT_ERRORS: tuple[type[Exception], ...] = (
    *(kind for kind in vars(_ort).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    RuntimeError,
    ValueError,
)
"""What ONNX Runtime raises; its own classes have no base but `Exception`."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that passed every check and is warm."""

    model_id: str
    contract: ModelContract
    features: tuple[str, ...]
    window: int
    """Rows it reads at once; an input is all of them, oldest first."""
    bound: BoundModel

    def predict_into(self, row: Sequence[float]) -> Probabilities:
        """Answer one raw row (or window of rows), in the order of `features`: p_down, p_flat, p_up.

        Raises:
            InvalidRow: a number is not finite or beyond float32.
            InvalidAnswer: the answer is no distribution.
        """
        return self.bound.predict_into(row)


def load_model(path: Path, expect: Expectation) -> LoadedModel:
    """Read, check, open, try and warm up a model; takes a few milliseconds for a small one.

    Raises:
        ModelRefused: with the code of the first check it failed.
    """
    inspected = inspect_model(path, expect)
    try:
        session = open_session(inspected.data)
        bound = BoundModel(session, inspected.contract.input_width)
        _check_answers(bound, inspected)
    except _ORT_ERRORS as error:
        text = " ".join(str(error).split())[:300]
        raise ModelRefused(RefusalCode.E_OPS, f"ONNX Runtime cannot run it: {text}") from error
    _check_latency(bound, expect)
    return LoadedModel(inspected.model_id, inspected.contract, inspected.features, inspected.window, bound)


def _check_answers(bound: BoundModel, inspected: InspectedModel) -> None:
    contract = inspected.contract
    golden = np.array(contract.golden_inputs, dtype=np.float32)
    columns = inspected.features * inspected.window
    rows = np.vstack([golden, probe_rows(columns)])
    answers = _distributions(bound, rows)
    _check_golden(answers[: len(golden)], contract)
    _check_batch(bound, rows, answers)
    if contract.symmetric:
        _check_mirror(bound, rows, answers, columns)


def _distributions(bound: BoundModel, rows: FloatArray) -> FloatArray:
    """Answer all rows at once, and far outside their ranges as well."""
    absurd = rows * np.float32(1e6)
    _refuse_unless_distributions(absurd, bound.batch(absurd))
    answers = bound.batch(rows)
    _refuse_unless_distributions(rows, answers)
    return answers


def _refuse_unless_distributions(rows: FloatArray, answers: FloatArray) -> None:
    if answers.shape != (len(rows), 3):
        raise ModelRefused(RefusalCode.E_IO, f"{len(rows)} rows gave an answer of shape {answers.shape}")
    sound = np.isfinite(answers).all(axis=1) & (answers >= 0).all(axis=1) & (answers <= 1).all(axis=1)
    sound &= np.abs(answers.sum(axis=1) - 1.0) <= SUM_TOLERANCE
    if not sound.all():
        at = int(np.flatnonzero(~sound)[0])
        raise ModelRefused(
            RefusalCode.E_NAN,
            f"{int((~sound).sum())} of {len(rows)} finite rows gave no distribution",
            (f"{rows[at].tolist()} gave {answers[at].tolist()}",),
        )


def _check_golden(answers: FloatArray, contract: ModelContract) -> None:
    wanted = np.array(contract.golden_outputs)
    off = np.abs(answers - wanted).max(axis=1)
    bad = np.flatnonzero(~(off <= contract.tolerance))
    if bad.size:
        lines = tuple(f"row {at}: wanted {wanted[at].tolist()}, got {answers[at].tolist()}" for at in bad[:5])
        raise ModelRefused(
            RefusalCode.E_GOLDEN,
            f"{bad.size} of {len(wanted)} golden rows off by > {contract.tolerance}",
            lines,
        )


def _check_batch(bound: BoundModel, rows: FloatArray, answers: FloatArray) -> None:
    for at, row in enumerate(rows):
        try:
            alone = np.array(bound.predict_into(row.tolist()))
        except InvalidAnswer as error:
            raise ModelRefused(RefusalCode.E_NAN, f"row {at} alone: {error}") from error
        if not np.abs(alone - answers[at]).max() <= BATCH_TOLERANCE:
            raise ModelRefused(
                RefusalCode.E_BATCH,
                f"row {at} answers differently alone and in a batch of {len(rows)}",
                (f"alone {alone.tolist()}, in the batch {answers[at].tolist()}",),
            )


def _check_mirror(bound: BoundModel, rows: FloatArray, answers: FloatArray, features: Sequence[str]) -> None:
    off = np.abs(bound.batch(rows * mirror_signs(features))[:, ::-1] - answers).max(axis=1)
    at = int(off.argmax())
    if not off[at] <= MIRROR_TOLERANCE:
        raise ModelRefused(
            RefusalCode.E_MIRROR,
            f"claims symmetry and is off by {off[at]:.6f}, allowed {MIRROR_TOLERANCE}",
            (f"row {rows[at].tolist()} gave {answers[at].tolist()}",),
        )


def _check_latency(bound: BoundModel, expect: Expectation) -> None:
    best_us = math.inf
    for _ in range(PROBES):
        best_us = min(best_us, _probe_p99_us(bound, expect.probe_calls))
        if not expect.max_p99_us or best_us <= expect.max_p99_us:
            return
    raise ModelRefused(
        RefusalCode.E_LATENCY, f"p99 of a call is {best_us:.0f} us at best, allowed {expect.max_p99_us}"
    )


def _probe_p99_us(bound: BoundModel, calls: int) -> float:
    times = []
    for _ in range(max(calls, 1)):
        started_ns = perf_counter_ns()
        bound.run_bare()
        times.append(perf_counter_ns() - started_ns)
    return sorted(times)[-max(1, len(times) // 100)] / 1000
