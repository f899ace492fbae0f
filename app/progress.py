"""Progress of a long command on stderr: one line that changes, or on a pipe a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PIPE_S = 3.0
"""Least time between two lines where stderr is no terminal."""


def every_few_seconds(write: Callable[[str], None], clock: Callable[[], float]) -> Callable[[str], None]:
    """Give what writes a text only when `PIPE_S` have passed since the last, or since now; `clock` in s."""
    last_s = clock()

    def say(text: str) -> None:
        nonlocal last_s
        if clock() - last_s >= PIPE_S:
            last_s = clock()
            write(text)

    return say


def _write_line(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Give what says how far a command is; each text replaces the one before."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal:
        yield every_few_seconds(_write_line, time.monotonic)
        return
    with console.status("") as status:
        yield lambda text: status.update(Text(text))
