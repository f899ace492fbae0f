"""What a session's host needs of the run that feeds its engine, whatever it is fed from."""

from __future__ import annotations

from typing import Protocol

from pipeline.core.engine import Engine
from pipeline.core.inputs import Input
from pipeline.runtime.pump import Pump


class Run(Protocol):
    """What a host needs of the run that feeds its engine."""

    engine: Engine
    pump: Pump

    @property
    def now_ns(self) -> int:
        """Give the session's time."""
        ...

    def put(self, event: Input) -> None:
        """Hand over an input from outside the feed at the session's time."""
        ...

    def collect_answers(self) -> None:
        """Take what the workers have finished."""
        ...

    def queue_ahead(self) -> dict[str, int]:
        """Give the size ahead of each of our resting orders, by client order id."""
        ...
