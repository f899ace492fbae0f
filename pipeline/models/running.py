"""A model ready to answer: one ONNX Runtime session bound once to fixed input and output memory.

Binding once and writing the row into the bound memory is what makes a call cheap: `run()` with fresh arrays
costs about twice as much for a small model.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnxruntime

from pipeline.models.graph import CLASSES, INPUT_NAME, OUTPUT_NAME

RUNTIME_VERSION = str(onnxruntime.__version__)
SUM_TOLERANCE = 1e-3
"""Largest |sum of the three probabilities - 1| that still counts as a distribution."""

Probabilities = tuple[float, float, float]
"""p_down, p_flat, p_up."""


class InvalidRow(ValueError):
    """A row that holds something not finite, or too large for float32."""


class InvalidAnswer(ValueError):
    """An answer that is no probability distribution over the three classes."""


def open_session(data: bytes) -> onnxruntime.InferenceSession:
    """Open a model for one thread that never spins.

    Raises:
        Exception: whatever ONNX Runtime says of a model it cannot run; its classes share no narrower base.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def is_distribution(p_down: float, p_flat: float, p_up: float) -> bool:
    """Say whether three numbers are probabilities that sum to 1; False for NaN and infinities."""
    each = 0.0 <= p_down <= 1.0 and 0.0 <= p_flat <= 1.0 and 0.0 <= p_up <= 1.0
    return each and abs(p_down + p_flat + p_up - 1.0) <= SUM_TOLERANCE


class BoundModel:
    """One session with its memory; not for use by two threads."""

    def __init__(self, session: onnxruntime.InferenceSession, width: int) -> None:
        """Bind the session's `row` [1, width] and `probabilities` [1, 3], both float32."""
        self.width = width
        self.session = session
        self._row = np.zeros((1, width), dtype=np.float32)
        self._answer = np.zeros((1, CLASSES), dtype=np.float32)
        self._probabilities = self._answer.data.cast("B").cast("f")
        self._binding = session.io_binding()
        _bind(self._binding.bind_input, INPUT_NAME, self._row)
        _bind(self._binding.bind_output, OUTPUT_NAME, self._answer)
        self._call = session.run_with_iobinding
        self._pack = struct.Struct(f"={width}f").pack_into
        self.row_bytes = self._row.data.cast("B")
        """The bound row as 4 * width writable bytes of float32; write it, then call `answer`."""

    def predict_into(self, row: Sequence[float]) -> Probabilities:
        """Write a row of `width` numbers into the bound memory and answer it.

        Raises:
            InvalidRow: a number is not finite or beyond float32.
            InvalidAnswer: the model's answer is no distribution.
            struct.error: the row is not `width` long.
        """
        if not all(map(math.isfinite, row)):
            raise InvalidRow(f"row holds {[value for value in row if not math.isfinite(value)][0]}")
        try:
            self._pack(self.row_bytes, 0, *row)
        except OverflowError as error:
            raise InvalidRow(f"row holds {max(row, key=abs)}, too large for float32") from error
        return self.answer()

    def answer(self) -> Probabilities:
        """Answer the row in the bound memory, which must be finite.

        Raises:
            InvalidAnswer: the model's answer is no distribution.
        """
        self._call(self._binding)
        p_down, p_flat, p_up = self._probabilities
        if not is_distribution(p_down, p_flat, p_up):
            raise InvalidAnswer(f"answer {p_down}, {p_flat}, {p_up} is no distribution")
        return p_down, p_flat, p_up

    def run_bare(self) -> None:
        """Run the bound session and nothing else; the yardstick of the benchmark."""
        self._call(self._binding)

    def batch(self, rows: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Answer rows [m, width] in one call, unchecked: [m, 3] float32."""
        answers = self.session.run([OUTPUT_NAME], {INPUT_NAME: np.asarray(rows, dtype=np.float32)})[0]
        return np.asarray(answers, dtype=np.float32)


def _bind(bind: object, name: str, array: npt.NDArray[np.float32]) -> None:
    assert callable(bind)
    bind(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
