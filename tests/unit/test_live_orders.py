"""What must hold before real orders: each thing that does not is one line, and nothing is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.cli import run as run_lobdeck
from app.launch import latch_dir_of, prepare_session
from app.live_orders import BINANCE_ORDERS, live_session, orders_url
from app.replay_command import OptionError
from app.run_command import RunOptions
from pipeline.core.types import Authority, VenueMode
from pipeline.models.manifest import manifest_path
from pipeline.models.refusal import ModelRefused
from pipeline.runtime.gate import Gate
from pipeline.runtime.locks import InstanceLock, LockHeldError
from pipeline.runtime.places import SessionPlace, account_place
from pipeline.runtime.session_main import SessionRefusedError, run_session
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.venue_keys import KeyFileError, write_keys
from pipeline.wire.binance_requests import ApiKey
from tests.fakes.models import approved_for_live

WORDS = "LIVE main binance"
LIMITS = """
[limits.BTCUSDT]
max_qty_base = 0.01
max_notional_quote = 1000
max_position_quote = 2000
max_gross_quote = 2000
max_daily_loss_quote = 50
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "home"))
    keys = tmp_path / "keys"
    keys.mkdir()
    monkeypatch.setattr("app.live_orders.key_path", lambda alias: keys / f"{alias}.toml")
    write_keys(keys / "main.toml", ApiKey("key", "hush"))
    (tmp_path / "config.toml").write_text(LIMITS)
    approved_for_live(tmp_path)
    return tmp_path


def options(home: Path, **changes: Any) -> RunOptions:
    model = home / "qi-logit.onnx"
    given = {"venue": "binance", "symbols": ("BTCUSDT",), "live": True, "account": "main", "model": model}
    return RunOptions(**{**given, "config": home / "config.toml", **changes})


def made(
    home: Path, typed: str = WORDS, euid: int = 1_000, **changes: Any
) -> tuple[SessionSpec, SessionPlace]:
    return live_session(options(home, **changes), confirm=lambda *_: typed, euid=euid)


class Terminal:
    """Types the right words, and remembers what was shown for them."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def confirm(self, words: str, prompt: str) -> str:
        self.shown += [words, prompt]
        return WORDS


def test_it_starts_in_observe_with_the_written_limits_and_nothing_of_its_own_money(home: Path) -> None:
    spec, place = made(home)
    params = spec.params
    assert (params.mode, params.authority) == (VenueMode.LIVE, Authority.OBSERVE)
    assert params.limits["BTCUSDT"].profile == "configuration"
    assert (params.home_base_e8, params.balance_quote_e8) == (0, 0)
    assert params.session_number > 1
    assert spec.orders is not None
    assert (spec.orders.api_url, spec.orders.account) == (BINANCE_ORDERS, "main")
    assert spec.orders.recv_window_ms <= 1_000
    assert spec.journal
    assert b"hush" not in b"".join(file.read_bytes() for file in place.root.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"venue": "binance-usdm"}, "real orders go to binance only"),
        ({"euid": 0}, "not as root"),
        ({"headless": True}, "not with --headless"),
        ({"account": ""}, "wanted --account ALIAS"),
        ({"authority": "auto"}, "LIVE starts in observe"),
        ({"journal": False}, "not with --no-journal"),
        (
            {"symbols": ("BTCUSDT", "ETHUSDT")},
            r"no limits for ETHUSDT: write \[limits.ETHUSDT\] into .*config.toml",
        ),
        ({"base_url": "ws://venue.example:9000"}, "wanted wss://"),
        ({"typed": ""}, "not started: typed '', wanted 'LIVE main binance'"),
        ({"typed": "live main binance"}, "not started"),
    ],
)
def test_what_does_not_hold_is_refused_before_anything_is_made(
    home: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words) as refusal:
        made(home, **changes)
    assert "\n" not in str(refusal.value)
    assert not (home / "home" / "sessions").exists()


def test_the_key_file_is_looked_at_before_the_words_are_asked_for(home: Path) -> None:
    (home / "keys" / "main.toml").chmod(0o644)
    terminal = Terminal()
    with pytest.raises(KeyFileError, match="chmod 600"):
        live_session(options(home), confirm=terminal.confirm, euid=1_000)
    assert terminal.shown == []
    with pytest.raises(KeyFileError, match="No such file"):
        made(home, account="other")


def test_a_model_nobody_approved_for_real_money_is_refused(home: Path) -> None:
    terminal = Terminal()
    with pytest.raises(ModelRefused, match="E_APPROVAL") as refused:
        live_session(options(home, model=None), confirm=terminal.confirm, euid=1_000)
    assert terminal.shown == [], "it was refused only after the words were typed"
    assert "is approved for shadow, paper, not for live: `lobdeck model approve" in refused.value.message


def test_a_model_without_a_manifest_is_refused_before_anything_is_typed(home: Path) -> None:
    terminal = Terminal()
    manifest_path(home / "qi-logit.onnx").unlink()
    with pytest.raises(ModelRefused, match="E_APPROVAL: qi-logit.onnx has no manifest"):
        live_session(options(home), confirm=terminal.confirm, euid=1_000)
    assert terminal.shown == []


def test_what_is_shown_names_account_venue_server_and_symbols(home: Path) -> None:
    terminal = Terminal()
    live_session(options(home, base_url="ws://127.0.0.1:9000"), confirm=terminal.confirm, euid=1_000)
    assert terminal.shown == [
        "LIVE: real orders for account main at binance (127.0.0.1:9000) on BTCUSDT. It starts in OBSERVE and "
        "HALTED.",
        "type LIVE main binance to start",
    ]


def test_orders_go_where_the_feed_comes_from_unless_written_otherwise(home: Path) -> None:
    assert orders_url(options(home)) == BINANCE_ORDERS
    assert orders_url(options(home, base_url="wss://x.example")) == "wss://x.example/ws-api/v3"
    written = '[feed]\norders_url = "wss://ws-api.testnet.binance.vision/ws-api/v3"\n'
    (home / "config.toml").write_text(LIMITS + written)
    assert orders_url(options(home)).startswith("wss://ws-api.testnet.binance.vision")


def test_on_the_command_line_it_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "--venue", "binance", "--symbol", "BTCUSDT"]
    assert run_lobdeck([*arguments, "--live", "--headless"]) == 2
    assert run_lobdeck([*arguments, "--account", "main", "--headless"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("lobdeck: --live: not")
    assert second.startswith("lobdeck: --account: for --live only")


def test_the_accounts_latch_stops_every_session_of_it(home: Path) -> None:
    first, place = made(home)
    assert latch_dir_of(first) == account_place("main").root
    prepare_session(first, place)
    gate = Gate.attach(place.root)
    assert gate.latch("ada", "", "enough", 1)
    gate.detach()
    assert account_place("main").latch.exists()
    second, other = made(home)
    prepare_session(second, other)
    gate = Gate.attach(other.root)
    assert not gate.is_open()
    gate.detach()


def test_two_sessions_never_trade_one_account(home: Path) -> None:
    spec, place = made(home)
    prepare_session(spec, place)
    with InstanceLock.acquire(account_place("main").lock, "ada", 1), pytest.raises(LockHeldError):
        run_session(spec, place.root, euid=1_000)


def test_the_session_itself_refuses_real_money_as_root(home: Path) -> None:
    spec, place = made(home)
    with pytest.raises(SessionRefusedError, match="not as root"):
        run_session(spec, place.root, euid=0)
