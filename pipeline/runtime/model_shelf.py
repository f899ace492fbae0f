"""The models a worker holds, by generation; new ones are loaded beside them by a thread of their own.

Rows go on being answered while a model is read, checked and warmed up: the loading thread gives the
interpreter back every half millisecond. A model that is held already under another generation is checked
again for the new one's role and not loaded twice.
"""

from __future__ import annotations

import gc
import os
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns

from pipeline.models.inspection import inspect_model
from pipeline.models.loader import load_model
from pipeline.models.refusal import ModelRefused
from pipeline.models.running import BoundModel
from pipeline.runtime.model_orders import DropOrder, ModelOrder, ModelReport, next_order, schema_check, send
from pipeline.runtime.rings import ROW_AT
from pipeline.runtime.short_turns import short_turns


@dataclass(frozen=True, slots=True)
class HeldModel:
    """A model that answers rows of one generation."""

    model_id: str
    schema_hash: str
    check: int
    bound: BoundModel
    row_end: int
    """Where its row ends in a request."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    order: ModelOrder
    held: HeldModel | None
    report: ModelReport


class ModelShelf:
    """Models by generation; `look` and `held` are the serving thread's."""

    def __init__(self, order_fd: int, report_fd: int, wake_fd: int) -> None:
        """Take orders from `order_fd`, report to `report_fd`, and write `wake_fd` when a load has ended."""
        self.held: dict[int, HeldModel] = {}
        self.load_ns = 0
        """What the newest load took."""
        self._order_fd = order_fd
        self._report_fd = report_fd
        self._wake_fd = wake_fd
        self._wanted: deque[ModelOrder] = deque()
        self._done: deque[_Loaded] = deque()
        self._unsent: deque[ModelReport] = deque()
        self._loader: threading.Thread | None = None

    @property
    def has_news(self) -> bool:
        """Say whether a load has ended that nobody has looked at."""
        return bool(self._done)

    def load_now(self, order: ModelOrder) -> None:
        """Load in this thread, before any row is served.

        Raises:
            ModelRefused: with the code of the first check it failed.
        """
        started_ns = monotonic_ns()
        self.held[order.generation] = _hold(order, self.held)
        self.load_ns = monotonic_ns() - started_ns

    def look(self) -> None:
        """Take orders, put up what has been loaded, and report; cheap when there is nothing."""
        while (order := next_order(self._order_fd)) is not None:
            if isinstance(order, DropOrder):
                self.held.pop(order.generation, None)
            else:
                self._wanted.append(order)
        while self._done:
            self._put_up(self._done.popleft())
        if self._wanted and (self._loader is None or not self._loader.is_alive()):
            self._loader = threading.Thread(target=self._load, args=(self._wanted.popleft(),), daemon=True)
            self._loader.start()
        while self._unsent and send(self._report_fd, self._unsent[0]):
            self._unsent.popleft()

    def _put_up(self, loaded: _Loaded) -> None:
        if loaded.held is not None:
            self.held[loaded.order.generation] = loaded.held
            gc.freeze()
        self.load_ns = loaded.report.load_ns
        self._unsent.append(loaded.report)

    def _load(self, order: ModelOrder) -> None:
        """Load in the loading thread; a failure of any kind is a report, never the end of the worker."""
        started_ns = monotonic_ns()
        held, why = None, ""
        try:
            with short_turns():
                held = _hold(order, dict(self.held))
        except ModelRefused as refused:
            why = f"{refused.code}: {refused.message}"
        except (OSError, MemoryError, ValueError) as problem:
            why = f"cannot be loaded: {type(problem).__name__}: {problem}"
        report = ModelReport(
            generation=order.generation,
            model_id=held.model_id if held is not None else "",
            schema_hash=held.schema_hash if held is not None else "",
            why=" ".join(why.split())[:500],
            load_ns=monotonic_ns() - started_ns,
        )
        self._done.append(_Loaded(order, held, report))
        os.eventfd_write(self._wake_fd, 1)


def _hold(order: ModelOrder, held: dict[int, HeldModel]) -> HeldModel:
    path, expect = Path(order.path), order.expectation
    same = next((one for one in held.values() if one.model_id == expect.sha256), None)
    if same is not None:
        inspect_model(path, expect)
        return same
    loaded = load_model(path, expect)
    schema_hash = loaded.contract.schema_hash
    return HeldModel(
        loaded.model_id,
        schema_hash,
        schema_check(schema_hash),
        loaded.bound,
        ROW_AT + 4 * loaded.bound.width,
    )
