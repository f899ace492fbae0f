"""The guard's settings: stricter is allowed, looser never, and what is written reaches the guard."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.config import Config
from app.config_safety import GuardSection
from app.demo_command import DemoOptions, build_demo
from pipeline.runtime.guard_params import GuardSettings

WRITABLE = sorted(GuardSection.model_fields)


def test_nothing_written_is_the_guard_as_the_design_asks_for_it() -> None:
    assert Config().guard.settings() == GuardSettings()
    assert (GuardSettings().ack_ms, GuardSettings().halt_ms, GuardSettings().late_ms) == (300, 1_000, 5_000)


@pytest.mark.parametrize("name", WRITABLE)
def test_no_time_can_be_made_longer(name: str) -> None:
    usual = getattr(GuardSettings(), name)
    assert getattr(GuardSection(**{name: usual}).settings(), name) == usual
    with pytest.raises(ValidationError):
        GuardSection(**{name: usual + 1})


def test_what_is_written_reaches_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    file = tmp_path / "config.toml"
    file.write_text("[guard]\nack_ms = 100\nlate_ms = 2000\n")
    spec, _ = build_demo(DemoOptions(config=file))
    assert spec.guard == GuardSettings(ack_ms=100, late_ms=2_000)
