"""Committed pictures of the screen, as text and as SVG, and how a test compares with them.

`LOBDECK_ACCEPT=1` writes what is drawn now in place of what is committed; read every difference before.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from pipeline.core.snapshot import ConsoleSnapshot
from widgets.base import SnapshotWidget
from widgets.layout import PANELS
from widgets.lines import line_text

FOLDER = Path(__file__).parent.parent / "ui" / "pictures"


def panel_text(name: str, snapshot: ConsoleSnapshot, width: int, height: int, age_ms: int = 0) -> str:
    """Draw one panel alone, with its title, as text."""
    panel: SnapshotWidget = PANELS[name](id=name)
    panel.keep(snapshot, age_ms)
    return "\n".join(line_text(line).rstrip() for line in panel.framed(width, height)) + "\n"


def assert_same_picture(file_name: str, drawn: str) -> None:
    """Compare with the committed picture; the failure shows the lines that differ."""
    path = FOLDER / file_name
    if os.environ.get("LOBDECK_ACCEPT"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    committed = path.read_text(encoding="utf-8") if path.exists() else ""
    if committed != drawn:
        before, after = committed.splitlines(), drawn.splitlines()
        shown = list(difflib.unified_diff(before, after, "committed", "drawn", lineterm="", n=0))[:40]
        raise AssertionError(
            f"{file_name} differs (LOBDECK_ACCEPT=1 accepts):\n" + "\n".join(line[:200] for line in shown)
        )
