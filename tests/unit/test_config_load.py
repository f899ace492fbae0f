"""Where settings come from, which source wins, and how a wrong one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from app import config as config_module
from app.config import Config, ConfigError, load_config, read_layers, settings_from

LIMITS = """
[limits.BTCUSDT]
max_qty_base = 0.1
max_notional_quote = 1000
max_position_quote = 2000
max_gross_quote = 3000
max_daily_loss_quote = 50.5
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def loaded(path: Path, environ: Mapping[str, str] | None = None, **options: object) -> Config:
    dotted = {name.replace("__", "."): value for name, value in options.items()}
    return settings_from(read_layers(path, dotted, environ or {}))


def test_nothing_written_gives_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config_module, "default_config_path", lambda: tmp_path / "absent.toml")
    assert settings_from(read_layers(None, {}, {})) == Config()


def test_usual_file_is_read_when_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = written(tmp_path, "workers.count = 7")
    monkeypatch.setattr(config_module, "default_config_path", lambda: path)
    assert settings_from(read_layers(None, {}, {})).workers.count == 7


def test_process_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOBDECK_WORKERS__COUNT", "6")
    assert load_config(written(tmp_path, "")).workers.count == 6


def test_option_stands_above_variable_above_file(tmp_path: Path) -> None:
    path = written(tmp_path, "[workers]\ncount = 3\nring_depth = 8\ndeadline_ms = 20\n")
    environ = {"LOBDECK_WORKERS__COUNT": "4", "LOBDECK_WORKERS__RING_DEPTH": "16"}
    workers = loaded(path, environ, workers__count=5).workers
    assert (workers.count, workers.ring_depth, workers.deadline_ms) == (5, 16, 20)


def test_numbers_stay_exact_in_file_and_variable(tmp_path: Path) -> None:
    path = written(tmp_path, "sizing.max_notional_quote = 0.1\n")
    config = loaded(path, {"LOBDECK_DECISION__ENTRY_ABOVE_HALF": "0.123456"})
    assert config.sizing.max_notional_quote == Decimal("0.1")
    assert config.decision.entry_above_half == Decimal("0.123456")


def test_limits_of_a_symbol_are_read_from_file_and_changed_by_a_variable(tmp_path: Path) -> None:
    environ = {"LOBDECK_LIMITS__BTCUSDT__MAX_QTY_BASE": "0.2"}
    limits = loaded(written(tmp_path, LIMITS), environ).limits["BTCUSDT"]
    assert (limits.max_qty_base, limits.max_daily_loss_quote) == (Decimal("0.2"), Decimal("50.5"))


def test_state_directory_variable_is_no_setting(tmp_path: Path) -> None:
    assert loaded(written(tmp_path, ""), {"LOBDECK_HOME": "/srv/state"}) == Config()


