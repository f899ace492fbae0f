"""A key file is read only when nobody else can read it, and no refusal shows what is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.runtime.venue_keys import KeyFileError, key_path, read_keys, write_keys
from pipeline.wire.binance_requests import ApiKey

KEY = ApiKey("the-key", 'odd "secret" \\ of mine')


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "sim.toml"
    write_keys(file, KEY)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_keys(file) == KEY
    with pytest.raises(FileExistsError):
        write_keys(file, KEY)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o644])
def test_a_file_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path / "k.toml", 'api_key = "a"\nsecret = "b"\n', mode)
    with pytest.raises(KeyFileError, match=f"found mode {mode:04o}, wanted 0600; run chmod 600"):
        read_keys(file)


def test_a_file_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / "k.toml", 'api_key = "a"\nsecret = "b"\n')
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(KeyFileError, match=f"belongs to uid {uid}"):
        read_keys(file)


def test_links_directories_and_missing_files_are_refused(tmp_path: Path) -> None:
    real = written(tmp_path / "k.toml", 'api_key = "a"\nsecret = "b"\n')
    link = tmp_path / "link.toml"
    link.symlink_to(real)
    with pytest.raises(KeyFileError, match="symbolic link"):
        read_keys(link)
    with pytest.raises(KeyFileError, match="no plain file"):
        read_keys(tmp_path)
    with pytest.raises(KeyFileError, match="No such file"):
        read_keys(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "text",
    [
        "",
        'api_key = "hush"',
        'api_key = "hush"\nsecret = 5',
        'api_key = "hush"\nsecret = ""',
        'api_key = "hush"\nsecret = "h\\u0007"',
        'api_key = "hush"\nsecret = "hush"\nwithdraw = true',
        "hush = = hush",
        'api_key = "hush"\nsecret = "' + "h" * 20_000 + '"',
    ],
)
def test_what_is_no_key_file_is_refused_in_one_line_without_its_text(tmp_path: Path, text: str) -> None:
    file = written(tmp_path / "k.toml", text)
    with pytest.raises(KeyFileError) as refusal:
        read_keys(file)
    assert str(refusal.value).count("\n") == 0
    assert "hush" not in str(refusal.value)


def test_keys_are_looked_for_by_alias() -> None:
    assert key_path("main").parts[-4:] == (".config", "lobdeck", "keys", "main.toml")
