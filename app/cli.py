"""The command line: one function a command, each a few lines; the work is done elsewhere.

Textual is imported only inside the commands that draw. Errors a user can mend go to stderr in one line and
give exit status 2.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

EXIT_USAGE = 2

app = typer.Typer(
    name="lobdeck",
    help="Trading console for live limit order books, in a terminal.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
config_app = typer.Typer(help="Write, check or show the configuration.", rich_markup_mode=None)
model_app = typer.Typer(help="Look inside a model file, or check it as loading does.", rich_markup_mode=None)
journal_app = typer.Typer(help="Verify, print or export a session's journal.", rich_markup_mode=None)
app.add_typer(config_app, name="config")
app.add_typer(model_app, name="model")
app.add_typer(journal_app, name="journal")

NameOption = Annotated[str | None, typer.Option("--name", help="Name of the session, a-z 0-9 -.")]
AuthorityOption = Annotated[
    str | None, typer.Option("--authority", help="observe, approve or auto; default approve.")
]
ModelOption = Annotated[Path | None, typer.Option("--model", help="An .onnx file with lobdeck's contract.")]
FeesOption = Annotated[str | None, typer.Option("--fees", help="MAKER/TAKER in basis points, e.g. 0/0.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Inference processes.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="A TOML file instead of the usual one.")]
HeadlessOption = Annotated[bool, typer.Option("--headless", help="Run without a screen.")]
SecondsOption = Annotated[float, typer.Option("--seconds", min=0.0, help="End after this long; 0 never.")]
SummaryOption = Annotated[Path | None, typer.Option("--summary", help="Write the summary JSON here.")]
JournalOption = Annotated[bool, typer.Option("--journal", help="Write a journal of the session.")]
SlowOption = Annotated[bool, typer.Option("--slow", help="Draw once a second, for a thin link.")]
VenueOption = Annotated[str, typer.Option("--venue", help="binance or binance-usdm.")]
SymbolOption = Annotated[
    list[str], typer.Option("--symbol", help="As BTCUSDT; more with commas, or the option again.")
]
BaseUrlOption = Annotated[
    str, typer.Option("--base-url", help="A server in the venue's place, as ws://127.0.0.1:9000.")
]
SessionArgument = Annotated[str | None, typer.Argument(help="Name of a session.")]


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Start the demo when no command is named."""
    if context.invoked_subcommand is None:
        demo()


@app.command()
def demo(
    name: NameOption = None,
    authority: AuthorityOption = None,
    model: ModelOption = None,
    fees: FeesOption = "0/0",
    workers: WorkersOption = None,
    config: ConfigOption = None,
    headless: HeadlessOption = False,
    seconds: SecondsOption = 0.0,
    summary: SummaryOption = None,
    slow: SlowOption = False,
) -> None:
    """Run the bundled synthetic market in a loop: no network, no keys; its flow is planted."""
    from app.replay_command import ReplayOptions, demo_capture, run_replay

    options = ReplayOptions(
        paths=(demo_capture(),),
        name=name,
        prefix="demo",
        authority=authority,
        model=model,
        fees=fees,
        workers=workers,
        config=config,
        headless=headless,
        seconds=seconds,
        summary=summary,
        slow=slow,
        loop=True,
        planted=True,
    )
    raise typer.Exit(run_replay(options))


@app.command()
def replay(
    paths: Annotated[list[Path], typer.Argument(help="Captures or journals, in order of time.")],
    venue: Annotated[str | None, typer.Option(help="binance or binance-usdm; found out otherwise.")] = None,
    speed: Annotated[str, typer.Option(help="Times real time, or max.")] = "1",
    loop: Annotated[bool, typer.Option("--loop", help="Start again at the end.")] = False,
    name: NameOption = None,
    authority: AuthorityOption = None,
    model: ModelOption = None,
    fees: FeesOption = None,
    workers: WorkersOption = None,
    config: ConfigOption = None,
    headless: HeadlessOption = False,
    seconds: SecondsOption = 0.0,
    summary: SummaryOption = None,
    journal: JournalOption = False,
    slow: SlowOption = False,
) -> None:
    """Play captures or journals through the engine: pause, step, seek; orders meet a paper venue."""
    from app.replay_command import ReplayOptions, parse_speed, run_replay

    options = ReplayOptions(
        paths=tuple(paths),
        venue=venue,
        speed=parse_speed(speed),
        loop=loop,
        name=name,
        prefix="replay",
        authority=authority,
        model=model,
        fees=fees,
        workers=workers,
        config=config,
        headless=headless,
        seconds=seconds,
        summary=summary,
        journal=journal,
        slow=slow,
    )
    raise typer.Exit(run_replay(options))


