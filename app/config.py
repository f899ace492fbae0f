"""Settings: `load_config` reads and checks them, `build_engine_params` gives the core its share.

A file that is named must exist; the usual one, `~/.config/lobdeck/config.toml`, may be missing. Options
stand above variables, variables above the file. Anything unknown or out of range is refused in one line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from app.config_build import build_engine_params
from app.config_sections import Config
from app.config_sources import (
    ConfigError,
    Layer,
    environment_layer,
    file_layer,
    hint,
    merged,
    option_layer,
    printable,
)
from pipeline.runtime.places import config_dir

__all__ = [
    "Config",
    "ConfigError",
    "build_engine_params",
    "default_config_path",
    "load_config",
    "read_layers",
    "settings_from",
]


def default_config_path() -> Path:
    """Give the file that is read when none is named."""
    return config_dir() / "config.toml"


def load_config(
    path: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    defaults: Mapping[str, object] | None = None,
) -> Config:
    """Read all settings; `overrides` maps dotted names to values, as `{"workers.count": 3}`.

    `defaults` does so too, for what a command wants otherwise than usual and a person may still change.

    Raises:
        ConfigError: the file is missing or broken, or a setting is unknown, of the wrong type or out of
            range; the text names source, setting, what was found and what is wanted.

    """
    lowest = replace(option_layer(defaults or {}), name="command")
    return settings_from((lowest, *read_layers(path, overrides or {}, os.environ)))


def read_layers(
    path: Path | None, overrides: Mapping[str, object], environ: Mapping[str, str]
) -> tuple[Layer, ...]:
    """Read every source, lowest first.

    Raises:
        ConfigError: a source cannot be read.

    """
    file = path or default_config_path()
    layers = [file_layer(file)] if path is not None or file.exists() else []
    return (*layers, environment_layer(environ), option_layer(overrides))


def settings_from(layers: tuple[Layer, ...]) -> Config:
    """Check merged layers.

    Raises:
        ConfigError: a setting is unknown or wrong.

    """
    try:
        return Config(**merged(layers))
    except ValidationError as error:
        raise ConfigError(_refusal(error, layers)) from None


def _refusal(error: ValidationError, layers: tuple[Layer, ...]) -> str:
    """Put the first fault into one line; a misspelt key explains more than what is missing for it."""
    faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    fault = faults[0]
    path = tuple(str(part) for part in fault["loc"] if part != "[key]")
    layer = next((one for one in reversed(layers) if one.holds(path)), None) or _nearest(path, layers)
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{layer.name}: {layer.spelled(path)}: {_said(fault, path)}{more}"


def _nearest(path: tuple[str, ...], layers: tuple[Layer, ...]) -> Layer:
    """Give the highest layer that wrote anything of the same table: where a missing key is to be added."""
    shorter = path[:-1]
    if not shorter:
        return layers[-1]
    return next((one for one in reversed(layers) if one.holds(shorter)), None) or _nearest(shorter, layers)


def _said(fault: Any, path: tuple[str, ...]) -> str:
    match fault["type"]:
        case "extra_forbidden":
            return f"unknown setting{_known_name(path)}"
        case "missing":
            return "missing, and it has no default"
        case "contradiction":
            return f"wanted {fault['msg']}"
        case _:
            return f"found {printable(_shown(fault['input']))}, wanted {_wanted(fault)}"


def _wanted(fault: Any) -> str:
    """Give what would have been right, in the words of somebody writing TOML."""
    match fault["type"]:
        case "int_type" | "int_parsing":
            return "a whole number"
        case "dict_type" | "model_type":
            return "a table"
        case "decimal_max_places":
            return f"at most {fault['ctx']['decimal_places']} decimals"
        case _:
            return str(fault["msg"]).removeprefix("Input should be ")


def _shown(value: object) -> str:
    match value:
        case str():
            return f'"{value}"'
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return str(value)


def _known_name(path: tuple[str, ...]) -> str:
    """Name the nearest key of the same table, or the table the key really belongs to."""
    tables = {name: _keys(field.annotation) for name, field in Config.model_fields.items()}
    if len(path) == 1:
        return hint(path[0], tables)
    near = hint(path[-1], tables.get(path[0], {}))
    owner = next((name for name, keys in tables.items() if path[-1] in keys), None)
    return f", it belongs to [{owner}]" if owner and not near else near


def _keys(annotation: object) -> dict[str, object]:
    """Give the keys of a section; of a table by name, those of its entries."""
    from typing import get_args

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return dict(annotation.model_fields)
    return next((keys for part in get_args(annotation) if (keys := _keys(part))), {})
