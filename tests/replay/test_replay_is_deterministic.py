"""The same capture and configuration give the same effects, bit for bit; anything else does not."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.effects import Effect
from pipeline.core.engine import Engine
from tests.fakes.sessions import replayed, synthetic_lines, write_capture

LINES = 4_000
AUTO = ("--fees", "0/0", "--authority", "auto")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def capture(home: Path) -> Path:
    return write_capture(home / "capture.txt", synthetic_lines(LINES))


@pytest.fixture(scope="module")
def reference(home: Path, capture: Path) -> dict[str, Any]:
    return replayed(home, str(capture), *AUTO, hash_seed="1")


def test_another_process_and_hash_seed_give_the_same_effects(
    home: Path, capture: Path, reference: dict[str, Any]
) -> None:
    again = replayed(home, str(capture), *AUTO, hash_seed="77")
    assert again["effects_sha256"] == reference["effects_sha256"]
    assert again["inputs_sha256"] == reference["inputs_sha256"]
    assert again["effects"] == reference["effects"]


def test_the_run_asks_submits_cancels_and_alerts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capture: Path
) -> None:
    kinds: Counter[str] = Counter()
    handle = Engine.handle

    def counting(engine: Engine, event: Any) -> list[Effect]:
        effects = handle(engine, event)
        kinds.update(type(effect).__name__ for effect in effects)
        return effects

    monkeypatch.setattr(Engine, "handle", counting)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    from app.cli import run

    summary = str(tmp_path / "summary.json")
    assert run(["replay", str(capture), *AUTO, "--headless", "--speed", "max", "--summary", summary]) == 0
    for kind in ("RequestInference", "SubmitOrder", "CancelOrder", "Alert"):
        assert kinds[kind] > 0, kind


def test_one_changed_byte_of_a_frame_changes_the_inputs_hash(
    home: Path, tmp_path: Path, reference: dict[str, Any]
) -> None:
    lines = synthetic_lines(LINES)
    place = next(i for i, line in enumerate(lines) if b"@trade" in line and i > 500)
    lines[place] = re.sub(rb'"t":(\d+)', lambda match: b'"t":' + bytes(match[1][:-1]) + b"7", lines[place])
    if lines[place] == synthetic_lines(LINES)[place]:
        lines[place] = lines[place].replace(b'"M":true', b'"M":trud')
    changed = replayed(home, str(write_capture(tmp_path / "byte.txt", lines)), *AUTO)
    assert changed["inputs_sha256"] != reference["inputs_sha256"]


def test_one_changed_best_price_changes_the_effects(
    home: Path, tmp_path: Path, reference: dict[str, Any]
) -> None:
    lines = synthetic_lines(LINES)
    place = next(i for i, line in enumerate(lines) if b"@bookTicker" in line and i > LINES // 2)
    best = re.search(rb'"b":"(\d+\.\d{2})', lines[place])
    assert best is not None
    lower = f"{float(best[1]) - 0.05:.2f}".encode()
    lines[place] = lines[place].replace(b'"b":"' + best[1], b'"b":"' + lower)
    changed = replayed(home, str(write_capture(tmp_path / "price.txt", lines)), *AUTO)
    assert changed["effects_sha256"] != reference["effects_sha256"]


@pytest.mark.parametrize(
    "setting",
    [
        "[decision]\nentry_above_half = 0.121",
        "[replay]\ninference_latency_ms = 3",
        "[replay]\ncancel_latency_ms = 13",
    ],
)
def test_one_changed_configuration_number_changes_the_effects(
    home: Path, tmp_path: Path, capture: Path, reference: dict[str, Any], setting: str
) -> None:
    """Every other setting is in the policy hash of the first effect (tests/unit/test_config_build.py)."""
    config = tmp_path / "config.toml"
    config.write_text(f"{setting}\n")
    changed = replayed(home, str(capture), *AUTO, "--config", str(config))
    assert changed["inputs_sha256"] != reference["inputs_sha256"]
    assert changed["effects_sha256"] != reference["effects_sha256"]


def test_a_journal_replays_to_the_same_effects(home: Path, capture: Path, reference: dict[str, Any]) -> None:
    written = replayed(home, str(capture), *AUTO, "--journal", "--name", "written")
    assert written["effects_sha256"] == reference["effects_sha256"]
    again = replayed(home, written["journal"])
    assert again["effects_sha256"] == reference["effects_sha256"]
    assert again["inputs_sha256"] == reference["inputs_sha256"]
    assert again["orders"] == reference["orders"] > 0
    assert again["fills"] == reference["fills"]
    assert again["position"] == reference["position"]