@app.command("run")
def run_command(
    venue: VenueOption,
    symbol: SymbolOption,
    live: Annotated[bool, typer.Option("--live", help="Real orders; not available yet.")] = False,
    base_url: BaseUrlOption = "",
    name: NameOption = None,
    authority: AuthorityOption = None,
    model: ModelOption = None,
    fees: FeesOption = None,
    workers: WorkersOption = None,
    config: ConfigOption = None,
    headless: HeadlessOption = False,
    seconds: SecondsOption = 0.0,
    summary: SummaryOption = None,
    journal: Annotated[bool, typer.Option("--journal/--no-journal", help="Keep what happened.")] = True,
    slow: SlowOption = False,
) -> None:
    """Trade a venue's live data on paper: real books and prints, orders to the paper venue."""
    from app.run_command import RunOptions, run_live, symbols_of

    options = RunOptions(
        venue=venue,
        symbols=symbols_of(symbol),
        live=live,
        base_url=base_url,
        name=name,
        authority=authority,
        model=model,
        fees=fees,
        workers=workers,
        config=config,
        headless=headless,
        seconds=seconds,
        summary=summary,
        journal=journal,
        slow=slow,
    )
    raise typer.Exit(run_live(options))


@app.command("record")
def record_command(
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
    """Record a venue's live data into a journal until Ctrl+C; no model, no orders."""
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


@app.command()
def sim(
    seed: Annotated[int, typer.Option(help="Same seed, same market.")] = 7,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="On loopback; 0 any free one.")] = 9_000,
    seconds: SecondsOption = 0.0,
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", help="BTCUSDT, ETHUSDT; may be repeated.")
    ] = None,
    informed: Annotated[float, typer.Option(help="Share of the news somebody knows, 0 to 1.")] = 0.9,
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
    as_json: Annotated[bool, typer.Option("--json", help="Say where it is as one JSON line.")] = False,
) -> None:
    """Run the simulated exchange alone, for any client; its flow is planted."""
    from app.sim_command import SimRequest, run_sim, speed_of

    request = SimRequest(
        seed=seed,
        port=port,
        seconds=seconds,
        symbols=tuple(symbol or ("BTCUSDT",)),
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
    )
    raise typer.Exit(run_sim(request))


@app.command()
def attach(
    name: SessionArgument = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look only; halt and kill still work.")] = False,
    slow: SlowOption = False,
) -> None:
    """Open a console on a running session; without NAME, on the only one."""
    from app.attach_command import attach_console
    from app.shell import one_running

    raise typer.Exit(attach_console(one_running(name), watch=watch, slow=slow))


@app.command()
def sessions() -> None:
    """List the sessions of this user, and what holds their gates closed."""
    from app.shell import sessions_text
    from pipeline.runtime.places import list_sessions

    typer.echo(sessions_text(list_sessions()))


@app.command()
def status(
    name: SessionArgument = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary object.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="A line a second, until Ctrl+C.")] = False,
) -> None:
    """Print a session's summary as it stands."""
    from app import shell
    from app.status_text import status_line, watch_status

    if watch:
        raise typer.Exit(watch_status(name))
    content = shell.status(name)
    typer.echo(json.dumps(content, indent=1) if as_json else status_line(content))


@app.command()
def halt(name: SessionArgument = None) -> None:
    """Close the gate: no new risk; without NAME, on every running session."""
    from app import shell

    lines, closed = shell.halt(shell.targets(name))
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if closed else shell.NOT_CONFIRMED)


