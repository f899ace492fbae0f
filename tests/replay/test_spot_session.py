"""The whole recorded spot session through the real command, compared with what it gave before.

Two runs beside each other: at the venue's fees, where no signal pays, and at no fees under AUTO, where orders
go and fill. `golden_*.json` hold what is the same on every machine; the hash of all effects is for one
version of the code, and where probabilities enter it, for one kind of processor too. After a change that is
meant to change them: REFRESH_GOLDEN=1 pytest tests/replay/test_spot_session.py, then read the diff.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.models.running import RUNTIME_VERSION
from pipeline.runtime.packed_lines import line_blocks
from tests.fakes.sessions import ROOT, SHARED, replayed, write_capture

HERE = Path(__file__).parent
FILES = (SHARED / "spot_btcusdt_20240808.gz", SHARED / "spot_btcusdt_20240809.gz")
REFRESH = os.environ.get("REFRESH_GOLDEN") == "1"
RUNS = {"fees": (), "free": ("--fees", "0/0", "--authority", "auto")}
STABLE = (
    *("frames", "updates", "trades", "gaps", "resyncs", "crossed", "ignored", "wire_errors", "bookticker"),
    *("features", "predictions", "stale_predictions", "conflated", "decisions", "signals", "ideas"),
    *("permits", "orders", "fills", "denied", "alerts", "open_orders", "book", "position", "effects"),
    *("effects_sha256", "exit"),
)
"""What a golden summary holds; the rest is measured, or holds probabilities to the last bit."""
ABOUT = "refresh with REFRESH_GOLDEN=1 pytest tests/replay/test_spot_session.py"
HASHES = ("effects_sha256", "processor", "about")

pytestmark = [
    pytest.mark.skipif(
        not all(path.exists() for path in FILES), reason="recorded market data (../shared/data) is not here"
    ),
    pytest.mark.timeout(300),
]


def processor() -> str:
    """Say what the last bits of a model's answers depend on."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if sys.platform == "linux" else ""
    vectors = [name for name in ("avx2", "avx512f") if name in flags]
    return " ".join([platform.machine(), *vectors, f"onnxruntime-{RUNTIME_VERSION}"])


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Run both at once, a core each."""
    started = {}
    for name, options in RUNS.items():
        home = tmp_path_factory.mktemp(name)
        summary = home / "summary.json"
        command = [sys.executable, "-m", "app", "replay", *map(str, FILES), *options]
        command += ["--headless", "--speed", "max", "--workers", "1", "--summary", str(summary)]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "LOBDECK_HOME": str(home)})
        started[name] = (process, summary)
    found = {}
    for name, (process, summary) in started.items():
        assert process.wait(280) == 0
        found[name] = json.loads(summary.read_text())
    return found


def stable(content: dict[str, Any]) -> dict[str, Any]:
    """Give what a golden summary holds."""
    return {name: content[name] for name in STABLE}


def golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((HERE / f"golden_{name}.json").read_text())
    return content


def test_at_the_venues_fees_there_are_signals_and_no_orders(summaries: dict[str, dict[str, Any]]) -> None:
    content = summaries["fees"]
    assert content["signals"] > 0
    assert (content["orders"], content["fills"]) == (0, 0)
    assert content["denied"]["EDGE_BELOW_COST"] == content["signals"]
    assert content["exit"] == "clean"


def test_at_no_fees_under_auto_orders_go_and_fill(summaries: dict[str, dict[str, Any]]) -> None:
    content = summaries["free"]
    assert content["orders"] > content["fills"] > 0
    assert "EDGE_BELOW_COST" not in content["denied"] or content["denied"]["EDGE_BELOW_COST"] < 100
    assert content["signals"] == summaries["fees"]["signals"]


@pytest.mark.parametrize("name", RUNS)
def test_the_book_is_the_venues(summaries: dict[str, dict[str, Any]], name: str) -> None:
    content = summaries[name]
    assert (content["gaps"], content["crossed"], content["wire_errors"]) == (0, 0, 0)
    assert content["bookticker"] == {"shared": 1072, "equal": 1072}
    assert content["book"]["BTCUSDT"]["state"] == "SYNCED"


@pytest.mark.parametrize("name", RUNS)
def test_the_summary_is_the_golden_one(summaries: dict[str, dict[str, Any]], name: str) -> None:
    content = stable(summaries[name])
    if REFRESH:
        text = json.dumps({"about": ABOUT, "processor": processor(), **content}, indent=1)
        (HERE / f"golden_{name}.json").write_text(text + "\n")
    known = golden(name)
    assert without(content, HASHES) == without(known, HASHES)


@pytest.mark.parametrize("name", RUNS)
def test_every_effect_is_the_golden_one(summaries: dict[str, dict[str, Any]], name: str) -> None:
    known = golden(name)
    if name == "free" and known["processor"] != processor():
        pytest.skip(f"the hash was taken on {known['processor']}, this is {processor()}")
    assert summaries[name]["effects_sha256"] == known["effects_sha256"], ABOUT


def without(content: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in names}


def test_one_depth_line_removed_is_one_gap(tmp_path: Path) -> None:
    lines: list[bytes] = []
    for block in line_blocks(FILES[0]):
        lines += block
        if len(lines) >= 6_000:
            break
    depth = [number for number, line in enumerate(lines) if b'"depthUpdate"' in line]
    del lines[depth[len(depth) // 2]]
    content = replayed(tmp_path, str(write_capture(tmp_path / "one_less.txt", lines)), "--workers", "1")
    assert content["gaps"] == 1
    assert content["book"]["BTCUSDT"]["state"] == "GAP"
