"""The options of `lobdeck sim`: what cannot be done is refused in one line before a port is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import cli
from pipeline.core.types import Fees
from pipeline.runtime.instruments import load_instruments
from pipeline.sim.exchange.listing import spot_listings
from pipeline.sim.opening import SimOptions
from pipeline.sim.serving import Serving, addresses, fees_of, greeting, planted_words
from tests.fakes.bybit_market import trade_frame


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--symbol", "XYZ", "does not list XYZ; listed: BTCUSDT, ETHUSDT"),
        ("--informed", "1.5", "--informed 1.5: wanted 0 to 1"),
        ("--fees", "much", "--fees much: wanted MAKER/TAKER in basis points, like 2/5"),
        ("--fault", "drop=7", "drop takes an amount of at most 1"),
        ("--fault", "rain", "wanted KIND[=AMOUNT][@START[+LENGTH]][:TARGET], KIND one of drop,"),
        ("--lifetime", "0", "--lifetime 0.0: wanted seconds above 0"),
        ("--speed", "max", "--speed max: wanted times real time, 0.01 to 1000"),
        ("--replay", "no-such-file", "no-such-file: No such file or directory; expected stamped lines"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["sim", "--port", "0", option, value]) == cli.EXIT_USAGE
    complaint = capsys.readouterr().err
    assert said in complaint
    assert len(complaint.splitlines()) == 1


def test_a_capture_without_a_snapshot_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    update = '{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":5,"u":6,"b":[],"a":[]}'
    capture = tmp_path / "lonely"
    capture.write_text("".join(f"{1_700_000_000_000_000_000 + n} {update}\n" for n in range(3)))
    assert cli.run(["sim", "--port", "0", "--replay", str(capture)]) == cli.EXIT_USAGE
    assert "the capture holds no snapshot" in capsys.readouterr().err


def test_a_capture_of_another_protocol_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = tmp_path / "bybit"
    capture.write_bytes(b"%d %s\n" % (1_700_000_000_000_000_000, trade_frame([("1", "Buy")])))
    assert cli.run(["sim", "--port", "0", "--replay", str(capture)]) == cli.EXIT_USAGE
    said = "lobdeck: sim: a capture of bybit-linear cannot be served: the sim speaks Binance\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("text", "fees"),
    [("0/0", (0, 0)), ("2/5", (200, 500)), ("-0.5/3", (-50, 300)), ("1.25/10", (125, 1_000))],
)
def test_fees_are_read_in_basis_points(text: str, fees: tuple[int, int]) -> None:
    assert fees_of(text) == Fees(*fees, "venue")


def test_the_keys_come_from_the_seed() -> None:
    assert SimOptions(seed=1).credentials == SimOptions(seed=1).credentials
    assert len({*SimOptions(seed=1).credentials, *SimOptions(seed=2).credentials}) == 4


def test_a_person_is_told_where_it_is_and_that_the_flow_is_planted() -> None:
    serving = Serving(SimOptions(), planted_words(SimOptions()), ("BTCUSDT",))
    found = addresses(9_000, serving)
    text = greeting(found, serving.what)
    assert "its flow is planted" in text
    for name in ("base_url", "api_url", "api_key", "secret"):
        assert str(found[name]) in text


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_what_is_listed_is_what_the_shipped_tables_say(symbol: str) -> None:
    (table,) = load_instruments("binance", (symbol,), Fees(0, 0, "venue"))
    (listing,) = spot_listings((symbol,))
    assert listing.instrument == table
