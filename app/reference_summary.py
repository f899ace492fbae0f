"""What each field of a session's summary means: the reference page, compared with a real summary by a test.

A name is the path in the JSON object; `*` stands for a key that is a symbol, a code or a stage, `[]` for the
items of a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.reference_text import page, table


@dataclass(frozen=True, slots=True)
class SummaryField:
    """One field: where it stands, the JSON it holds, what it says."""

    path: str
    kind: str
    meaning: str


STAGES = {
    "recv_to_features": "from the receive of a frame until book and features hold it",
    "recv_to_prediction": "until the worker's answer to the row is back",
    "recv_to_decision": "until the decision, for rows asked by a change of the touch",
    "recv_to_decision_grid": "until the decision, for rows asked by the 100 ms grid",
    "recv_to_order": "until the order has left",
    "loop_lag": "how late the session's loop comes back from its sleeps",
}
"""Every delay under `latency_us`."""

SUMMARY_FIELDS: tuple[SummaryField, ...] = (
    SummaryField("mode", "text", "where orders go: `REPLAY`, `SIM`, `PAPER` or `LIVE`"),
    SummaryField("authority", "text", "what the machine may do by itself: `OBSERVE`, `APPROVE` or `AUTO`"),
    SummaryField("trading_state", "text", "what may leave: `ACTIVE`, `REDUCING`, `HALTED` or `KILLED`"),
    SummaryField("frames", "count", "raw frames taken"),
    SummaryField("updates", "count", "depth updates applied to a book"),
    SummaryField("trades", "count", "trades taken"),
    SummaryField("gaps", "count", "depth updates that did not join the one before"),
    SummaryField("resyncs", "count", "times a book was believed again after a new snapshot"),
    SummaryField("crossed", "count", "times a book was crossed: best bid at or above best ask for too long"),
    SummaryField("ignored", "count", "frames of no use, and updates older than the book"),
    SummaryField("wire_errors", "count", "frames refused; reason-codes.md has the reasons"),
    SummaryField("bookticker.shared", "count", "update ids that ticker and depth book both had"),
    SummaryField("bookticker.equal", "count", "of these, how often best prices and sizes were the same"),
    SummaryField("features", "count", "rows of features made for the model"),
    SummaryField("predictions", "count", "answers taken"),
    SummaryField(
        "stale_predictions", "count", "answers too late, or of an older connection or model: not used"
    ),
    SummaryField("conflated", "count", "rows a newer one of the same symbol replaced while they waited"),
    SummaryField(
        "wrong_generation", "count", "answers of another model, generation or schema than the live: not used"
    ),
    SummaryField("start.session", "text", "the session whose books were carried over; empty without one"),
    SummaryField("start.compared", "flag", "true once the venue and the account were compared with them"),
    SummaryField("start.differs", "flag", "true while something left from before waits for `reconcile`"),
    SummaryField("start.trouble", "text", "why the books may not be whole"),
    SummaryField(
        "start.orders",
        "list",
        "orders of earlier sessions nobody has decided on: `id`, `known` (false: in no journal), `symbol`, "
        "`side`, `qty`, `filled`, `price`",
    ),
    SummaryField("start.missed", "list", "fills the journal did not have: `symbol`, `fills`, `qty` (signed)"),
    SummaryField(
        "start.balances", "list", "base currency that no fill explains: `symbol`, `expected`, `found`"
    ),
    SummaryField("model.name", "text", "the live model; empty where there is none"),
    SummaryField("model.model_id", "hex", "sha256 of its file"),
    SummaryField("model.generation", "count", "its generation: each model taken in gets the next"),
    SummaryField("model.previous", "text", "the model `:model back` goes to; empty without one"),
    SummaryField("model.loading", "text", "the model the workers are loading; empty without one"),
    SummaryField("model.last", "text", "what became of the newest act on the models"),
    SummaryField("model.swaps", "count", "times the live model was replaced"),
    SummaryField("model.abandoned", "count", "models that were not taken after the workers were asked"),
    SummaryField("model.shadows", "texts", "models scored beside the live one"),
    SummaryField("model.shadow_rows", "count", "rows asked of shadows"),
    SummaryField("model.shadow_predictions", "count", "answers of shadows, none of which traded"),
    SummaryField("model.shadow_wrong", "count", "answers that were not the asked shadow's: not used"),
    SummaryField("skill.*.source", "text", "who decides on a symbol: `MODEL`, `FALLBACK` or `NONE`"),
    SummaryField(
        "skill.*.proof", "text", "the live model's skill: `GATHERING`, `NOT_PROVEN`, `PROVEN` or `WORSE`"
    ),
    SummaryField("skill.*.calls", "count", "its calls that moved and do not overlap, of the newest hour"),
    SummaryField("skill.*.outcomes", "count", "its outcomes of the newest hour"),
    SummaryField("skill.*.over_constant_e6", "1e-6 or null", "skill over saying one half; null: not known"),
    SummaryField("skill.*.over_constant_low_e6", "1e-6 or null", "lower end of its 95 % interval"),
    SummaryField("skill.*.over_constant_high_e6", "1e-6 or null", "upper end"),
    SummaryField("skill.*.over_imbalance_e6", "1e-6 or null", "skill over queue imbalance alone"),
    SummaryField("skill.*.over_imbalance_low_e6", "1e-6 or null", "lower end of its 95 % interval"),
    SummaryField("skill.*.over_imbalance_high_e6", "1e-6 or null", "upper end"),
    SummaryField("skill.*.brier_e6", "1e-6 or null", "Brier score of the newest calls that moved"),
    SummaryField("skill.*.ece_e6", "1e-6 or null", "calibration error of the same calls"),
    SummaryField("skill.*.temperature_e6", "1e-6", "online temperature"),
    SummaryField("skill.*.unanswered", "count", "followed rows without an answer that counts"),
    SummaryField("skill.*.void", "count", "followed rows voided by a swap or a lost book"),
    SummaryField("fates.*.ideas", "count", "ideas judged, by `PERMITTED`, `DECLINED`, `LAPSED`, `WITHDRAWN`"),
    SummaryField("fates.*.hits", "count", "ideas whose side the mid moved to over the horizon"),
    SummaryField("fates.*.move_e6", "1e-6", "mean move of the mid in their favour, of the price"),
    SummaryField("decisions", "count", "predictions turned into a decision"),
    SummaryField("signals", "count", "decisions whose score was past the entry threshold"),
    SummaryField("ideas", "count", "ideas shown as cards"),
    SummaryField("permits", "count", "permits opened"),
    SummaryField("orders", "count", "orders that left"),
    SummaryField("fills", "count", "fills, each counted once"),
    SummaryField("denied.*", "count", "decisions and orders stopped, by code of reason-codes.md"),
    SummaryField("alerts", "count", "alerts raised"),
    SummaryField("open_orders", "count", "orders the venue has or may have now"),
    SummaryField("book.*.state", "text", "state of the book, by symbol; only `SYNCED` is believed"),
    SummaryField("book.*.last_update_id", "id", "the venue's id of the newest update in it"),
    SummaryField("book.*.bids[]", "pair of texts", "best ten bids as price and size, best first"),
    SummaryField("book.*.asks[]", "pair of texts", "best ten asks as price and size, best first"),
    SummaryField("position.*.qty", "decimal text", "position in base currency, by symbol; sales below 0"),
    SummaryField("position.*.avg_price", "decimal text", "its average price; 0 when flat"),
    SummaryField("position.*.closed", "decimal text", "profit of what was closed, in quote, before fees"),
    SummaryField(
        "position.*.open", "decimal text", "profit of what is open, at the price one could leave at, in quote"
    ),
    SummaryField("position.*.fees", "decimal text", "fees paid, in quote; rebates below 0"),
    SummaryField("latency_us.*.p50", "µs", "median of a delay, by the stages below; -1 without records"),
    SummaryField("latency_us.*.p99", "µs", "99th percentile"),
    SummaryField("latency_us.*.p999", "µs", "99.9th percentile"),
    SummaryField("latency_us.*.max", "µs", "largest"),
    SummaryField("latency_us.*.n", "count", "records"),
    SummaryField("workers[].pid", "pid", "process of the worker"),
    SummaryField("workers[].state", "text", "`STARTING`, `READY`, `BUSY`, `STALLED` or `DEAD`"),
    SummaryField("workers[].served", "count", "rows it answered"),
    SummaryField("workers[].restarts", "count", "times its process was replaced"),
    SummaryField("workers[].p50_us", "µs", "median time of one answer inside the worker"),
    SummaryField("workers[].p99_us", "µs", "99th percentile of it"),
    SummaryField("workers[].rss_mb", "MB", "memory of its process"),
    SummaryField("feed.attempts", "count", "times a live feed tried to open a connection"),
    SummaryField("feed.connections", "count", "connections a live feed opened; a replay has none"),
    SummaryField("feed.lost", "count", "connections that ended by themselves or were given up"),
    SummaryField("feed.bridged", "count", "old connections replaced by a new one without a gap"),
    SummaryField("feed.duplicates", "count", "messages that came twice while one bridged the other"),
    SummaryField("feed.snapshots", "count", "whole books fetched, or asked for anew in their stream"),
    SummaryField("feed.snapshots_failed", "count", "requests for a whole book that brought none"),
    SummaryField("feed.most_waiting_bytes", "bytes", "most the kernel held unread on one connection"),
    SummaryField("effects", "count", "effects of the engine: requests, orders, cancels, alerts"),
    SummaryField("inputs_sha256", "hex", "hash of every input's bytes, in order"),
    SummaryField("effects_sha256", "hex", "hash of the canonical MessagePack of every effect, in order"),
    SummaryField("journal", "path", "directory of the journal; empty when none is written"),
    SummaryField("journal_head", "hex", "digest of its newest sealed block, of the last one at the end"),
    SummaryField("pids.engine", "pid", "process of the session"),
    SummaryField("pids.guard", "pid or null", "process of the guard; null where there is none"),
    SummaryField("pids.sim", "pid or null", "process of the simulated exchange; null where there is none"),
    SummaryField(
        "exit",
        "text",
        "`clean`, `orders_left`, `killed` or `failed`; exit status 0, 3, 4, 5; `status` adds `ended`",
    ),
)
"""Every field, in the order of the page."""


def summary_page() -> str:
    """Give what every field of the summary means."""
    text = (
        "One JSON object: `--summary FILE` writes it when a session ends, `lobdeck status --json` prints it "
        "as it stands. `*` stands for a symbol, a code or a stage, `[]` for the items of a list. Prices, "
        "sizes and money are decimal text, exact; times are microseconds over the whole session."
    )
    rows = [(f"`{field.path}`", field.kind, field.meaning) for field in SUMMARY_FIELDS]
    stages = [(f"`{name}`", meaning) for name, meaning in STAGES.items()]
    fields = table(("field", "holds", "meaning"), rows)
    return page("Summary", [text, fields, "## Stages", table(("stage", "delay"), stages)])


def summary_paths(content: dict[str, Any]) -> set[str]:
    """Give the paths of all fields of a summary, in the form of `SUMMARY_FIELDS`."""
    return set(_paths(content, ""))


_KEYED = ("denied", "book", "position", "latency_us", "skill", "fates")
"""Objects whose keys are symbols, codes or stages."""


def _paths(value: object, at: str) -> list[str]:
    match value:
        case dict():
            keyed = at in _KEYED
            inner = [
                _paths(one, f"{at}.{'*' if keyed else key}" if at else key) for key, one in value.items()
            ]
        case list() if value and isinstance(value[0], dict | list):
            if isinstance(value[0], list):
                return [f"{at}[]"]
            inner = [_paths(one, f"{at}[]") for one in value]
        case _:
            return [at]
    return [path for paths in inner for path in paths]
