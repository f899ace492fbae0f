"""The gate's file on disk: published whole, opened only when it is what it should be."""

from __future__ import annotations

import mmap
import os
import stat
import threading
from pathlib import Path

from pipeline.runtime.gate_memory import MAGIC, SIZE
from pipeline.runtime.gate_state import GateError
from pipeline.runtime.private_dirs import Warn


def publish_page(path: Path, page: bytes) -> None:
    """Put a whole page at `path` at once; an existing file stays as it is.

    Raises:
        OSError: when it cannot be written.
    """
    if os.path.lexists(path):
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_native_id()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, page)
        os.fsync(descriptor)
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        os.close(descriptor)
        os.unlink(draft)


def open_page(path: Path, warn: Warn | None = None) -> tuple[int, mmap.mmap]:
    """Open and map a gate's page; the caller closes both.

    Raises:
        GateError: when it is no gate, or not private to this user; with `warn` the latter is only said.
        OSError: when it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _check_file(path, os.fstat(descriptor), warn)
        page = mmap.mmap(descriptor, SIZE)
        if page[: len(MAGIC)] != MAGIC:
            page.close()
            raise GateError(f"{path} is not a gate: it does not begin with {MAGIC.decode()}")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, page


def _check_file(path: Path, status: os.stat_result, warn: Warn | None) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_size != SIZE:
        raise GateError(f"{path} is not a gate: it is no file of {SIZE} bytes")
    if status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return
    trouble = f"uid {status.st_uid}, mode {stat.S_IMODE(status.st_mode):04o}; run chmod 600 on it"
    if warn is None:
        raise GateError(f"refusing the gate {path}: {trouble}")
    warn(f"gate {path}: {trouble}")
