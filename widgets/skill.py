"""What the running model and those beside it were worth, in numbers with intervals and in words."""

from __future__ import annotations

from pipeline.core.snapshot import NONE_E6, ConsoleSnapshot, FateView, RecordView, SkillView
from widgets.base import SnapshotWidget
from widgets.cells import MISSING, basis_points, clean, left, percent, right, rounded, signed
from widgets.lines import Line, fit, flow, join, pick_rows, text
from widgets.words import proof_words

PROOF_ROLES = {"PROVEN": "good", "WORSE": "down", "NOT_PROVEN": "warn", "GATHERING": "dim"}
"""Roles of what a skill amounts to; the word beside it says the same."""

_OVER = {"constant": "over a constant", "imbalance": "over queue imbalance"}
_FATES = {
    "PERMITTED": "permitted",
    "DECLINED": "declined",
    "LAPSED": "lapsed",
    "WITHDRAWN": "withdrawn",
}


class SkillPanel(SnapshotWidget):
    """Skill of the live model, of its shadows, and what became of ideas."""

    TITLE = "SKILL"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Say who decides on this symbol."""
        del room
        watch = snapshot.model.watch if snapshot.model is not None else None
        if watch is None or not watch.records:
            return text("no model", "dim"), ()
        return verdict(watch.source, watch.records[0]), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the live model's skills first; shadows, ideas and small print follow where there is room."""
        watch = snapshot.model.watch if snapshot.model is not None else None
        if watch is None or not watch.records:
            return [text("  no model: nothing to judge", "dim")]
        live = watch.records[0]
        rows: list[tuple[int, Line]] = [(0, _head(width))]
        rows += [(0, _skill(skill, width)) for skill in live.skills]
        rows.append((1, _sample(live, width)))
        rows.append((2, _calibration(live, watch.tempered, width)))
        for record in watch.records[1:]:
            rows.append((3, _beside(record, width)))
            rows += [(4, _skill(skill, width)) for skill in record.skills]
            rows.append((6, _calibration(record, watch.tempered, width)))
        rows += [(3, line) for line in _ideas(watch.fates, width)]
        rows.append((5, _lost(live, width)))
        return pick_rows([row for row in rows if row[1]], height)


def verdict(source: str, live: RecordView) -> Line:
    """Say in one line who decides, and why."""
    proofs = {skill.over: skill.proof for skill in live.skills}
    proof = proofs.get("constant", "GATHERING")
    if source == "FALLBACK":
        return text("queue imbalance decides instead", "warn")
    if source == "NONE":
        beaten = proofs.get("imbalance") == "WORSE" and proof == "PROVEN"
        return text(f"{proof_words('BEATEN' if beaten else proof)}: reductions only", "warn")
    if proof == "GATHERING":
        return text(f"not proven yet: {live.calls} of {live.least_calls} calls", "dim")
    return text(proof_words(proof), PROOF_ROLES.get(proof, "text"))


def _head(width: int) -> Line:
    recent = right("last 10 min", 24) if width >= _WIDE else ""
    return ((f" {left('skill, % of loss', 22)}{right('newest hour', 24)}{' ' * 17}{recent}", "dim"),)


_WIDE = 88
_WORDS = {
    "GATHERING": "not proven yet",
    "NOT_PROVEN": "not proven",
    "PROVEN": "proven",
    "WORSE": "proven worse",
}


def _skill(skill: SkillView, width: int) -> Line:
    role = PROOF_ROLES.get(skill.proof, "text")
    parts = [
        (f"   {left(_OVER.get(skill.over, clean(skill.over)), 20)}", "dim"),
        (_interval(skill.skill_e6, skill.low_e6, skill.high_e6), role),
        (f"  {left(_WORDS.get(skill.proof, clean(skill.proof)), 15)}", role),
    ]
    if width >= _WIDE:
        parts.append((_interval(skill.recent_e6, skill.recent_low_e6, skill.recent_high_e6), "dim"))
    return tuple(parts)


def _interval(skill_e6: int, low_e6: int, high_e6: int) -> str:
    if skill_e6 == NONE_E6:
        return right(MISSING, 24)
    return right(f"{_share(skill_e6)}  {right(_share(low_e6), 6)} to {right(_share(high_e6), 6)}", 24)


def _share(value_e6: int) -> str:
    """Print a share of 1e-6 in per cent with one decimal and a sign."""
    return signed(rounded(value_e6, 3), 1)


def _sample(record: RecordView, width: int) -> Line:
    return fit(
        [
            (0, ((" calls ", "dim"), (f"{record.calls}", "text"), (f", {record.least_calls} needed", "dim"))),
            (1, (("outcomes ", "dim"), (f"{record.rows}", "text"))),
            (2, (("moved ", "dim"), (percent(record.moved_e6), "text"))) if record.rows else (2, ()),
            (2, text(f"said {percent(record.said_e6)}", "dim")) if record.said_e6 != NONE_E6 else (2, ()),
            (3, (("from before ", "dim"), (f"{record.restored}", "text"))) if record.restored else (3, ()),
        ],
        width,
    )


def _calibration(record: RecordView, tempered: bool, width: int) -> Line:
    use = "applied" if tempered else "shown"
    return fit(
        [
            (1, ((" Brier ", "dim"), (_decimals(record.brier_e6), "text"))),
            (0, (("calibration error ", "dim"), (_decimals(record.ece_e6), "text"))),
            (3, (("bias ", "dim"), (_decimals(record.bias_e6, sign=True), "text"))),
            (
                2,
                (
                    ("temperature ", "dim"),
                    (f"{record.temperature_e6 / 1e6:.2f}", "text"),
                    (f" {use}", "dim"),
                ),
            ),
        ],
        width,
    )


def _decimals(value_e6: int, *, sign: bool = False) -> str:
    if value_e6 == NONE_E6:
        return MISSING
    return f"{value_e6 / 1e6:+.3f}" if sign else f"{value_e6 / 1e6:.3f}"


def _beside(record: RecordView, width: int) -> Line:
    name = f"{clean(record.name, 30)}@{clean(record.model_id, 8)}"
    return fit(
        [
            (0, ((f" {clean(record.role, 10)} ", "dim"), (name, "text"))),
            (1, (("calls ", "dim"), (f"{record.calls}", "text"))),
            (2, (("generation ", "dim"), (f"{record.generation}", "text"))),
            (3, text(clean(record.file, 60), "dim")),
        ],
        width,
    )


def _ideas(fates: tuple[FateView, ...], width: int) -> list[Line]:
    some = [fate for fate in fates if fate.ideas]
    if not some:
        return []
    parts = [
        join(
            (
                text(f"{_FATES.get(fate.fate, clean(fate.fate).lower())} {fate.ideas}", "text"),
                text(f"{percent(fate.hit_e6)} right", "dim"),
                text(f"{basis_points(fate.move_e6)} bp", "dim"),
            ),
            1,
        )
        for fate in some
    ]
    return flow([text(" ideas", "dim"), *parts], width, gap=3, indent=9)


def _lost(record: RecordView, width: int) -> Line:
    if not record.unanswered and not record.void:
        return ()
    return fit(
        [
            (0, ((" not judged:", "dim"),)),
            (1, text(f"{record.unanswered} without an answer", "dim")),
            (1, text(f"{record.void} voided by a swap or a lost book", "dim")),
        ],
        width,
    )
