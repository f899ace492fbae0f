"""Where settings come from: a TOML file, `LOBDECK_*` variables, command line options, merged in that order.

Each layer is a nested dict of what was really written there, so that a refusal can name its source. Numbers
stay exact: floats are read as decimals. Checking the values is the business of `config_sections.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic_settings import EnvSettingsSource
from pydantic_settings.exceptions import SettingsError

from app.config_sections import ENVIRONMENT_PREFIX, Config

MAX_FILE_BYTES = 1_000_000
"""No settings file a person wrote comes near; a larger one is a mistaken path."""
MAX_LINE_BYTES = 2_000
"""Reading a dotted key costs the square of its length."""
MAX_TABLES = 8
"""Tables inside one another; the settings have two."""

OTHER_VARIABLES = frozenset({"LOBDECK_HOME"})
"""Variables with our prefix that are read elsewhere and are no settings."""

_NO_TOML = (ValueError, ArithmeticError, RecursionError)
"""What reading TOML raises: its own error, of digits and exponents beyond measure, of depth."""

Tree = dict[str, Any]


class ConfigError(ValueError):
    """A setting or a settings file that cannot be used; the text is one line for the user."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source said; `name` is how a refusal calls it."""

    name: str
    tree: Tree

    def holds(self, path: tuple[str, ...]) -> bool:
        """Say whether the setting at `path` was written here."""
        node: object = self.tree
        for key in path:
            if not isinstance(node, dict) or key not in node:
                return False
            node = node[key]
        return True

    def count(self) -> int:
        """Count the settings written here."""
        return _leaves(self.tree)

    def spelled(self, path: tuple[str, ...]) -> str:
        """Give the name of a setting as a person writes it in this source."""
        if self.name == "environment":
            return ENVIRONMENT_PREFIX + "__".join(path).upper()
        return ".".join(path)


def file_layer(path: Path) -> Layer:
    """Read a TOML file.

    Raises:
        ConfigError: it cannot be read, is larger than 1 MB, has a line or tables no person writes, or is not
            TOML.

    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: found more than {MAX_FILE_BYTES} bytes, wanted a settings file")
    if max(map(len, raw.split(b"\n"))) > MAX_LINE_BYTES:
        raise ConfigError(f"{path}: found a line of more than {MAX_LINE_BYTES} bytes, wanted a settings file")
    try:
        tree = tomllib.loads(raw.decode(), parse_float=Decimal)
    except _NO_TOML as error:
        raise ConfigError(f"{path}: not TOML: {printable(error)}") from None
    if _is_deep(tree, MAX_TABLES):
        raise ConfigError(f"{path}: found tables more than {MAX_TABLES} deep, wanted a settings file")
    return Layer(str(path), tree)


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """Read `LOBDECK_SECTION__KEY` variables; values are written as in the file, text without quotes.

    Raises:
        ConfigError: a variable names no section.

    """
    ours = {
        name.upper(): text
        for name, text in environ.items()
        if name.upper().startswith(ENVIRONMENT_PREFIX) and name.upper() not in OTHER_VARIABLES
    }
    for name in sorted(ours):
        section = name.removeprefix(ENVIRONMENT_PREFIX).partition("__")[0].lower()
        if section not in Config.model_fields:
            raise ConfigError(f"environment: {name}: unknown section{hint(section, Config.model_fields)}")
    source = EnvSettingsSource(Config)
    source.env_vars = {name.lower(): text for name, text in ours.items()}
    try:
        tree = _typed(source())
    except SettingsError as error:
        raise ConfigError(f"environment: {printable(error)}") from None
    if isinstance(tree.get("limits"), dict):
        tree["limits"] = {symbol.upper(): limits for symbol, limits in tree["limits"].items()}
    return Layer("environment", tree)


def option_layer(overrides: Mapping[str, object]) -> Layer:
    """Turn dotted names (`workers.count`) into a layer."""
    tree: Tree = {}
    for name, value in overrides.items():
        *sections, key = name.split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
        node[key] = value
    return Layer("option", tree)


def merged(layers: tuple[Layer, ...]) -> Tree:
    """Lay layers over each other, the last on top; tables are merged, values replaced."""
    result: Tree = {}
    for layer in layers:
        _lay_over(result, layer.tree)
    return result


def hint(word: str, known: Mapping[str, object]) -> str:
    """Give `, did you mean NAME?` for the nearest known name, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {near[0]}?" if near else ""


def printable(value: object) -> str:
    """Print a foreign value on one line of at most 80 characters, without control characters."""
    text = value if isinstance(value, str) else str(value)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 80 else text[:77] + "..."


def _lay_over(below: Tree, above: Tree) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _lay_over(below[key], value)
        else:
            below[key] = _copied(value)


def _leaves(tree: Tree) -> int:
    return sum(_leaves(value) if isinstance(value, dict) else 1 for value in tree.values())


def _copied(value: object) -> object:
    return {key: _copied(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def _typed(tree: Tree) -> Tree:
    return {key: _typed(v) if isinstance(v, dict) else _read(v) for key, v in tree.items()}


def _read(value: object) -> object:
    """Read a variable's text as the file would be read; what is no TOML value is text."""
    if not isinstance(value, str) or "\n" in value:
        return value
    try:
        return tomllib.loads(f"v = {value}", parse_float=Decimal)["v"]
    except _NO_TOML:
        return value


def _is_deep(tree: Tree, most: int) -> bool:
    inner = (value for value in tree.values() if isinstance(value, dict))
    return not most or any(_is_deep(value, most - 1) for value in inner)
