"""Models by name: the registry folder `NAME/VERSION/NAME.onnx`, and the bundled ones beside it.

What may run is what a person approved: a file whose manifest does not approve the role is refused with its
code, and so is one without a manifest. No version named means the newest one, approved or not: which model
runs must not depend on which one somebody forgot to approve.
"""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path

import msgspec

from pipeline.models.expectation import Expectation, Role
from pipeline.models.inspection import InspectedModel, inspect_model
from pipeline.models.manifest import not_approved, read_manifest
from pipeline.models.refusal import ModelRefused, RefusalCode

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = re.compile(r"[0-9]{1,9}")


class _Built(msgspec.Struct, frozen=True):
    version: int


def find_model(name: str, folder: Path) -> Path:
    """Give the file of `NAME` or `NAME@VERSION`; a bundled model has one version.

    Raises:
        ModelRefused: E_SHA, no such model is here.
    """
    wanted, _, version = name.partition("@")
    if not _NAME.fullmatch(wanted) or (version and not _VERSION.fullmatch(version)):
        raise ModelRefused(RefusalCode.E_SHA, f"{name[:80]!r} is no NAME or NAME@VERSION")
    versions = _versions(folder / wanted, wanted)
    chosen = versions.get(int(version)) if version else versions.get(max(versions, default=-1))
    if chosen is not None:
        return chosen
    bundled = bundled_models().get(wanted)
    if bundled is not None:
        number = bundled_version(bundled)
        if int(version or number) == number:
            return bundled
        versions[number] = bundled
    known = ", ".join(f"@{number}" for number in sorted(versions))
    here = f"{wanted} is there as {known}" if known else "`lobdeck model list` names those there are"
    raise ModelRefused(RefusalCode.E_SHA, f"no model {name} in {folder}; {here}")


def bundled_models() -> dict[str, Path]:
    """Give the files of the models that ship with lobdeck, by name, in order."""
    folder = Path(str(importlib.resources.files("pipeline.models") / "bundled"))
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


def bundled_version(path: Path) -> int:
    """Give the version a bundled model was built as."""
    return msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=_Built).version


def approved_model(path: Path, expect: Expectation) -> InspectedModel:
    """Check a file for a role as loading does, and that a person approved it for that.

    Raises:
        ModelRefused: with the code of the first check it failed.
    """
    inspected = inspect_model(path, expect)
    if expect.role is not None and read_manifest(path) is None:
        raise not_approved(path, None, expect.role)
    return inspected


def one_line(refused: ModelRefused) -> str:
    """Give a refusal in one line: code, what failed, and the first differences."""
    details = "; ".join(refused.differences[:3])
    return " ".join(f"{refused.code}: {refused.message}{': ' if details else ''}{details}".split())[:400]


def role_of(live: bool) -> Role:
    """Give the role a session's live model must be approved for: `live` with real money, else `paper`."""
    return Role.LIVE if live else Role.PAPER


def _versions(folder: Path, name: str) -> dict[int, Path]:
    files = folder.glob(f"*/{name}.onnx")
    return {int(path.parent.name): path for path in files if _VERSION.fullmatch(path.parent.name)}
