"""The least a program can do about a key: a thread waits for a terminal, reads, and stores one number.

`python -P -m app.bench_key_control FILE [busy]` is what the kill key is measured beside: the same Python,
the same kind of terminal, a thread that waits as the console's input thread does, and a mapped page that
another process watches. It has no screen and no app; what its answer takes is the machine's part. With `busy`
its main thread never rests, as an app whose loop is held.
"""

from __future__ import annotations

import mmap
import os
import select
import sys
import termios
import threading
import tty

from app.interpreter import SWITCH_INTERVAL_S

PAGE_BYTES = 4096
READY = b"ready\n"
_WAIT_S = 0.1
"""As long as the console's input thread waits before it looks at its other duties."""


def answer(fileno: int, page: mmap.mmap) -> None:
    """Count the reads from a terminal in the first word of a page, until the terminal is gone."""
    with memoryview(page).cast("Q") as words:
        while True:
            if not select.select([fileno], [], [], _WAIT_S)[0]:
                continue
            try:
                data = os.read(fileno, PAGE_BYTES)
            except OSError:
                return
            if not data:
                return
            words[0] += 1


def keep_busy(thread: threading.Thread) -> None:
    """Hold the interpreter for as long as the thread lives, and let go of it as often as the console does."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    while thread.is_alive():
        pass


def main() -> None:
    """Be that program: FILE on the command line, keys on stdin, `ready` on stdout once they count."""
    tty.setraw(0, termios.TCSANOW)
    with open(sys.argv[1], "r+b") as file, mmap.mmap(file.fileno(), PAGE_BYTES) as page:
        thread = threading.Thread(target=answer, args=(0, page))
        thread.start()
        os.write(1, READY)
        if "busy" in sys.argv[2:]:
            keep_busy(thread)
        thread.join()


if __name__ == "__main__":
    main()
