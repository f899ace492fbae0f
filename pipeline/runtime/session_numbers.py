"""Numbers of sessions that send orders: never given twice, so that no client order id ever repeats.

A number holds a tag of this installation, drawn once, and a counter kept in the state directory. Both show
in every order's id (`core.order.client_order_id`): an order an earlier session of this installation left at
the venue can be told from a foreign one. Replays and paper sessions need no number of their own.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from pipeline.runtime.places import PlacesError, home_dir

TAG_BITS = 15
COUNTER_BITS = 20
_FILE = "session-number"


def next_session_number() -> int:
    """Give a number no session of this installation had before, and remember it durably.

    Raises:
        PlacesError: the state directory cannot be used, the file is damaged, or the numbers are used up.
    """
    path = home_dir() / _FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise PlacesError(f"cannot use {path}: {problem.strerror}") from problem
    with open(descriptor, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        tag, counter = _read(path, file.read(64))
        if counter + 1 >= 1 << COUNTER_BITS:
            tag, counter = _new_tag(), 0
        counter += 1
        file.seek(0)
        file.write(f"{tag:05d} {counter:07d}\n".encode())
        os.fsync(file.fileno())
    return tag << COUNTER_BITS | counter


def _read(path: Path, text: bytes) -> tuple[int, int]:
    """Give tag and counter; a new file draws its tag.

    Raises:
        PlacesError: the file holds something else; a number that may have been given is never guessed.
    """
    if not text:
        return _new_tag(), 0
    words = text.split()
    if len(words) == 2 and all(word.isdigit() for word in words):
        tag, counter = int(words[0]), int(words[1])
        if 0 < tag < 1 << TAG_BITS and counter < 1 << COUNTER_BITS:
            return tag, counter
    raise PlacesError(f"{path} is damaged; remove it to begin new numbers with a new tag")


def _new_tag() -> int:
    """Draw a tag; zero is the paper sessions'."""
    return 1 + secrets.randbelow((1 << TAG_BITS) - 1)
