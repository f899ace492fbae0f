"""The simulated venue's protocol page says what its code does: codes, filters, streams, paths, options."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from app.reference_sim import methods_of_venue, option_rows, sim_page
from pipeline.sim.exchange import errors
from pipeline.sim.exchange.error_codes import FILTERS, MEANINGS, REASONS_2010
from pipeline.sim.protocol.dialect import DIALECTS, Dialect
from pipeline.sim.protocol.faults import FaultKind
from pipeline.sim.streams import STREAMS
from tests.fakes.sim_client import FakeLink, SimClient
from tests.fakes.usdm_client import UsdmClient

ROOT = Path(__file__).resolve().parents[2]
SIM = ROOT / "pipeline" / "sim"
CLIENTS = {"binance": SimClient, "binance-usdm": UsdmClient}


def codes_in_the_source() -> set[int]:
    found = set()
    for path in SIM.rglob("*.py"):
        if path.name == "error_codes.py":
            continue
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(code))) if code >= 1_000:
                    found.add(-code)
                case _:
                    pass
        found |= {int(code) for code in re.findall(r'"code":(-\d{4})', text)}
    return found


def test_every_code_that_is_raised_is_explained_and_no_other() -> None:
    assert codes_in_the_source() == set(MEANINGS)


def test_texts_and_filters_are_those_of_the_source() -> None:
    source = "".join(path.read_text() for path in SIM.rglob("*.py") if path.name != "error_codes.py")
    assert set(re.findall(r'filter_failure\("(\w+)"\)', source)) == set(FILTERS)
    named = set(re.findall(r"raise rejected\((\w+)\)", source))
    assert {getattr(errors, name) for name in named} == set(REASONS_2010)


@pytest.mark.parametrize("venue", DIALECTS)
def test_every_stream_of_the_page_brings_something(venue: str) -> None:
    client = CLIENTS[venue]()
    names = [f"btcusdt@{name}" for name, _ in STREAMS[venue]]
    heard: set[str] = set()
    for path in client.venue.dialect.stream_paths:
        link = FakeLink()
        if path.endswith("/stream"):
            client.opened(link, path, f"streams={'/'.join(names)}")
            client.run(3)
            heard |= {one["stream"] for one in link.take()}
    assert heard == set(names)


@pytest.mark.parametrize("venue", DIALECTS)
def test_every_request_of_the_page_is_answered_by_the_venue(venue: str) -> None:
    client = CLIENTS[venue]()
    for method in methods_of_venue(client.venue.dialect):
        if method.is_websocket:
            answer = client.signed(method.name, symbol="BTCUSDT")
            assert answer.get("error", {}).get("code") != -1020 or "Refused" in method.does, method.name
        for verb, path in method.routes:
            found = client.http(verb, path, symbol="BTCUSDT")
            assert found is not None
            assert found.status != 404, path


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=str)
def test_what_a_request_needs_is_missed_by_name(dialect: Dialect) -> None:
    """Each mandatory parameter is really mandatory: without it the venue says so."""
    client = CLIENTS[dialect.venue]()
    usual: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "MARKET",
        "quantity": "0.010",
        "countdownTime": "1",
    }
    for method in methods_of_venue(dialect):
        for name in method.needs:
            given = {key: value for key, value in usual.items() if key != name}
            for verb, path in method.routes:
                client.now_ns += 1_000_000_000
                client.venue.advance(client.now_ns)
                answer = client.http(verb, path, **given)
                assert answer is not None
                if "Refused" not in method.does:
                    assert (answer.status, b"-1102" in answer.body) == (400, True), (path, name)


def test_page_names_every_option_fault_and_path() -> None:
    text = sim_page()
    for option, _, meaning in option_rows():
        assert option in text
        assert meaning
    for kind in FaultKind:
        assert f"`{kind.value}`" in text
    for dialect in DIALECTS.values():
        for path in (dialect.api_path, *dialect.rest_roots, *dialect.stream_paths):
            assert path in text
