"""The packaged session: made again from its seed, a believable book, and the effect planted in it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import msgspec
import numpy as np
import zstandard

from pipeline.sim.recording import START_NS
from pipeline.sim.synthetic import LENGTH_S, packaged_session, packed, synthetic_lines

Top = tuple[int, int, int, int]


def units(text: str) -> int:
    """Read a printed decimal with 8 places exactly."""
    whole, _, decimals = text.partition(".")
    assert len(decimals) == 8
    return int(whole + decimals)


@dataclass
class Played:
    """The session played on a plain dict book, independent of the program's own."""

    stamps: list[int] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    gaps: int = 0
    crossed: int = 0
    shared: int = 0
    equal: int = 0
    fewest_levels: int = 1 << 30
    tops: list[tuple[int, Top]] = field(default_factory=list)
    """(receive time ns, top in 1e-8 units) after each depth frame from the snapshot on."""


def lines_of_the_package() -> list[str]:
    return zstandard.decompress(packaged_session().read_bytes()).decode().splitlines()


@functools.cache
def played() -> Played:
    out = Played()
    lines = lines_of_the_package()
    snapshot = next(line for line in lines if '{"lastUpdateId"' in line)
    start = msgspec.json.decode(snapshot.split(" ", 1)[1])
    book = [{units(p): units(q) for p, q in start[side]} for side in ("bids", "asks")]
    last_id = start["lastUpdateId"]
    tickers: dict[int, Top] = {}
    for line in lines:
        stamp, frame = line.split(" ", 1)
        out.stamps.append(int(stamp))
        message = msgspec.json.decode(frame)
        kind = message["stream"].split("@")[1] if "stream" in message else "snapshot"
        out.kinds[kind] = out.kinds.get(kind, 0) + 1
        data = message.get("data", message)
        if kind == "bookTicker":
            tickers[data["u"]] = units(data["b"]), units(data["B"]), units(data["a"]), units(data["A"])
        if kind != "depth" or data["u"] <= last_id:
            continue
        bridges = not out.tops and data["U"] <= last_id + 1
        out.gaps += data["U"] != last_id + 1 and not bridges
        last_id = data["u"]
        for levels, changes in zip(book, (data["b"], data["a"]), strict=True):
            for price, size in changes:
                levels[units(price)] = units(size)
                if units(size) == 0:
                    del levels[units(price)]
        bids, asks = book
        top = max(bids), bids[max(bids)], min(asks), asks[min(asks)]
        out.crossed += top[0] >= top[2]
        out.fewest_levels = min(out.fewest_levels, len(bids), len(asks))
        out.tops.append((int(stamp), top))
        if last_id in tickers:
            out.shared += 1
            out.equal += tickers[last_id] == top
    return out


def area_under_curve(score: np.ndarray, up: np.ndarray) -> float:
    """Give the chance that a random rise scored above a random fall, ties counted half."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    rises, falls = int(up.sum()), int((~up).sum())
    return float((rank[up].sum() - rises * (rises + 1) / 2) / (rises * falls))


def imbalance_and_mid() -> tuple[np.ndarray, np.ndarray]:
    tops = np.array([top for _, top in played().tops], dtype=np.float64)
    imbalance = (tops[:, 1] - tops[:, 3]) / (tops[:, 1] + tops[:, 3])
    return imbalance, (tops[:, 0] + tops[:, 2]) / 2


def test_packaged_session_is_made_again_byte_for_byte_from_its_seed() -> None:
    assert list(synthetic_lines()) == lines_of_the_package()


def test_another_seed_is_another_session() -> None:
    assert list(synthetic_lines(seed=1, length_s=2)) != list(synthetic_lines(seed=2, length_s=2))


def test_packed_lines_end_with_a_line_end_and_unpack_to_themselves() -> None:
    assert zstandard.decompress(packed(iter(["1 {}", "2 {}"]))) == b"1 {}\n2 {}\n"


def test_package_stays_small() -> None:
    assert packaged_session().stat().st_size <= 3_000_000


def test_lines_cover_five_minutes_in_order_of_receive_time() -> None:
    stamps = played().stamps
    assert all(earlier < later for earlier, later in zip(stamps, stamps[1:], strict=False))
    assert START_NS < stamps[0] < START_NS + 1_000_000_000
    assert LENGTH_S - 1 < (stamps[-1] - stamps[0]) / 1e9 < LENGTH_S + 1


def test_every_kind_of_frame_of_the_stream_is_there() -> None:
    kinds = played().kinds
    assert kinds["snapshot"] == 1
    assert kinds["depth"] > 2_900
    assert kinds["bookTicker"] > 10_000
    assert kinds["trade"] > 2_000


def test_updates_are_contiguous_from_the_snapshot_and_the_book_never_crosses() -> None:
    assert (played().gaps, played().crossed) == (0, 0)


def test_snapshot_lies_inside_a_depth_interval() -> None:
    lines = lines_of_the_package()
    at = next(n for n, line in enumerate(lines) if '{"lastUpdateId"' in line)
    assert any("depthUpdate" in line for line in lines[:at]), (
        "updates before it have to be buffered or dropped"
    )
    snapshot_id = msgspec.json.decode(lines[at].split(" ", 1)[1])["lastUpdateId"]
    after = next(line for line in lines[at:] if "depthUpdate" in line)
    update = msgspec.json.decode(after.split(" ", 1)[1])["data"]
    assert update["U"] <= snapshot_id < update["u"]


def test_book_ticker_agrees_with_the_depth_book_at_every_shared_update_id() -> None:
    assert played().shared > 1_000
    assert played().equal == played().shared


def test_book_is_deep_and_its_spread_mostly_one_or_two_ticks() -> None:
    assert played().fewest_levels >= 100
    spreads = np.array([(top[2] - top[0]) // 1_000_000 for _, top in played().tops])
    assert spreads.min() == 1
    assert (spreads <= 2).mean() > 0.95


def test_prices_are_on_the_tick_and_sizes_on_the_lot() -> None:
    for _, (bid, bid_size, ask, ask_size) in played().tops:
        assert bid % 1_000_000 == ask % 1_000_000 == 0
        assert bid_size % 1_000 == ask_size % 1_000 == 0


def test_price_ends_near_its_start_so_that_a_loop_does_not_jump() -> None:
    _, mid = imbalance_and_mid()
    assert abs(mid[-1] - mid[0]) / mid[0] < 0.0005


def test_imbalance_of_the_queues_announces_the_next_move() -> None:
    imbalance, mid = imbalance_and_mid()
    moves = np.sign(np.diff(mid))
    following = np.zeros(len(mid))
    for n in range(len(moves) - 1, -1, -1):
        following[n] = moves[n] or following[n + 1]
    known = following != 0
    assert area_under_curve(imbalance[known], following[known] > 0) > 0.6


def test_imbalance_announces_the_move_over_a_second_and_moves_outweigh_the_spread() -> None:
    imbalance, mid = imbalance_and_mid()
    change = mid[10:] - mid[:-10]
    moved = change != 0
    assert area_under_curve(imbalance[:-10][moved], change[moved] > 0) > 0.7
    assert np.abs(change[moved]).mean() > 20 * 1_000_000, "mean move over 1 s, with a spread of one tick"
    assert 0.2 < moved.mean() < 0.8, "quiet and busy stretches"
