"""From the options of `run` and `record` to a session, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import run as run_lobdeck
from app.config_sections import Config, FeedSettings, SessionSettings
from app.replay_command import ReplayOptions, build_session, bundled_model, sample_capture
from app.run_command import RunOptions, build_live_session, feed_params, symbols_of
from pipeline.core.types import Authority, VenueMode
from pipeline.models.refusal import ModelRefused
from pipeline.runtime.feed_params import FeedParams
from pipeline.runtime.places import list_sessions
from tests.fakes.sessions import synthetic_lines, write_capture


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


def options(**changes: object) -> RunOptions:
    given: dict[str, object] = {"venue": "binance", "symbols": ("BTCUSDT", "ETHUSDT"), **changes}
    return RunOptions(**given)  # type: ignore[arg-type]


def test_live_data_meet_the_paper_venue_with_a_journal() -> None:
    spec, place = build_live_session(options(base_url="ws://127.0.0.1:9000"))
    assert spec.params.mode is VenueMode.PAPER
    assert spec.params.authority is Authority.APPROVE
    assert spec.journal
    assert spec.symbols == ("BTCUSDT", "ETHUSDT")
    assert spec.sources == ("", "BTCUSDT", "ETHUSDT")
    assert spec.feed is not None
    assert (spec.feed.stream_url, spec.feed.rest_url) == ("ws://127.0.0.1:9000", "http://127.0.0.1:9000")
    assert place.name == "binance-btcusdt-1"
    assert place.root.is_dir()


def test_a_model_file_copied_alone_runs_nowhere_but_in_a_replay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "calm.onnx"
    bare.write_bytes(bundled_model("calm-logit").read_bytes())
    words = "E_APPROVAL: calm.onnx has no manifest, approved for nothing, not for paper: `lobdeck model"
    demo = ["demo", "--headless", "--seconds", "1", "--model", str(bare)]
    assert run_lobdeck(demo) == 2
    assert words in capsys.readouterr().err
    bare.write_bytes(bundled_model("qi-logit").read_bytes())
    with pytest.raises(ModelRefused, match="E_APPROVAL: calm.onnx has no manifest"):
        build_live_session(options(model=bare))
    assert list_sessions() == ()

    capture = write_capture(tmp_path / "good.txt", synthetic_lines(20))
    build_session(ReplayOptions(paths=(capture,), prefix="replay", model=bare))
    assert capsys.readouterr().err.splitlines() == [
        "lobdeck: calm.onnx has no manifest: approved for nothing but a replay"
    ]


def test_what_was_fitted_on_planted_flow_is_not_for_a_real_venue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone: dict[str, object] = {"symbols": ("BTCUSDT",), "model": bundled_model("calm-logit")}
    with pytest.raises(ModelRefused, match="E_SPAN"):
        build_live_session(options(**alone))
    assert not list(tmp_path.glob("**/binance-btcusdt-1"))
    build_live_session(options(**alone, base_url="ws://127.0.0.1:9000"))
    assert "calm-logit: fitted on the simulated exchange" in capsys.readouterr().err


def test_a_replay_with_it_says_so_in_a_line_except_of_the_sample(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calm, copy = bundled_model("calm-logit"), tmp_path / "other.zst"
    copy.write_bytes(sample_capture().read_bytes())
    build_session(ReplayOptions(paths=(sample_capture(),), prefix="replay", model=calm))
    assert not capsys.readouterr().err
    build_session(ReplayOptions(paths=(copy,), prefix="replay", model=calm))
    assert "calm-logit: fitted on the simulated exchange" in capsys.readouterr().err


def test_the_venue_itself_is_the_default() -> None:
    spec, _ = build_live_session(options(venue="binance-usdm"))
    assert spec.feed is not None
    assert spec.feed.stream_url == "wss://fstream.binance.com"
    assert spec.feed.rest_url == "https://fapi.binance.com"


def test_settings_reach_the_feed_and_a_message_fits_a_journal_segment() -> None:
    config = Config(
        feed=FeedSettings(base_url="ws://here", reconnects=7, silent_trades_ms=9_000, snapshot_levels=500),
        session=SessionSettings(journal_segment_mb=4),
    )
    params = feed_params("binance", "", config)
    assert params.stream_url == "ws://here"
    assert (params.attempts, params.silent_trades_ms, params.snapshot_limit) == (7, 9_000, 500)
    assert params.max_frame_bytes < 4 << 20
    assert feed_params("binance", "ws://there", config).stream_url == "ws://there"


def test_the_defaults_of_the_settings_are_those_of_the_feed() -> None:
    params = feed_params("binance", "ws://x", Config())
    assert params == FeedParams(stream_url="ws://x", rest_url="http://x")


@pytest.mark.parametrize(
    ("given", "symbols"),
    [
        (["btcusdt"], ("BTCUSDT",)),
        (["BTCUSDT,ETHUSDT", "btcusdt"], ("BTCUSDT", "ETHUSDT")),
        ([" btcusdt , ethusdt "], ("BTCUSDT", "ETHUSDT")),
    ],
)
def test_symbols_stand_in_one_option_or_in_several(given: list[str], symbols: tuple[str, ...]) -> None:
    assert symbols_of(given) == symbols


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--symbol", "BTCUSDT", "--live"), "--live: not with --headless: a person confirms it"),
        (("--symbol", ","), "--symbol: found 0 symbols, wanted 1 to 64"),
        (("--symbol", ",".join(f"C{n}" for n in range(65))), "--symbol: found 65 symbols"),
        (("--symbol", "BTCUSD"), "did you mean BTCUSDT?"),
        (("--symbol", "BTCUSDT", "--base-url", "nonsense"), "--base-url nonsense: wanted ws://HOST:PORT"),
        (("--symbol", "BTCUSDT", "--authority", "all"), "--authority all: wanted observe, approve or auto"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert run_lobdeck(["run", "--venue", "binance", "--headless", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (home / "sessions").exists(), "nothing was started"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--symbol", "BTCUSDT,ETHUSDT", "-o", "file"),
            "-o with several symbols: stamped lines name no symbol",
        ),
        (("--symbol", "BTCUSDT", "-o", "/dev/null"), "-o /dev/null: exists already"),
    ],
)
def test_what_cannot_be_recorded_is_refused_in_one_line(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_lobdeck(["record", "--venue", "binance", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_an_unknown_venue_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_lobdeck(["run", "--venue", "mtgox", "--symbol", "BTCUSDT", "--headless"]) == 2
    assert "--venue mtgox: wanted one of binance, binance-usdm" in capsys.readouterr().err
