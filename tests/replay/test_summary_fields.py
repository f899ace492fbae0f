"""The page of summary fields describes the summary that a session really writes."""

from __future__ import annotations

from pathlib import Path

from app.reference_summary import STAGES, SUMMARY_FIELDS, summary_page, summary_paths
from pipeline.runtime.pump import STAGES as MEASURED
from tests.fakes.sessions import replayed, synthetic_lines, write_capture
from tests.fakes.summaries import summary


def test_every_field_of_a_real_summary_is_described_and_no_other(tmp_path: Path) -> None:
    capture = write_capture(tmp_path / "session.txt", synthetic_lines(4_000))
    content = replayed(tmp_path, str(capture))
    described = {field.path for field in SUMMARY_FIELDS}
    assert content["denied"], "nothing was denied: the path of denials is not compared"
    assert summary_paths(content) == described
    assert set(content["latency_us"]) == set(STAGES) == set(MEASURED)
    assert summary_paths(summary()) == described, "the fake summary of other tests has drifted"


def test_a_field_that_is_not_described_is_seen() -> None:
    described = {field.path for field in SUMMARY_FIELDS}
    assert summary_paths(summary(fresh=1)) - described == {"fresh"}
    workers = summary()["workers"]
    workers[1]["fresh"] = 1
    assert summary_paths(summary(workers=workers)) - described == {"workers[].fresh"}


def test_page_names_every_field_and_stage() -> None:
    text = summary_page()
    assert all(f"| `{field.path}` |" in text for field in SUMMARY_FIELDS)
    assert all(f"| `{stage}` |" in text for stage in STAGES)
