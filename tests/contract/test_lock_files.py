"""The lock files are complete, hashed, in step with pyproject.toml, and name no registry and no machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-dev.lock")


def pins(lock: str) -> dict[str, list[Requirement]]:
    """Give the pinned requirements by name; one name may be pinned once for each range of Python."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / lock).read_text().splitlines():
        if not line.startswith(" "):
            requirement = Requirement(line.removesuffix("\\").strip())
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def wanted(lock: str) -> list[Requirement]:
    project = PROJECT["project"]
    more = (
        PROJECT["build-system"]["requires"] if lock == LOCKS[0] else project["optional-dependencies"]["dev"]
    )
    return [Requirement(text) for text in project["dependencies"] + more]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_satisfies_every_requirement_of_the_project(lock: str) -> None:
    locked = pins(lock)
    for requirement in wanted(lock):
        versions = [next(iter(pin.specifier)).version for pin in locked[canonicalize_name(requirement.name)]]
        assert versions, requirement
        assert all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_once_a_python_and_hashed(lock: str) -> None:
    for name, pinned in pins(lock).items():
        assert all([spec.operator for spec in pin.specifier] == ["=="] for pin in pinned), name
        assert len(pinned) == 1 or all(pin.marker for pin in pinned), name
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_registry_and_no_path(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert re.search(r"://|^\s*-i\b|index-url|find-links|(?:^|\s)/|#", text, flags=re.MULTILINE) is None


def test_development_has_the_versions_of_the_run_time() -> None:
    run_time, development = pins(LOCKS[0]), pins(LOCKS[1])
    for name in run_time.keys() - {"setuptools"}:
        assert [pin.specifier for pin in development[name]] == [pin.specifier for pin in run_time[name]]
