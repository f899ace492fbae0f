"""What is read from files: journal, configuration, keys, model, manifest, the guard's report."""

from __future__ import annotations

import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec

import app.config_sources
import app.link
import pipeline.models.protobuf
import pipeline.runtime.journal_scan
import pipeline.runtime.link_server
import pipeline.runtime.venue_keys
import pipeline.wire.binance
import pipeline.wire.binance_answers
import pipeline.wire.binance_info
import pipeline.wire.bybit
import pipeline.wire.http_text
from app.config import ConfigError, read_layers, settings_from
from pipeline.models.loader import load_model
from pipeline.models.manifest import Manifest, manifest_path, read_manifest
from pipeline.models.refusal import ModelRefused
from pipeline.runtime.guard_report import REPORT_NAME, GuardReport, read_report
from pipeline.runtime.journal_format import JournalError
from pipeline.runtime.journal_reader import read_journal, verify_journal
from pipeline.runtime.venue_keys import KeyFileError, read_keys, write_keys
from pipeline.wire.binance_requests import ApiKey
from tests.fakes.journals import closed_journal
from tests.fakes.models import expectation, model_bytes
from tests.fuzz.target import Target


@cache
def _room() -> Path:
    """Give a private directory for the files of all targets; it goes with the process."""
    folder = tempfile.TemporaryDirectory()
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
_ZSTD = b"\x28\xb5\x2f\xfd"


def _put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(data)
    return path


def _journal(data: bytes) -> None:
    folder = _room() / "journal"
    for old in folder.glob("*"):
        old.unlink()
    packed = ".zst" if data.startswith(_ZSTD) else ""
    _put(folder / f"0001-000001.journal{packed}", data)
    with suppress(JournalError):
        for _ in read_journal(folder)[1]:
            pass
    with suppress(JournalError):
        verify_journal(folder)


def _journal_seeds() -> tuple[bytes, ...]:
    found = []
    for pack in (False, True):
        folder = _room() / f"sound-{pack}"
        closed_journal(folder, [b"one", b"", b"three" * 9], pack=pack)
        found += [path.read_bytes().rstrip(b"\0") for path in sorted(folder.iterdir())]
    return tuple(found)


def _one_line(refused: Exception) -> None:
    assert "\n" not in str(refused)


def _configuration(data: bytes) -> None:
    try:
        settings_from(read_layers(_put(_room() / "config.toml", data), {}, {}))
    except ConfigError as refused:
        _one_line(refused)


def _key_file(data: bytes) -> None:
    path = _put(_room() / "keys.toml", data)
    path.chmod(0o600)
    try:
        read_keys(path)
    except KeyFileError as refused:
        _one_line(refused)


def _key_seed() -> bytes:
    path = _room() / "sound-keys.toml"
    path.unlink(missing_ok=True)
    write_keys(path, ApiKey("key", "secret"))
    return path.read_bytes()


def _model(data: bytes) -> None:
    with suppress(ModelRefused):
        load_model(_put(_room() / "model" / "some.onnx", data), expectation())


def _manifest(data: bytes) -> None:
    model = _room() / "model" / "other.onnx"
    _put(manifest_path(model), data)
    with suppress(ModelRefused):
        read_manifest(model)


def _report(data: bytes) -> None:
    read_report(_put(_room() / "report" / REPORT_NAME, data).parent)


CONFIG = (
    b'[workers]\ncount = 2\n[sizing]\nshape = "linear"\nslippage_bps = 0.5\n[health]\nclock_warn_ms = 50\n'
)


def file_targets() -> Iterator[Target]:
    scan, protobuf = pipeline.runtime.journal_scan, pipeline.models.protobuf
    read = lambda stream, wanted, _name: stream.read(wanted)  # noqa: E731  a planted piece beside the others
    yield Target("journal", _journal, _journal_seeds(), (scan, "_read_exactly", read))
    no_toml = (app.config_sources, "_NO_TOML", UnicodeDecodeError)
    yield Target("configuration", _configuration, (CONFIG,), no_toml)
    unguarded = lambda _path, text: ApiKey(**tomllib.loads(text.decode()))  # noqa: E731  as above
    yield Target("keys", _key_file, (_key_seed(),), (pipeline.runtime.venue_keys, "_parsed", unguarded))
    number = lambda message, at: (message[at], at + 1)  # noqa: E731  as above
    yield Target("model", _model, (model_bytes(),), (protobuf, "_read_varint", number))
    here = sys.modules[__name__]
    manifest = msgspec.json.encode(Manifest("a", "b" * 64, "c", "ada", "", ()))
    decoded = lambda model: msgspec.json.decode(manifest_path(model).read_bytes(), type=Manifest)  # noqa: E731
    yield Target("manifest", _manifest, (manifest,), (here, "read_manifest", decoded))
    report = msgspec.json.encode(GuardReport(pid=4, reason="killed"))
    told = lambda folder: msgspec.json.decode((folder / REPORT_NAME).read_bytes(), type=GuardReport)  # noqa: E731
    yield Target("guard-report", _report, (report,), (here, "read_report", told))
