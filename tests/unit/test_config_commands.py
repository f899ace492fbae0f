"""`lobdeck config init`, `check` and `show`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.config import Config, ConfigError, read_layers, settings_from
from app.config_build import PRACTICE_LIMITS
from app.config_commands import check_config, init_config, show_config
from app.config_text import starting_file


def test_starting_file_changes_nothing(tmp_path: Path) -> None:
    path = init_config(tmp_path / "lobdeck" / "config.toml")
    assert settings_from(read_layers(path, {}, {})) == Config()


def test_starting_file_without_its_comment_marks_holds_every_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(re.sub(r"^#(?=[\w\[])", "", starting_file(), flags=re.MULTILINE))
    config = settings_from(read_layers(path, {}, {}))
    practice = {"throttle_orders": 300, "throttle_same_side": 20, "max_orders_per_trade": 1_000}
    assert config.limits["BTCUSDT"].model_copy(update=practice) == PRACTICE_LIMITS
    assert config.session.authority == "approve"
    unset = {"limits": {}, "session": Config().session, "watch": Config().watch}
    assert config.model_copy(update=unset) == Config()


def test_starting_file_says_what_every_setting_is() -> None:
    lines = starting_file().splitlines()
    settings = [n for n, line in enumerate(lines) if re.match(r"#\w+ = ", line)]
    assert len(settings) > 70
    for n in settings:
        assert re.fullmatch(r"# .{10,}", lines[n - 1]), lines[n]


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("workers.count = 3\n")
    with pytest.raises(ConfigError, match="exists already"):
        init_config(path)
    assert path.read_text() == "workers.count = 3\n"


def test_unwritable_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        init_config(tmp_path / "file" / "config.toml")


def test_check_counts_what_each_source_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text("workers.count = 3\nconsole.frame_rate_hz = 8\n")
    monkeypatch.setenv("LOBDECK_WORKERS__RING_DEPTH", "32")
    assert check_config(path) == f"ok; {path}: 2 settings, environment: 1 settings"


def test_check_refuses_a_wrong_setting(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("workers.cuont = 3\n")
    with pytest.raises(ConfigError, match="did you mean count"):
        check_config(path)


def test_settings_in_force_name_the_source_of_what_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("workers.count = 3\nworkers.ring_depth = 32\n")
    shown = show_config(path, {"workers.count": 5})
    assert "count = 5  # option" in shown
    assert f"ring_depth = 32  # {path}" in shown
    assert "deadline_ms = 50\n" in shown


def test_settings_in_force_are_a_file_that_gives_the_same_settings(tmp_path: Path) -> None:
    path, again = tmp_path / "config.toml", tmp_path / "again.toml"
    path.write_text(re.sub(r"^#(?=[\w\[])", "", starting_file(), flags=re.MULTILINE))
    again.write_text(show_config(path, {"sizing.shape": "kelly"}))
    config = settings_from(read_layers(again, {}, {}))
    assert config.sizing.shape == "kelly"
    assert config == settings_from(read_layers(path, {"sizing.shape": "kelly"}, {}))
