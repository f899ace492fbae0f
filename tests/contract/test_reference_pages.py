"""docs/reference is what the code gives now."""

from __future__ import annotations

import enum
from pathlib import Path

import pytest
from pydantic import BaseModel

from app.config_sections import Config
from app.config_trading import LimitSettings
from app.reference import PAGES, configuration_page, write_reference
from app.reference_text import member_texts

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"


class Lamp(enum.Enum):
    """A lamp."""

    ON = 1
    """It
    shines."""
    OFF = 0


@pytest.mark.parametrize(("name", "text"), PAGES, ids=[name for name, _ in PAGES])
def test_page_on_disk_is_the_one_the_code_gives(name: str, text: object) -> None:
    assert callable(text)
    assert (FOLDER / name).read_text(encoding="utf-8") == text(), "stale: run `make docs`"


def test_folder_holds_the_generated_pages_and_nothing_else() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {name for name, _ in PAGES}


def test_every_setting_stands_on_the_configuration_page() -> None:
    page = configuration_page()
    sections: list[type[BaseModel]] = [
        LimitSettings if name == "limits" else type(field.default)
        for name, field in Config.model_fields.items()
    ]
    for section in sections:
        for key in section.model_fields:
            assert f"| `{key}` |" in page


def test_pages_are_written_into_a_new_folder(tmp_path: Path) -> None:
    write_reference(tmp_path / "docs" / "reference")
    assert len(list((tmp_path / "docs" / "reference").iterdir())) == len(PAGES)


def test_text_below_a_member_is_its_meaning() -> None:
    assert member_texts(Lamp) == {"ON": "It shines."}
