"""The page on the simulated venue's protocol, written from its own tables."""

from __future__ import annotations

import msgspec
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from app.reference_text import member_texts, page, table
from pipeline.sim.exchange.error_codes import FILTERS, MEANINGS, REASONS_2010
from pipeline.sim.exchange.ledger import Entry, EntryKind
from pipeline.sim.opening import SimOptions, open_live
from pipeline.sim.protocol.dialect import SPOT, USDM, Dialect
from pipeline.sim.protocol.faults import EXAMPLES, FaultKind, default_form
from pipeline.sim.protocol.methods import Method
from pipeline.sim.protocol.private_session import EVENTS
from pipeline.sim.protocol.request_limits import CONNECTIONS_PER_5_MINUTES, PATIENCE, RequestLimits
from pipeline.sim.protocol.request_log import LogEntry
from pipeline.sim.streams import STREAMS

_TITLES = {SPOT.venue: "Binance spot", USDM.venue: "Binance USD-M futures"}


def sim_page() -> str:
    """Give options, paths, requests, streams, limits, codes and faults of `lobdeck sim`."""
    parts = [
        "What `lobdeck sim` speaks; what it is, and what is not there, is in [SIM.md](../SIM.md). Everything "
        "is on one port on 127.0.0.1. `--venue` chooses which of the two venues it is.",
        "## Options",
        table(("option", "default", "meaning"), option_rows()),
    ]
    for dialect in (SPOT, USDM):
        parts += _venue_parts(dialect)
    parts += [*_limit_parts(), *_code_parts(), *_fault_parts(), *_record_parts()]
    return page("The simulated venue's protocol", parts)


def option_rows() -> list[tuple[str, str, str]]:
    """Give (option, default, meaning) of every option of the command, in its order."""
    from app.cli import app

    group = get_command(app)
    assert isinstance(group, TyperGroup)
    rows = []
    for option in group.commands["sim"].params:
        if isinstance(option, TyperOption) and not option.hidden:
            default = "" if option.default in (None, False) else f"`{option.default}`"
            rows.append((f"`{option.opts[-1]}`", default, option.help or ""))
    return rows


def methods_of_venue(dialect: Dialect) -> tuple[Method, ...]:
    """Give every request of a venue."""
    return open_live(SimOptions(venue=dialect.venue), 0).methods


def _venue_parts(dialect: Dialect) -> list[str]:
    paths = [("WebSocket API", f"`{dialect.api_path}`")]
    for root, channels in dialect.routes.items():
        carried = ", ".join(channels) or "every channel"
        ends = f"`{root}/ws`, `{root}/ws/STREAM/…`, `{root}/stream?streams=A/B`"
        paths.append(("market streams", f"{ends}: {carried}"))
    if dialect.private_route:
        paths.append(
            ("user data", f"`{dialect.private_route}/ws?listenKey=KEY&events=A/B`: {', '.join(EVENTS)}")
        )
    paths.append(("REST", ", ".join(f"`{root}`" for root in dialect.rest_roots)))
    streams = [(f"`SYMBOL@{name}`", does) for name, does in STREAMS[dialect.venue]]
    return [
        f"## {_TITLES[dialect.venue]}: `--venue {dialect.venue}`",
        table(("what", "where"), paths),
        "### Streams",
        "SYMBOL in lower case. A subscription to any other stream, or on a route that does not carry it, is "
        "accepted and stays silent.",
        table(("stream", "brings"), streams),
        "### Requests",
        "Signed ones need `timestamp` and `signature`, and the key: `apiKey` over WebSocket, the header "
        "`X-MBX-APIKEY` over REST; `recvWindow` is optional.",
        table(
            ("WebSocket API", "REST", "security", "weight", "needs", "takes", "does"),
            [_method_row(method) for method in methods_of_venue(dialect)],
        ),
        *(
            ["`userDataStream.unsubscribe` (weight 2, `subscriptionId`) ends it again."]
            if dialect is SPOT
            else []
        ),
    ]


def _method_row(method: Method) -> tuple[str, ...]:
    routes = ", ".join(f"`{verb} {path}`" for verb, path in method.routes)
    return (
        f"`{method.name}`" if method.is_websocket else "",
        routes,
        method.security.name.lower(),
        method.weight_text,
        ", ".join(method.needs),
        ", ".join(method.takes),
        method.does,
    )


def _limit_parts() -> list[str]:
    rows = []
    for dialect in (SPOT, USDM):
        venue = open_live(SimOptions(venue=dialect.venue), 0)
        (account,) = venue.market.exchange.accounts.values()
        orders = ", ".join(
            f"{one.limit} in {one.interval_num} {one.interval}" for one in account.order_quotas
        )
        rows.append(
            (
                _TITLES[dialect.venue],
                f"{dialect.weight_per_minute} a minute",
                orders,
                f"{dialect.messages_per_second} a second, {dialect.most_streams} streams",
                f"every {dialect.ping_s:g} s, a copy within {dialect.pong_within_s:g} s",
            )
        )
    raw = RequestLimits().raw
    return [
        "## Limits",
        "Windows are aligned to the clock. All connections are one address and share weight and bans; order "
        f"counts are the account's. Beyond them: {raw.limit} requests in {raw.interval_num} minutes, "
        f"{CONNECTIONS_PER_5_MINUTES} new connections in 5 minutes (429). After {PATIENCE} refusals in a row "
        "the address is banned: 418, two minutes, then each time twice as long, three days at most.",
        table(("venue", "weight", "new orders", "a stream connection", "pings"), rows),
    ]


def _code_parts() -> list[str]:
    rows = [(str(code), meaning) for code, meaning in sorted(MEANINGS.items(), reverse=True)]
    return [
        "## Codes of refusal",
        "Over WebSocket in `error.code`, over REST in `code`; 429 and 418 say when to come back "
        "(`error.data.retryAfter`, `Retry-After`).",
        table(("code", "means"), rows),
        "Texts of -2010: " + " ".join(f"`{text}`" for text in REASONS_2010),
        "Filters named by -1013: " + ", ".join(f"`{name}`" for name in FILTERS) + ".",
    ]


def _fault_parts() -> list[str]:
    texts = member_texts(FaultKind)
    rows = []
    for kind in FaultKind:
        amount, target = default_form(kind)
        rows.append((f"`{kind.value}`", texts[kind.name], amount, target, f"`{EXAMPLES[kind]}`"))
    return [
        "## Faults",
        "`--fault KIND[=AMOUNT][@START[+LENGTH]][:TARGET]`, as often as wanted; times in seconds since the "
        "start. AMOUNT is a probability unless said otherwise. TARGET is a part of a stream's, method's or "
        "event's name. Faults that make requests or answers late are the WebSocket API's; a lost answer over "
        "REST cuts the connection.",
        table(("kind", "what happens", "AMOUNT", "TARGET", "example"), rows),
    ]


def _record_parts() -> list[str]:
    return [
        "## Records",
        "`--ledger FILE` and `--requests FILE` append JSON lines, numbered without a hole. Both name the "
        "connection that asked by the same number: 0 is the street, a timer, or the venue itself.",
        f"Ledger ({', '.join(kind.value for kind in EntryKind)}): {_fields(Entry)}.",
        f"Requests (opened, closed, asked): {_fields(LogEntry)}.",
    ]


def _fields(record: type[msgspec.Struct]) -> str:
    return ", ".join(f"`{name}`" for name in record.__struct_fields__)
