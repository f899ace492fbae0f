"""A summary of a session as `status` gets it."""

from __future__ import annotations

from typing import Any

RECORDS = {"p50": 23.4, "p99": 278.5, "p999": 4128.8, "max": 22485.0, "n": 41249}
NO_RECORDS = {"p50": -1, "p99": -1, "p999": -1, "max": -1, "n": 0}


def summary(**changes: Any) -> dict[str, Any]:
    """Give a replay in APPROVE with one worker of two ready; keyword arguments replace fields."""
    content: dict[str, Any] = {
        "mode": "REPLAY",
        "frames": 41_249,
        "updates": 3_449,
        "trades": 9_757,
        "gaps": 0,
        "resyncs": 0,
        "crossed": 0,
        "ignored": 2,
        "wire_errors": 0,
        "bookticker": {"shared": 564, "equal": 564},
        "features": 8_108,
        "predictions": 8_108,
        "stale_predictions": 0,
        "conflated": 0,
        "wrong_generation": 0,
        "model": {
            "name": "qi-logit",
            "model_id": "9e" * 32,
            "generation": 1,
            "previous": "",
            "loading": "",
            "last": "",
            "swaps": 0,
            "abandoned": 0,
            "shadows": [],
            "shadow_rows": 0,
            "shadow_predictions": 0,
            "shadow_wrong": 0,
        },
        "skill": {
            "BTCUSDT": {
                "source": "MODEL",
                "proof": "PROVEN",
                "calls": 307,
                "outcomes": 5_249,
                "over_constant_e6": 210_000,
                "over_constant_low_e6": 137_000,
                "over_constant_high_e6": 283_000,
                "over_imbalance_e6": 8_000,
                "over_imbalance_low_e6": -1_000,
                "over_imbalance_high_e6": 17_000,
                "brier_e6": 184_000,
                "ece_e6": 34_000,
                "temperature_e6": 1_100_000,
                "unanswered": 3,
                "void": 12,
            }
        },
        "fates": {
            fate: {"ideas": 2, "hits": 1, "move_e6": 40}
            for fate in ("PERMITTED", "DECLINED", "LAPSED", "WITHDRAWN")
        },
        "decisions": 8_108,
        "signals": 6_498,
        "ideas": 0,
        "permits": 0,
        "orders": 3,
        "fills": 1,
        "denied": {"SCORE_BELOW_ENTRY": 1_610, "EDGE_BELOW_COST": 6_498},
        "alerts": 3,
        "open_orders": 2,
        "trading_state": "ACTIVE",
        "start": {
            "session": "",
            "compared": True,
            "differs": False,
            "trouble": "",
            "orders": [],
            "missed": [],
            "balances": [],
        },
        "authority": "APPROVE",
        "book": {
            "BTCUSDT": {
                "state": "SYNCED",
                "last_update_id": 50_093_421_584,
                "bids": [["61685.99", "1.00870000"]],
                "asks": [["61686.00", "2.29327000"]],
            }
        },
        "position": {
            "BTCUSDT": {
                "qty": "0.01000",
                "avg_price": "61680.50000000",
                "closed": "1.25000000",
                "open": "-0.50000000",
                "fees": "0.10000000",
            }
        },
        "latency_us": {
            "recv_to_features": RECORDS,
            "recv_to_prediction": RECORDS,
            "recv_to_decision": RECORDS | {"p99": 14_587.5},
            "recv_to_decision_grid": RECORDS,
            "recv_to_order": NO_RECORDS,
            "loop_lag": RECORDS,
        },
        "workers": [worker("READY"), worker("DEAD")],
        "feed": {
            "attempts": 0,
            "connections": 0,
            "lost": 0,
            "bridged": 0,
            "duplicates": 0,
            "snapshots": 0,
            "snapshots_failed": 0,
            "most_waiting_bytes": 0,
        },
        "effects": 8_112,
        "inputs_sha256": "00" * 32,
        "effects_sha256": "11" * 32,
        "journal": "",
        "journal_head": "",
        "pids": {"engine": 4242, "guard": None, "sim": None},
        "exit": "clean",
    }
    return content | changes


def worker(state: str) -> dict[str, Any]:
    """Give one worker's entry."""
    times = {"p50_us": 37.9, "p99_us": 92.2, "rss_mb": 62.5}
    return {"pid": 77, "state": state, "served": 4_054, "restarts": 1, **times}
