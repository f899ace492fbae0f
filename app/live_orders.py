"""`lobdeck run --live`: what must hold before a session may send real orders, and the words a person types.

Refused in one line each: another venue than Binance spot, root, no screen, a raised authority, no journal,
no written limits, no private key file. Then account, venue and symbols are shown and must be typed, every
time; nothing remembers them. The session starts in OBSERVE and HALTED, whatever the configuration says.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from app.config import default_config_path, load_config
from app.replay_command import OptionError, default_model, parse_authority
from app.run_command import RunOptions, session_on_live_data
from pipeline.core.types import Authority, VenueMode
from pipeline.models.expectation import Expectation, Role
from pipeline.models.registry import approved_model
from pipeline.runtime.feed_endpoints import feed_urls
from pipeline.runtime.instruments import load_instruments
from pipeline.runtime.places import SessionPlace, account_place, config_dir
from pipeline.runtime.session_numbers import next_session_number
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.venue_keys import key_path, read_keys
from pipeline.runtime.venue_params import VenueParams

VENUE = "binance"
BINANCE_ORDERS = "wss://ws-api.binance.com:443/ws-api/v3"
_API_PATH = "/ws-api/v3"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

Confirm = Callable[[str, str], str]
"""Shows a text on the terminal and gives what was typed after the prompt."""


def live_session(options: RunOptions, *, confirm: Confirm, euid: int) -> tuple[SessionSpec, SessionPlace]:
    """Make a LIVE session, if everything holds and the words were typed; nothing has been started yet.

    `euid` is whose process this is: never root's.

    Raises:
        OptionError: something does not hold, or the words are not the ones asked for.
        KeyFileError: the account's key file cannot be used.
        ModelRefused: nobody approved the model for real money, or it is refused anyway.
        PlacesError: the alias is no name, or a directory is refused.
    """
    _check(options, euid)
    keys = key_path(options.account)
    read_keys(keys)
    url = orders_url(options)
    _check_limits(options)
    _check_model(options)
    wanted = f"LIVE {options.account} {VENUE}"
    typed = confirm(_words(options, url), f"type {wanted} to start")
    if typed != wanted:
        raise OptionError(f"not started: typed {typed[:60]!r}, wanted {wanted!r}")
    account_place(options.account)
    spec, place = session_on_live_data(options, VenueMode.LIVE, next_session_number())
    orders = VenueParams(api_url=url, key_path=str(keys), account=options.account)
    return msgspec.structs.replace(spec, orders=orders), place


def orders_url(options: RunOptions) -> str:
    """Give where orders go: as configured, else the server of `--base-url`, else the venue.

    Raises:
        OptionError: the key would cross a network in the clear.
        FeedError: `--base-url` is no URL.
    """
    settings = load_config(options.config).feed
    base = options.base_url or settings.base_url
    url = settings.orders_url or (f"{feed_urls(VENUE, base)[0]}{_API_PATH}" if base else BINANCE_ORDERS)
    parts = urlsplit(url)
    if parts.scheme != "wss" and parts.hostname not in _LOOPBACK:
        raise OptionError(f"--live: {url[:80]}: wanted wss://, so that the key does not cross in the clear")
    return url


def _check(options: RunOptions, euid: int) -> None:
    asked = parse_authority(options.authority)
    for holds, words in (
        (options.venue == VENUE, f"--venue {options.venue[:40]}: real orders go to {VENUE} only"),
        (not options.headless, "not with --headless: a person confirms it on the terminal, every time"),
        (euid != 0, "not as root: run as the user the key belongs to"),
        (options.account != "", "wanted --account ALIAS, its key in ~/.config/lobdeck/keys/ALIAS.toml"),
        (asked in (None, Authority.OBSERVE), "--authority: LIVE starts in observe; raise it on the : line"),
        (options.journal, "not with --no-journal: an order is on record before it leaves"),
    ):
        if not holds:
            raise OptionError(f"--live: {words}")


def _check_limits(options: RunOptions) -> None:
    written = load_config(options.config).limits
    missing = [symbol for symbol in options.symbols if symbol not in written]
    if missing:
        raise OptionError(
            f"--live: no limits for {', '.join(missing)}: write [limits.{missing[0]}] into "
            f"{options.config or default_config_path()}; the practice limits are not for real money"
        )


def _check_model(options: RunOptions) -> None:
    """Refuse a model nobody approved for real money before anything is typed."""
    instruments = load_instruments(VENUE, options.symbols, None, config_dir() / "instruments.toml")
    approved_model(options.model or default_model(instruments), Expectation(role=Role.LIVE))


def _words(options: RunOptions, url: str) -> str:
    return (
        f"LIVE: real orders for account {options.account} at {VENUE} ({urlsplit(url).netloc}) on "
        f"{', '.join(options.symbols)}. It starts in OBSERVE and HALTED."
    )
