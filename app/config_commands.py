"""What `lobdeck config init`, `check` and `show` do; the command line prints what these return."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from app.config import ConfigError, default_config_path, read_layers, settings_from
from app.config_text import settings_in_force, starting_file


def init_config(path: Path | None = None) -> Path:
    """Write a settings file of commented defaults and give its path; never over an existing one.

    Raises:
        ConfigError: the file exists, or it cannot be written.

    """
    target = path or default_config_path()
    if target.exists():
        raise ConfigError(f"{target}: exists already; move it away to get a new one")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(starting_file())
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    return target


def check_config(path: Path | None = None) -> str:
    """Check every source and say in one line what was found.

    Raises:
        ConfigError: a source cannot be read, or a setting is unknown or wrong.

    """
    layers = read_layers(path, {}, os.environ)
    settings_from(layers)
    counts = [f"{one.name}: {one.count()} settings" for one in layers if one.count()]
    return "ok; " + (", ".join(counts) if counts else "all settings are the defaults")


def show_config(path: Path | None = None, overrides: Mapping[str, object] | None = None) -> str:
    """Give the settings in force as TOML, each changed one with its source.

    Raises:
        ConfigError: a source cannot be read, or a setting is unknown or wrong.

    """
    layers = read_layers(path, overrides or {}, os.environ)
    return settings_in_force(settings_from(layers), layers)
