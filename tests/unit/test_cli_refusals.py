"""Anything garbled on the command line: one line on stderr that names the thing and the mend, status 2."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import run
from pipeline.runtime.places import list_sessions
from tests.fakes.sessions import SHARED, synthetic_lines, write_capture

Made = Callable[[Path], Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "home"))
    return tmp_path


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must be refused; give its line."""
    status = run(list(arguments))
    out, err = capsys.readouterr()
    assert status == 2, (out, err)
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("lobdeck: ")
    assert lines[0].isprintable()
    assert "Traceback" not in err
    return lines[0].removeprefix("lobdeck: ")


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Replay something that must be refused, and leave no session behind."""
    line = refusal(capsys, "replay", *arguments, "--headless")
    assert list_sessions() == ()
    return line


def good(folder: Path, lines: int = 300) -> Path:
    return write_capture(folder / "good.txt", synthetic_lines(lines))


def random_bytes(count: int) -> bytes:
    return random.Random(5).randbytes(count)


def cut_short(folder: Path) -> Path:
    path = folder / "cut.gz"
    packed = gzip.compress(b"\n".join(synthetic_lines(1_500)))
    path.write_bytes(packed[: len(packed) // 2])
    return path


def holding(name: str, content: bytes) -> Made:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def unstamped(folder: Path) -> Path:
    line = synthetic_lines(1)[0].partition(b" ")[2]
    return write_capture(folder / "unstamped.txt", [line])


def other_symbol(folder: Path) -> Path:
    lines = [line.replace(b"BTCUSDT", b"XYZUSDT") for line in synthetic_lines(300)]
    return write_capture(folder / "other.txt", lines)


def no_symbol(folder: Path) -> Path:
    lines = [line for line in synthetic_lines(300) if b"lastUpdateId" in line]
    assert lines
    return write_capture(folder / "nameless.txt", lines)


def a_folder(folder: Path) -> Path:
    (folder / "captures").mkdir()
    return folder / "captures"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(cut_short, r"cut\.gz: line \d+: expected more gzip data.*truncated", id="truncated"),
        pytest.param(holding("r.bin", random_bytes(4_000)), r"r\.bin: line 1: expected stamped", id="random"),
        pytest.param(holding("r.gz", random_bytes(4_000)), r"r\.gz: .*expected gzip data", id="not gzip"),
        pytest.param(holding("r.zst", random_bytes(4_000)), r"r\.zst: .*expected zstd data", id="not zstd"),
        pytest.param(holding("nuls", b"\0" * 9_000), r"nuls: line 1: expected stamped", id="nuls"),
        pytest.param(holding("none.txt", b""), r"none\.txt: .*found an empty file", id="empty"),
        pytest.param(holding("blank.txt", b"\n\n\n"), r"blank\.txt: .*found no frame", id="blank"),
        pytest.param(holding("word.txt", b"hello\n"), r"word\.txt: line 1: .*found b'hello'", id="words"),
        pytest.param(unstamped, r"unstamped\.txt: line 1: .*unstamped JSON", id="unstamped"),
        pytest.param(other_symbol, r"XYZUSDT.*instruments\.toml", id="unknown symbol"),
        pytest.param(no_symbol, r"nameless\.txt: ", id="no symbol"),
        pytest.param(
            lambda folder: folder / "nowhere.gz",
            r"nowhere\.gz: No such file or directory; expected stamped",
            id="missing",
        ),
        pytest.param(a_folder, r"captures: .*found a directory", id="directory"),
    ],
)
def test_a_capture_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Made, words: str
) -> None:
    assert re.search(words, replayed(capsys, str(make(tmp_path))))


OTHERS = SHARED.parent
OKX = OTHERS / "cryptofeed" / "OKX.jsonl.zst"
HYPERLIQUID = SHARED / "hyperliquid_btcusd_20250126.gz"


@pytest.mark.skipif(not OTHERS.exists(), reason="recorded market data (../shared/data) is not here")
@pytest.mark.parametrize(
    ("path", "words"),
    [(OKX, "no connection to a known venue"), (HYPERLIQUID, "expected frames of binance, binance-usdm,")],
)
def test_a_capture_of_another_venue_is_refused(
    capsys: pytest.CaptureFixture[str], path: Path, words: str
) -> None:
    line = replayed(capsys, str(path))
    assert path.name in line
    assert words in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--venue", "binance-usdm"), "expected frames of binance-usdm, found binance"),
        (("--venue", "nasdaq"), "expected frames of nasdaq, found binance"),
        (("--fees", "abc"), "fees: found 'abc', wanted MAKER/TAKER"),
        (("--fees", "1"), "fees: found '1', wanted MAKER/TAKER"),
        (("--fees", "nan/0"), "fees: found 'nan/0'"),
        (("--fees", "1e400/0"), "fees: found '1e400/0'"),
        (("--authority", "god"), "--authority god: wanted observe, approve or auto"),
        (("--speed", "-1"), "--speed -1: wanted max, or times real time"),
        (("--speed", "nan"), "--speed nan: wanted max"),
        (("--speed", "fast"), "--speed fast: wanted max"),
        (("--workers", "0"), "--workers"),
        (("--workers", "1000"), "wanted less than or equal to 64"),
        (("--seconds", "-3"), "--seconds"),
        (("--name", "Bad Name"), "must be 1 to 32 characters of a-z, 0-9 and -"),
        (("--name", "../x"), "must be 1 to 32 characters of a-z, 0-9 and -"),
        (("--name", "x" * 33), "must be 1 to 32 characters of a-z, 0-9 and -"),
        (("--frobnicate",), "--frobnicate"),
        (("--config", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("--model", "nowhere.onnx"), "--model nowhere.onnx: "),
        (("--summary", "/nowhere/at/all.json"), "--summary /nowhere/at/all.json: wanted a file in"),
        (("--summary", "/"), "--summary /: wanted a file in"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert words in replayed(capsys, str(good(tmp_path)), *arguments)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[decision]\nentry_abov_half = 0.1\n",
            "entry_abov_half: unknown setting, did you mean entry_above_half",
        ),
        ("[decision\n", "not TOML"),
        ("[decision]\nentry_above_half = 'much'\n", "decision.entry_above_half"),
        ("[decision]\nentry_above_half = 0.05\n", "leave_above_half below"),
        ("[limits.BTCUSDT]\nmax_qty_base = 0.0000001\n", "limits.BTCUSDT"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    line = replayed(capsys, str(good(tmp_path)), "--config", str(config))
    assert words in line


def test_a_model_that_is_a_text_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.onnx"
    model.write_text("weights: many")
    line = replayed(capsys, str(good(tmp_path)), "--model", str(model))
    assert str(model) in line
    assert "not an ONNX model" in line


def test_a_variable_that_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOBDECK_DECISION__GRID_MS", "soon")
    assert "LOBDECK_DECISION__GRID_MS" in replayed(capsys, str(good(tmp_path)))


def test_a_home_that_is_no_place_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOBDECK_HOME", "here")
    line = refusal(capsys, "replay", str(good(tmp_path)), "--headless")
    assert "LOBDECK_HOME=here is not an absolute path" in line


@pytest.mark.parametrize("command", [("demo",), ("replay", "good"), ("attach",), ("attach", "nobody")])
def test_a_console_without_a_terminal_starts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    arguments = [str(good(tmp_path)) if word == "good" else word for word in command]
    refusal(capsys, *arguments)
    assert list_sessions() == ()


@pytest.mark.parametrize("command", [("demo",), ("replay", "nowhere.gz")])
def test_a_wrong_value_is_told_before_a_missing_terminal(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert "--authority yolo: wanted" in refusal(capsys, *command, "--authority", "yolo")


@pytest.mark.parametrize("command", ["run", "record"])
def test_a_feed_that_never_came_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    nobody = "ws://127.0.0.1:1"
    headless = ["--headless"] if command == "run" else []
    given = ["--venue", "binance", "--symbol", "BTCUSDT", "--base-url", nobody, "--seconds", "1"]
    assert run([command, *given, *headless, "--summary", str(tmp_path / "sum.json")]) == 5
    reason, head = capsys.readouterr().err.splitlines()[-2:]
    missed = "nothing was recorded" if command == "record" else "there never was a book to trade on"
    assert reason.startswith(f"lobdeck: {missed}: feed ")
    assert head.startswith("journal head ")
    assert '"exit": "failed"' in (tmp_path / "sum.json").read_text()


@pytest.mark.parametrize(
    "command",
    [
        ("frobnicate",),
        ("status",),
        ("status", "--json"),
        ("status", "nobody"),
        ("halt",),
        ("kill",),
        ("kill", "nobody"),
        ("kill", "../.."),
        ("release", "nobody", "--phrase", "RELEASE nobody"),
        ("replay",),
        ("model", "inspect", "nowhere.onnx"),
        ("model", "verify", "nowhere.onnx"),
        ("journal", "verify", "nowhere"),
        ("journal", "dump", "nowhere"),
        ("journal", "export", "nowhere", "out"),
        ("config", "check", "--config", "nowhere.toml"),
    ],
)
def test_a_command_with_nothing_to_act_on_is_refused(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    refusal(capsys, *command)


def test_a_capture_cut_on_the_way_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = synthetic_lines(2_600)
    capture = write_capture(tmp_path / "cut.txt", [*lines[:2_500], b"then nothing", *lines[2_500:]])
    line = refusal(capsys, "replay", str(capture), "--headless", "--speed", "max", "--workers", "1")
    assert "cut.txt: line 2501: expected stamped lines" in line
    assert [entry.alive for entry in list_sessions()] == [False]
