"""One typo at a time in a settings file is refused, or changes nothing (CONTROLS 3.6, F1)."""

from __future__ import annotations

import re
import string
import tempfile
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.config import Config, ConfigError, read_layers, settings_from
from app.config_text import starting_file

TEXT = re.sub(r"^#(?=[\w\[])", "", starting_file(), flags=re.MULTILINE)
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]
KEYS = [n for n, line in enumerate(LINES) if "=" in line]
TABLES = [n for n, line in enumerate(LINES) if line.startswith("[")]
WRONG_VALUES = [
    '"1"',
    '""',
    "true",
    "nan",
    "inf",
    "-1",
    "1e30",
    "[]",
    "[1]",
    "{}",
    "1979-05-27",
    '"\\u0000"',
    "",
]


def settings_of(lines: list[str]) -> Config:
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write("\n".join(lines))
        file.flush()
        return settings_from(read_layers(Path(file.name), {}, {}))


BASE = settings_of(LINES)


@st.composite
def misspelt(draw: st.DrawFn, word: str) -> str:
    """Drop, double, swap or replace one letter."""
    at = draw(st.integers(0, len(word) - 1))
    match draw(st.sampled_from(["drop", "double", "swap", "replace"])):
        case "drop":
            return word[:at] + word[at + 1 :]
        case "double":
            return word[:at] + word[at] + word[at:]
        case "swap":
            return word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
        case _:
            return word[:at] + draw(st.sampled_from(string.ascii_lowercase + "_")) + word[at + 1 :]


def outcome(lines: list[str]) -> Config | str:
    """Give the settings, or the text of the refusal."""
    try:
        return settings_of(lines)
    except ConfigError as error:
        return str(error)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KEYS), st.data())
def test_a_misspelt_name_is_refused(n: int, data: st.DataObject) -> None:
    key, value = LINES[n].split(" = ", 1)
    wrong = data.draw(misspelt(key))
    assume(wrong != key)
    lines = [*LINES[:n], f"{wrong} = {value}", *LINES[n + 1 :]]
    assert isinstance(outcome(lines), str), f"{wrong} was taken for {key}"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TABLES), st.data())
def test_a_misspelt_table_is_refused(n: int, data: st.DataObject) -> None:
    name, _, symbol = LINES[n].strip("[]").partition(".")
    wrong = data.draw(misspelt(name))
    assume(wrong != name)
    lines = [*LINES[:n], f"[{wrong}.{symbol}]" if symbol else f"[{wrong}]", *LINES[n + 1 :]]
    assert isinstance(outcome(lines), str), f"[{wrong}] was taken for [{name}]"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KEYS), st.sampled_from(WRONG_VALUES))
def test_a_value_of_another_kind_or_out_of_range_is_refused(n: int, wrong: str) -> None:
    key = LINES[n].split(" = ", 1)[0]
    got = outcome([*LINES[:n], f"{key} = {wrong}", *LINES[n + 1 :]])
    assert isinstance(got, str) or got == BASE


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KEYS), st.text(max_size=12))
def test_garbage_as_a_value_is_refused_in_one_line_or_is_a_legal_number(n: int, garbage: str) -> None:
    key = LINES[n].split(" = ", 1)[0]
    got = outcome([*LINES[:n], f"{key} = {garbage}", *LINES[n + 1 :]])
    assert isinstance(got, Config) or "\n" not in got
