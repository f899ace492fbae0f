"""The import contracts of pyproject.toml hold, and each of them can fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app", "widgets", "pipeline", "themes")

OFFENCES = {
    "widgets/offender.py": "import app\nimport pipeline.core.inputs\n",
    "themes/offender.py": "import pipeline.core.types\n",
    "pipeline/core/offender.py": "import time\nimport pipeline.wire\nimport textual\n",
    "pipeline/runtime/offender.py": "import onnxruntime\nimport pipeline.sim.synthetic\n",
    "pipeline/sim/chance.py": "import random\n",
    "pipeline/runtime/worker_main.py": "import pydantic\n",
    "pipeline/runtime/guard_main.py": "import psutil\n",
    "pipeline/models/offender.py": "import onnx\n",
}
"""One import for each contract that it forbids."""


def lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", folder / "pyproject.toml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def contracts_with(text: str, verdict: str) -> list[str]:
    return re.findall(rf"^(.+) {verdict}(?: \(.*\))?$", text, flags=re.MULTILINE)


def test_every_import_contract_is_kept() -> None:
    status, text = lint(ROOT)
    assert status == 0, text
    assert len(contracts_with(text, "KEPT")) == 12


def test_every_import_contract_breaks_when_it_is_broken(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, line in OFFENCES.items():
        with (tmp_path / name).open("a") as file:
            file.write(line)
    status, text = lint(tmp_path)
    assert status != 0
    assert contracts_with(text, "KEPT") == []
    assert len(contracts_with(text, "BROKEN")) == 12
