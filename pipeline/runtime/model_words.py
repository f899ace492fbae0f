"""What a person should know of a model's file beside its numbers: its version and what it is approved for."""

from __future__ import annotations

from pathlib import Path

from pipeline.models.manifest import read_manifest
from pipeline.models.refusal import ModelRefused


def file_words(path: Path) -> str:
    """Give `version 3, approved for shadow paper`; a file outside the registry has no version."""
    version = f"version {path.parent.name}, " if path.parent.name.isdecimal() else ""
    try:
        manifest = read_manifest(path)
    except ModelRefused:
        manifest = None
    if manifest is None:
        return f"{version}no approvals"
    return f"{version}approved for {' '.join(role.value for role in manifest.approvals) or 'nothing'}"