@app.command()
def kill(name: SessionArgument = None) -> None:
    """Close and latch the gate, cancel our orders, and wait for zero; without NAME, on every session."""
    from app import shell

    lines, confirmed = shell.kill(shell.targets(name))
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if confirmed else shell.NOT_CONFIRMED)


@app.command()
def release(
    name: Annotated[str, typer.Argument(help="Name of a session.")],
    phrase: Annotated[str, typer.Option("--phrase", help="RELEASE NAME, instead of typing it.")] = "",
) -> None:
    """Take a kill or halt back, after showing what closed the gate; leads to HALTED."""
    from app import shell
    from pipeline.runtime.places import session_place

    place = session_place(name)
    typer.echo("\n".join(shell.gate_words(place)) or f"{name}: the gate is open")
    wanted = f"RELEASE {name}"
    typed = phrase or typer.prompt(f"type {wanted} to release", default="", show_default=False)
    if typed != wanted:
        raise shell.ShellError(f"not released: typed {typed!r}, wanted {wanted!r}")
    typer.echo(shell.release(place))


@config_app.command("init")
def config_init(config: ConfigOption = None) -> None:
    """Write a configuration file of commented defaults."""
    from app.config_commands import init_config

    typer.echo(f"wrote {init_config(config)}")


@config_app.command("check")
def config_check(config: ConfigOption = None) -> None:
    """Say whether the configuration is sound."""
    from app.config_commands import check_config

    typer.echo(check_config(config))


@config_app.command("show")
def config_show(config: ConfigOption = None) -> None:
    """Print the settings in force, each changed one with its source."""
    from app.config_commands import show_config

    typer.echo(show_config(config))


@model_app.command("inspect")
def model_inspect(file: Path) -> None:
    """Print a model's contract."""
    from app.model_command import inspect_model

    typer.echo(inspect_model(file))


@model_app.command("verify")
def model_verify(file: Path) -> None:
    """Check a model exactly as loading it does."""
    from app.model_command import verify_model

    typer.echo(verify_model(file))


@journal_app.command("verify")
def journal_verify(path: Path) -> None:
    """Check framing, chain and sequence of a journal; exit 3 when anything is missing."""
    from app.journal_command import verify

    text, sound = verify(path)
    typer.echo(text)
    raise typer.Exit(0 if sound else 3)


@journal_app.command("dump")
def journal_dump(path: Path) -> None:
    """Print a journal's records as JSON lines."""
    from app.journal_command import dump

    for line in dump(path):
        typer.echo(line)


@journal_app.command("export")
def journal_export(path: Path, output: Path) -> None:
    """Write a journal's raw frames as stamped lines, which `replay` reads."""
    from app.journal_command import export

    typer.echo(export(path, output))


@app.command()
def doctor() -> None:
    """Check this machine: Python, terminal, directories, clock, what would shadow our modules."""
    from app.doctor import report

    text, sound = report()
    typer.echo(text)
    raise typer.Exit(0 if sound else EXIT_USAGE)


@app.command()
def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds: below a minute, not three.")] = False,
    capture: Annotated[
        list[Path] | None, typer.Option("--capture", help="Measure on these Binance spot captures.")
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", help="Only book, workers, orders, replay, memory or console."),
    ] = None,
) -> None:
    """Measure the budgets on this machine, as ratios taken side by side."""
    from app.bench import run_bench

    typer.echo(run_bench(as_json=as_json, quick=quick, captures=capture or (), parts=part or ()))


def run(arguments: list[str] | None = None) -> int:
    """Run a command line; give its exit status."""
    from app.errors import mendable_errors, one_line

    try:
        status_of = app(args=sys.argv[1:] if arguments is None else arguments, standalone_mode=False)
    except typer.Abort:
        typer.echo("lobdeck: interrupted", err=True)
        return EXIT_USAGE
    except mendable_errors() as problem:
        typer.echo(f"lobdeck: {one_line(problem)}", err=True)
        return EXIT_USAGE
    return status_of if isinstance(status_of, int) else 0
