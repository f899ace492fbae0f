"""A session's summary for a reader: a few lines at once, or a line a second.

The object is the one of `status --json`; what its fields mean is in docs/reference/summary.md.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from app.last_summary import log_words
from app.link_call import NoAnswerError, ask_status
from app.shell import one_running
from pipeline.runtime.locks import is_held
from pipeline.runtime.places import PlacesError, SessionPlace
from pipeline.runtime.start_words import start_lines

EVERY_S = 1.0
_STAGES = (
    ("features", "recv_to_features"),
    ("prediction", "recv_to_prediction"),
    ("decision", "recv_to_decision"),
    ("order", "recv_to_order"),
)
_DENIALS_SHOWN = 4

Summary = Mapping[str, Any]


def status_line(content: Summary) -> str:
    """Give a summary as readable lines, one thing a line, without a line end."""
    lines = [*_ended(content), _head(content), *start_lines(content["start"]), _market(content)]
    for symbol, book in content["book"].items():
        lines += [_book(symbol, book), _position(symbol, content["position"][symbol])]
    lines += [_orders(content), _model(content), _workers(content), _latency(content)]
    return "\n".join(lines)


def watch_line(content: Summary, frames_a_second: float) -> str:
    """Give a summary as one short line; `frames_a_second` is counted since the line before."""
    decision = content["latency_us"]["recv_to_decision"]
    books = ",".join(book["state"] for book in content["book"].values())
    return (
        f"{_states(content)}  book {books}  {frames_a_second:>6,.0f} frames/s  gaps {content['gaps']}"
        f"  orders {content['orders']} open {content['open_orders']} fills {content['fills']}"
        f"  workers {_ready(content)}  decision p50 {_us(decision['p50'])} p99 {_us(decision['p99'])}"
    )


def watch_status(name: str | None) -> int:
    """Print a line a second until Ctrl+C or the end of the session; give the exit status.

    Raises:
        ShellError: no session, or several and none named.
    """
    place = one_running(name)
    frames, at_s = -1, 0.0
    try:
        while is_held(place.lock):
            content = _ask(place)
            if content is None:
                _say(f"{place.name} does not answer{log_words(place)}")
            else:
                now_s = time.monotonic()
                rate = max(content["frames"] - frames, 0) / (now_s - at_s) if frames >= 0 else 0.0
                frames, at_s = content["frames"], now_s
                _say(watch_line(content, rate))
            time.sleep(EVERY_S)
        _say(f"session {place.name} has ended")
    except KeyboardInterrupt:
        _say("")
    return 0


def _ask(place: SessionPlace) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(ask_status(place))
    except (NoAnswerError, PlacesError):
        return None
    return content


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _states(content: Summary) -> str:
    return f"{content['mode']} {content['authority']} {content['trading_state']}"


def _ended(content: Summary) -> list[str]:
    ended = content.get("ended")
    return [] if ended is None else [f"ENDED {ended['how']} at {ended['at']}; its last summary:"]


def _head(content: Summary) -> str:
    pid = content["pids"]["engine"]
    ending = "" if content["exit"] == "clean" or "ended" in content else f"  would exit: {content['exit']}"
    return f"{_states(content)}  engine pid {pid}  alerts {content['alerts']}{ending}"


def _market(content: Summary) -> str:
    words = [
        f"frames {content['frames']:,}",
        f"updates {content['updates']:,}",
        f"trades {content['trades']:,}",
    ]
    words += [f"{name} {content[name]}" for name in ("gaps", "resyncs", "crossed")]
    return _row("market", "  ".join(words) + f"  refused {content['wire_errors']}")


def _book(symbol: str, book: Summary) -> str:
    bid, ask = (book[side][0] if book[side] else ("-", "-") for side in ("bids", "asks"))
    touch = f"bid {bid[0]} ({bid[1]})  ask {ask[0]} ({ask[1]})"
    return _row("book", f"{symbol} {book['state']} at update {book['last_update_id']}  {touch}")


def _position(symbol: str, position: Summary) -> str:
    money = "  ".join(f"{name} {position[name]}" for name in ("closed", "open", "fees"))
    return _row("position", f"{symbol} {position['qty']} at {position['avg_price']}  {money}")


def _orders(content: Summary) -> str:
    words = f"sent {content['orders']}  open {content['open_orders']}  fills {content['fills']}"
    denied = sorted(content["denied"].items(), key=lambda item: -item[1])
    shown = ", ".join(f"{code} {count:,}" for code, count in denied[:_DENIALS_SHOWN])
    more = f", {len(denied) - _DENIALS_SHOWN} more" if len(denied) > _DENIALS_SHOWN else ""
    return _row("orders", words + (f"  not sent: {shown}{more}" if denied else ""))


def _model(content: Summary) -> str:
    names = ("features", "predictions", "stale_predictions", "signals", "ideas", "permits")
    return _row("model", "  ".join(f"{name.replace('_', ' ')} {content[name]:,}" for name in names))


def _workers(content: Summary) -> str:
    workers = content["workers"]
    if not workers:
        return _row("workers", "none")
    restarts, served = (sum(worker[name] for worker in workers) for name in ("restarts", "served"))
    rss_mb = sum(worker["rss_mb"] for worker in workers)
    return _row(
        "workers", f"{_ready(content)} ready  served {served:,}  restarts {restarts}  {rss_mb:.0f} MB"
    )


def _ready(content: Summary) -> str:
    workers = content["workers"]
    return f"{sum(worker['state'] in ('READY', 'BUSY') for worker in workers)}/{len(workers)}"


def _latency(content: Summary) -> str:
    pairs = [(name, content["latency_us"][key]) for name, key in _STAGES]
    words = [f"{name} {_us(one['p50'])} / {_us(one['p99'])}" for name, one in pairs]
    return _row("latency", "receive to " + ", ".join(words) + "  (p50 / p99)")


def _row(title: str, words: str) -> str:
    return f"{title:<9} {words}"


def _us(value: float) -> str:
    """Give microseconds in the unit that reads best; `-` where there were no records (-1)."""
    if value < 0:
        return "-"
    return f"{value:.0f} us" if value < 10_000 else f"{value / 1000:.0f} ms"
