"""The commands that start something and stay until it ends: demo, replay, run, record, sim."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.session_options import (
    ConfigOption,
    NameOption,
    SecondsOption,
    SessionOptions,
    SummaryOption,
    takes_session_options,
)

VenueOption = Annotated[
    str, typer.Option("--venue", help="As binance or bybit-spot; another is answered with all.")
]
SymbolOption = Annotated[
    list[str], typer.Option("--symbol", help="As BTCUSDT; more with commas, or the option again.")
]
BaseUrlOption = Annotated[
    str, typer.Option("--base-url", help="A server in the venue's place, as ws://127.0.0.1:9000.")
]


@takes_session_options(fees="0/0")
def demo(
    session: SessionOptions,
    seed: Annotated[int, typer.Option(help="Same seed, same market.")] = 7,
    journal: Annotated[bool, typer.Option("--journal/--no-journal", help="Keep what happened.")] = True,
) -> int:
    """Trade a simulated exchange on this machine. No network, no keys; its flow is planted."""
    from app.demo_command import DemoOptions, run_demo

    return run_demo(DemoOptions(**session.given(), seed=seed, journal=journal))


@takes_session_options()
def replay(
    session: SessionOptions,
    paths: Annotated[list[Path], typer.Argument(help="Captures or journals, in order of time.")],
    venue: Annotated[str | None, typer.Option(help="As binance or bybit-spot; found out otherwise.")] = None,
    speed: Annotated[str, typer.Option(help="Times real time, or max.")] = "1",
    loop: Annotated[bool, typer.Option("--loop", help="Start again at the end.")] = False,
    journal: Annotated[bool, typer.Option("--journal", help="Write a journal of the session.")] = False,
) -> int:
    """Play captures or journals through the engine.

    With pause, step and seek in the console; orders meet a paper venue.
    """
    from app.replay_command import ReplayOptions, parse_speed, run_replay

    options = ReplayOptions(
        **session.given(),
        paths=tuple(paths),
        prefix="replay",
        venue=venue,
        speed=parse_speed(speed),
        loop=loop,
        journal=journal,
    )
    return run_replay(options)


@takes_session_options()
def run(
    session: SessionOptions,
    venue: VenueOption,
    symbol: SymbolOption,
    live: Annotated[
        bool, typer.Option("--live", help="Real orders: wants --account, written limits, typed words.")
    ] = False,
    account: Annotated[
        str, typer.Option("--account", help="Of --live: whose key, keys/ALIAS.toml, signs.")
    ] = "",
    base_url: BaseUrlOption = "",
    journal: Annotated[bool, typer.Option("--journal/--no-journal", help="Keep what happened.")] = True,
) -> int:
    """Trade a venue's live data: on paper, or --live. --live is real money."""
    from app.run_command import RunOptions, run_live, symbols_of

    options = RunOptions(
        **session.given(),
        venue=venue,
        symbols=symbols_of(symbol),
        live=live,
        account=account,
        base_url=base_url,
        journal=journal,
    )
    return run_live(options)


def record(
    venue: VenueOption,
    symbol: SymbolOption,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write stamped lines here as well, at the end.")
    ] = None,
    base_url: BaseUrlOption = "",
    name: NameOption = None,
    config: ConfigOption = None,
    seconds: SecondsOption = 0.0,
    summary: SummaryOption = None,
) -> None:
    """Record a venue's live data into a journal. Until Ctrl+C; no model, no orders."""
    from app.run_command import RecordOptions, record, symbols_of

    options = RecordOptions(
        venue=venue,
        symbols=symbols_of(symbol),
        output=output,
        base_url=base_url,
        name=name,
        config=config,
        seconds=seconds,
        summary=summary,
    )
    raise typer.Exit(record(options))


def sim(
    seed: Annotated[int, typer.Option(help="Same seed, same market.")] = 7,
    venue: Annotated[str, typer.Option("--venue", help="binance or binance-usdm.")] = "binance",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="On loopback; 0 any free one.")] = 9_000,
    seconds: SecondsOption = 0.0,
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", help="BTCUSDT, ETHUSDT; may be repeated.")
    ] = None,
    pace: Annotated[str, typer.Option(help="usual, as real spot data, or calm, for eyes.")] = "usual",
    informed: Annotated[
        float | None, typer.Option(help="Share of the news somebody knows, 0 to 1; default the pace's own.")
    ] = None,
    fees: Annotated[str, typer.Option("--fees", help="MAKER/TAKER in basis points.")] = "0/0",
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="KIND[=AMOUNT][@START[+LENGTH]][:TARGET], as drop=0.01; docs/SIM.md."),
    ] = None,
    lifetime: Annotated[float, typer.Option(help="Seconds a connection lives.")] = 86_400.0,
    replay: Annotated[list[Path] | None, typer.Option("--replay", help="Serve this capture instead.")] = None,
    speed: Annotated[str, typer.Option(help="Of --replay, times real time.")] = "1",
    loop: Annotated[bool, typer.Option("--loop", help="Of --replay: start again at the end.")] = False,
    old_times: Annotated[
        bool, typer.Option("--old-times", help="Of --replay: leave the times alone.")
    ] = False,
    ledger: Annotated[
        Path | None, typer.Option(help="Append the venue's ledger here, as JSON lines.")
    ] = None,
    requests: Annotated[
        Path | None, typer.Option(help="Append every request and connection here, as JSON lines.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say where it is as one JSON line.")] = False,
) -> None:
    """Run the simulated exchange alone, for any client. Its flow is planted; docs/SIM.md."""
    from app.sim_command import SimRequest, run_sim, speed_of

    request = SimRequest(
        seed=seed,
        port=port,
        seconds=seconds,
        symbols=tuple(symbol or ("BTCUSDT",)),
        pace=pace,
        informed=informed,
        fees=fees,
        faults=tuple(fault or ()),
        lifetime_s=lifetime,
        ledger=ledger,
        as_json=as_json,
        captures=tuple(replay or ()),
        speed=speed_of(speed),
        loop=loop,
        times_as_captured=old_times,
        venue=venue,
        requests=requests,
    )
    raise typer.Exit(run_sim(request))
