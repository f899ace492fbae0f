"""Keeps the console's interpreter out of its input thread's way: it changes threads often, collects rarely.

A thread that wakes asks the running one to let go, and that one does after the switch interval at the latest;
but a full garbage collection walks every object and lets nobody run meanwhile. With Textual's 80,000 objects
that is 60 to 170 ms every seven seconds, and a kill key that falls into it waits. What start-up made lives as
long as the console, so it is set apart and never walked again; what comes after is little and walked rarely.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator

SWITCH_INTERVAL_S = 0.0001
THRESHOLDS = (700, 10, 100)
"""Allocations before a young collection, young ones before a middle one, middle ones before a full one."""


@contextlib.contextmanager
def attentive() -> Iterator[None]:
    """Change threads often, and collect nothing until `set_apart` is called; all as before afterwards."""
    interval_s, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        gc.enable()
        sys.setswitchinterval(interval_s)


def set_apart() -> None:
    """Exempt every object there is from collection, and collect what is made from now on; may be repeated."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()
