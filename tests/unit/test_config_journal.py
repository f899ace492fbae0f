"""Settings of the journals: where heads go in which mode, and programs that are none."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.config_journal import JournalSettings
from pipeline.core.types import VenueMode
from pipeline.runtime.head_params import SYSLOG


@pytest.mark.parametrize(
    ("written", "mode", "syslog"),
    [
        ("live", VenueMode.LIVE, SYSLOG),
        ("live", VenueMode.PAPER, ""),
        ("always", VenueMode.SIM, SYSLOG),
        ("never", VenueMode.LIVE, ""),
    ],
)
def test_the_systems_log_is_for_the_sessions_that_were_meant(
    written: str, mode: VenueMode, syslog: str
) -> None:
    assert JournalSettings(head_syslog=written).heads(mode).syslog == syslog  # type: ignore[arg-type]  # as read


def test_a_head_leaves_each_hour_unless_told_otherwise() -> None:
    heads = JournalSettings().heads(VenueMode.LIVE)
    assert (heads.every_s, heads.hook, heads.wanted) == (3_600, "", True)
    assert not JournalSettings(head_every_s=0).heads(VenueMode.LIVE).wanted


@pytest.mark.parametrize("path", ["keep", "./keep", "~/keep", "/a\0b", "logger -t x"])
def test_a_program_without_its_whole_path_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="from / on"):
        JournalSettings(head_hook=path)
