"""Features of a fixed clip, digested: numbers that change need a new version in `feature_table.py`.

After a change that was meant: raise the version of the formula, then run, from the project's folder,
`python -m tests.replay.test_feature_digest`, and commit the JSON beside this file. The command refuses to
overwrite a digest whose version did not change, unless the clip itself is another one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.core.features import FeatureEngine, FeatureParams
from pipeline.core.registry import NAMES, spec_of
from pipeline.core.types import Level, Side
from tests.fakes.market import MS, SECOND, BookEvent, Event, Market, TickerEvent, TradeEvent

STORED = Path(__file__).with_name("feature_digest.json")
START = 1_700_000_000 * SECOND
STEPS = 2_600
READ_EVERY_NS = 500 * MS


class Digest(NamedTuple):
    version: int
    sha256: str


def numbers(seed: int) -> Iterator[int]:
    """31-bit numbers of a linear congruential generator, the same on every Python for ever."""
    while True:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        yield seed >> 33


def clip() -> Iterator[Event]:
    """About 200 s of one market: a walking touch, uneven levels, tickers between books, bursts of trades."""
    draw = numbers(20_240_808)
    now, bid, spread = START, 60_000, 1

    def side(best: int, sign: int) -> tuple[Level, ...]:
        prices = [best]
        for _ in range(11):
            prices.append(prices[-1] + sign * (1 + next(draw) % 4))
        return tuple((price, 1 + next(draw) % 5_000) for price in prices)

    for _ in range(STEPS):
        now += 1 + next(draw) % (150 * MS)
        bid += (next(draw) % 5 - 2) * (next(draw) % 3 == 0)
        spread = max(1, min(6, spread + next(draw) % 3 - 1))
        kind = next(draw) % 4
        if kind < 2:
            yield BookEvent(now, side(bid, -1), side(bid + spread, 1))
        elif kind == 2:
            sizes = 1 + next(draw) % 5_000, 1 + next(draw) % 5_000
            yield TickerEvent(now, (bid, sizes[0]), (bid + spread, sizes[1]))
        else:
            for _ in range(1 + next(draw) % 3):
                buys = next(draw) % 2
                price = bid + spread if buys else bid
                yield TradeEvent(now, price, 1 + next(draw) % 900, Side.BUY if buys else Side.SELL)


@cache
def digests() -> tuple[str, dict[str, Digest]]:
    """The digest of the clip, and of each feature's rows on it."""
    market = Market(FeatureParams(max_book_age_ns=SECOND))
    events = hashlib.sha256()
    rows = {name: hashlib.sha256() for name in NAMES}
    next_ns = START + READ_EVERY_NS
    for event in clip():
        while event.ts_ns > next_ns:
            for name, digest in rows.items():
                if market.features.ready((name,), next_ns):
                    digest.update(b"%d %d\n" % (next_ns, *market.features.row_e6((name,), next_ns)))
            next_ns += READ_EVERY_NS
        events.update(repr(event).encode())
        market.feed(event)
    assert market.features.ready(NAMES, next_ns - READ_EVERY_NS), "the clip ends before every feature is warm"
    found = {name: Digest(spec_of(name).version, rows[name].hexdigest()) for name in NAMES}
    return events.hexdigest(), found


def load() -> tuple[str, dict[str, Digest]]:
    stored = json.loads(STORED.read_text(encoding="ascii"))
    return stored["clip"], {name: Digest(*value) for name, value in stored["features"].items()}


def complaint(name: str, stored: Digest | None, found: Digest) -> str:
    """What is wrong with a feature's digest; empty when nothing is."""
    if stored == found:
        return ""
    if stored is not None and stored.version == found.version:
        return f"{name}: numbers changed, version {found.version} did not; raise it in feature_table.py"
    return f"{name}: version {found.version} is not stored; run python -m tests.replay.test_feature_digest"


@pytest.mark.parametrize("name", NAMES)
def test_numbers_change_only_with_the_version(name: str) -> None:
    assert complaint(name, load()[1].get(name), digests()[1][name]) == ""


def test_clip_and_list_of_features_are_the_stored_ones() -> None:
    clip_digest, features = load()
    assert clip_digest == digests()[0]
    assert tuple(features) == NAMES


def test_changed_numbers_without_a_version_are_told_from_a_new_version() -> None:
    stored = Digest(1, "aa")
    assert "numbers changed" in complaint("qi_1", stored, Digest(1, "bb"))
    assert "not stored" in complaint("qi_1", stored, Digest(2, "bb"))
    assert "not stored" in complaint("qi_1", None, Digest(1, "aa"))
    assert complaint("qi_1", stored, stored) == ""


@pytest.mark.parametrize("name", ["qi_1", "rv", "tfi_1s"])
def test_a_formula_that_gives_other_numbers_under_its_old_version_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The least change there is: 1e-6 more, in one feature of all."""
    sound = FeatureEngine.row_e6

    def bent(engine: FeatureEngine, names: tuple[str, ...], now_ns: int) -> tuple[int, ...]:
        row = zip(names, sound(engine, names, now_ns), strict=True)
        return tuple(value + (one == name) for one, value in row)

    monkeypatch.setattr(FeatureEngine, "row_e6", bent)
    stored, (_, found) = load()[1], digests.__wrapped__()
    wrong = {one: complaint(one, stored.get(one), digest) for one, digest in found.items()}
    assert {one for one, text in wrong.items() if text} == {name}
    assert "numbers changed" in wrong[name]


def update() -> None:
    """Store the digests of today.

    Raises: SystemExit naming the features whose numbers changed under an unchanged version.
    """
    clip_digest, features = digests()
    if STORED.exists() and load()[0] == clip_digest:
        stored = load()[1]
        wrong = [complaint(name, stored.get(name), found) for name, found in features.items()]
        refused = [text for text in wrong if "numbers changed" in text]
        if refused:
            raise SystemExit("\n".join(refused))
    content = {"clip": clip_digest, "features": {name: list(value) for name, value in features.items()}}
    STORED.write_text(json.dumps(content, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    update()