REFUSALS = [
    (
        "decision.entry_abov_half = 0.1",
        "decision.entry_abov_half: unknown setting, did you mean entry_above_half?",
    ),
    ("[decison]\ngrid_ms = 5", "decison: unknown setting, did you mean decision?"),
    ("workers.grid_ms = 5", "workers.grid_ms: unknown setting, it belongs to [decision]"),
    ("workers.xyzzy = 5", "workers.xyzzy: unknown setting"),
    ("workers.count = '3'", 'workers.count: found "3", wanted a whole number'),
    ("workers.count = true", "workers.count: found true, wanted a whole number"),
    ("workers.count = 3.0", "workers.count: found 3.0, wanted a whole number"),
    ("workers.count = 0", "workers.count: found 0, wanted greater than or equal to 1"),
    ("workers = 3", "workers: found 3, wanted a table"),
    ("workers.count = []", "workers.count: found a list, wanted a whole number"),
    ("sizing.max_notional_quote = nan", "sizing.max_notional_quote: found NaN, wanted a finite number"),
    ("sizing.slippage_bps = 0.001", "sizing.slippage_bps: found 0.001, wanted at most 2 decimals"),
    ("sizing.slippage_bps = '1'", 'sizing.slippage_bps: found "1", wanted a number'),
    ("sizing.shape = 'cubic'", "sizing.shape: found \"cubic\", wanted 'linear', 'power', 'z_cdf' or 'kelly'"),
    ("decision.leave_above_half = 0.3", "decision: wanted leave_above_half below entry_above_half (0.12)"),
    ("health.clock_halt_ms = 10", "health: wanted clock_warn_ms at most clock_halt_ms (10)"),
    ("permits.window_max_s = 10", "permits: wanted window_default_s at most window_max_s (10)"),
    ("permits.arming_ms = 100", "permits.arming_ms: found 100, wanted greater than or equal to 300"),
    ("workers.restart_max_ms = 1", "workers: wanted restart_first_ms at most restart_max_ms (1)"),
    ("guard.ack_ms = 301", "guard.ack_ms: found 301, wanted less than or equal to 300"),
    ("guard.late_ms = 6000", "guard.late_ms: found 6000, wanted less than or equal to 5000"),
    ("guard.late_ms = 900", "guard: wanted halt_ms below late_ms (900)"),
    ("guard.give_up_ms = 1", "guard.give_up_ms: unknown setting"),
    ("workers.ring_depth = 48", "workers: wanted ring_depth a power of two, as 32"),
    ("workers.hang_ms = 10", "workers: wanted deadline_ms at most hang_ms (10)"),
    ("console.frame_rate_hz = 2", "console: wanted slow_frame_rate_hz at most frame_rate_hz (2)"),
    ("feed.base_url = '1'", 'feed.base_url: found "1", wanted ws://HOST:PORT or wss://HOST, or nothing'),
    ('feed.base_url = "ws://h\\u0000"', 'feed.base_url: found "ws://h'),
    ("feed.orders_url = 'wss://me@h/x'", 'feed.orders_url: found "wss://me@h/x"'),
    (
        LIMITS.replace("3000", "1500"),
        "limits.BTCUSDT: wanted max_position_quote at most max_gross_quote (1500)",
    ),
    (
        LIMITS.replace("max_qty_base", "max_qty"),
        "limits.BTCUSDT.max_qty: unknown setting, did you mean max_qty_base?",
    ),
    (LIMITS.replace("max_qty_base = 0.1", ""), "limits.BTCUSDT.max_qty_base: missing, and it has no default"),
    (
        LIMITS.replace("BTC", "btc"),
        'limits.btcUSDT: found "btcUSDT", wanted a symbol in capitals, as BTCUSDT',
    ),
    ("limits = 5", "limits: found 5, wanted a table"),
    ("x = [", "not TOML"),
]


@pytest.mark.parametrize(("text", "wanted"), REFUSALS, ids=[text.strip()[:40] for text, _ in REFUSALS])
def test_wrong_setting_is_refused_in_one_line_that_names_file_and_field(
    tmp_path: Path, text: str, wanted: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        loaded(path)
    assert str(refused.value).startswith(f"{path}: {wanted}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("LOBDECK_WORKERS__COUNT", "many", 'LOBDECK_WORKERS__COUNT: found "many", wanted a whole number'),
        ("LOBDECK_WORKERS__COUNTS", "3", "LOBDECK_WORKERS__COUNTS: unknown setting, did you mean count?"),
        ("LOBDECK_WORKER__COUNT", "3", "LOBDECK_WORKER__COUNT: unknown section, did you mean workers?"),
        ("LOBDECK_WORKERS", "3", "LOBDECK_WORKERS: found 3, wanted a table"),
        ("lobdeck_workers__count", "0", "LOBDECK_WORKERS__COUNT: found 0, wanted greater than or equal to 1"),
    ],
)
def test_wrong_variable_is_refused_by_its_name(tmp_path: Path, name: str, text: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(written(tmp_path, ""), {name: text})
    assert str(refused.value).startswith(f"environment: {wanted}")


def test_wrong_option_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="option: workers.count: found 99, wanted less than or equal to 64"):
        loaded(written(tmp_path, ""), workers__count=99)


def test_value_with_control_characters_is_shown_without_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(written(tmp_path, 'sizing.shape = "\\u001b[2J' + "x" * 200 + '"'))
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (b"\xff\xfe\x00", "not TOML"),
        (b"x = 1\n" + b"[\n" * 10_000, "not TOML"),
        (b"x = " + b"[" * 1_900, "not TOML"),
        (b"#" * 1_000_001, "found more than 1000000 bytes"),
        (b"x = 1e" + b"9" * 1_900, "not TOML"),
        (b"x = " + b"9" * 19_000, "found a line of more than 2000 bytes"),
        (b"a." * 900 + b"b = 1", "found tables more than 8 deep"),
    ],
    ids=["binary", "lines", "nested", "large", "exponent", "long line", "tables"],
)
def test_file_that_is_no_settings_file_is_refused(tmp_path: Path, raw: bytes, wanted: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match=wanted):
        loaded(path)


def test_named_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent.toml: cannot be read: No such file or directory"):
        loaded(tmp_path / "absent.toml")


def test_directory_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        loaded(tmp_path)
