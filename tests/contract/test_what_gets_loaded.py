"""What a fresh process really loads, whatever the import statements look like.

numpy and msgspec load os, time, datetime and uuid for themselves; they are therefore not asked for here. That
our own modules do not import them is an import contract.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WAITING = ("asyncio", "threading", "multiprocessing", "socket", "ssl", "websockets")
HEAVY = ("onnxruntime", "pydantic", "textual", "rich")
NOT_IN_A_WORKER = (
    "websockets",
    "httpx",
    "uvloop",
    "psutil",
    "zstandard",
    "pydantic",
    "pydantic_settings",
    "platformdirs",
    "typer",
    "textual",
    "rich",
    "onnx",
)


def modules_of(package: str) -> list[str]:
    """Give the dotted names of every module below a package."""
    folder = ROOT / package.replace(".", "/")
    names = (path.relative_to(ROOT).with_suffix("") for path in sorted(folder.rglob("*.py")))
    return [".".join(name.parts).removesuffix(".__init__") for name in names]


def loaded_by(modules: list[str]) -> set[str]:
    """Import modules in a new interpreter and give the names of everything loaded then."""
    code = f"import importlib, sys\nfor m in {modules}: importlib.import_module(m)\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def imported_by_command(home: Path, *arguments: str) -> set[str]:
    """Run the command and give what it imported, whatever its exit status."""
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-m", "app", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "LOBDECK_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}


def test_core_and_wire_load_nothing_that_waits_and_nothing_heavy() -> None:
    modules = modules_of("pipeline.core") + modules_of("pipeline.wire")
    assert "pipeline.core.types" in modules
    loaded = loaded_by(modules)
    assert set(modules) <= loaded
    assert loaded.isdisjoint(WAITING + HEAVY)


def test_the_look_at_a_fresh_process_sees_what_is_loaded_indirectly() -> None:
    assert "socket" in loaded_by(["http.client"])


def test_synthetic_session_and_paper_venue_load_nothing_that_waits() -> None:
    modules = [name for name in modules_of("pipeline.sim") if ".paper" in name or "synthetic" in name]
    assert loaded_by(modules).isdisjoint(WAITING + HEAVY)


def test_worker_loads_numpy_onnxruntime_msgspec_and_the_standard_library_only() -> None:
    loaded = loaded_by(["pipeline.runtime.worker_main"])
    assert "onnxruntime" in loaded
    assert loaded.isdisjoint(NOT_IN_A_WORKER)


def test_guard_loads_msgspec_and_little_of_the_standard_library() -> None:
    loaded = loaded_by(["pipeline.runtime.guard_main"])
    assert "msgspec" in loaded
    assert loaded.isdisjoint((*NOT_IN_A_WORKER, "numpy", "onnxruntime", "asyncio", "multiprocessing"))
    assert loaded.isdisjoint({"subprocess", "http.client", "email", "logging", "pipeline.core.engine"})


def test_session_loads_no_screen() -> None:
    assert loaded_by(["pipeline.runtime.session_main"]).isdisjoint({"textual", "rich"})


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("status",), ("sessions",), ("halt",), ("config", "show")],
    ids=lambda arguments: " ".join(arguments),
)
def test_command_without_a_screen_does_not_load_textual(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    imported = imported_by_command(tmp_path, *arguments)
    assert "app.cli" in imported
    assert imported.isdisjoint({"textual", "onnxruntime"})
