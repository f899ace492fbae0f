"""docs/CONTROLS.md against the code: codes, defaults, tests and where each control is shown."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from app.config import Config
from app.config_trading import LimitSettings
from pipeline.core.effects import AlertCode
from pipeline.core.types import DenyReason

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "CONTROLS.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:3] == "| C"
]
BY_A_PERSON = {"NO_LIMITS", "REDUCE_ONLY", "VENUE_DOWN"}
WANTED = [f"C{number}" for number in (*range(1, 22), 23, 25, 26)]


def test_every_control_has_its_row() -> None:
    assert [row[0] for row in ROWS] == WANTED


@pytest.mark.parametrize("row", ROWS, ids=WANTED)
def test_codes_and_tests_of_a_control_exist(row: list[str]) -> None:
    codes, tests = re.findall(r"`(\w+)`", row[3]), re.findall(r"`([^`]+)`", row[5])
    assert codes
    assert tests
    assert row[4]
    assert [code for code in codes if code not in {*DenyReason.__members__, *AlertCode.__members__}] == []
    for name in tests:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "def test_" in text


@pytest.mark.parametrize("row", ROWS, ids=WANTED)
def test_defaults_are_those_of_the_program(row: list[str]) -> None:
    found = re.findall(r"`(\w+)\.(\w+)`(?: = ([\d.]+)| \((none)\))", row[2])
    assert len(found) == row[2].count("`") // 2
    assert bool(found) != (row[2] == "always on")
    for section, key, number, none in found:
        field = _section(section).model_fields[key]
        if none:
            assert field.is_required()
        else:
            assert Decimal(str(field.default)) == Decimal(number)


def test_every_reason_the_checks_give_stands_on_the_page() -> None:
    source = (ROOT / "pipeline" / "core" / "risk_checks.py").read_text(encoding="utf-8")
    given = set(re.findall(r"_R\.([A-Z_]+)", source))
    assert {reason for reason in given if f"`{reason}`" not in PAGE} <= BY_A_PERSON


def _section(name: str) -> type[BaseModel]:
    if name == "limits":
        return LimitSettings
    return type(Config.model_fields[name].default)
