"""The head of a real session: handed to a program while it runs and at its end, and printed."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.runtime.journal_reader import verify_journal
from pipeline.runtime.session_reader import read_session_facts
from tests.fakes.sessions import run_lobdeck


def test_every_head_that_left_stands_in_the_chain_and_the_last_is_printed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    hook = tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\necho "$4" >> {tmp_path}/heads\n')
    hook.chmod(0o700)
    config = tmp_path / "config.toml"
    config.write_text(f'[journal]\nhead_every_s = 1\nhead_hook = "{hook}"\n')
    done = run_lobdeck(
        home, "demo", "--headless", "--seconds", "3", "--name", "headed", "--config", str(config)
    )
    assert done.returncode == 0, done.stderr
    journal = home / "sessions" / "headed" / "journal"
    heads = (tmp_path / "heads").read_text().split()
    assert len(heads) >= 2
    for head in heads:
        report = verify_journal(journal, head)
        assert report.sound
        assert report.proved
    printed = re.findall(r"^journal head ([0-9a-f]{64})$", done.stderr, re.MULTILINE)
    assert printed == [heads[-1]] == [verify_journal(journal).head]
    _, facts = read_session_facts(journal)
    seen = [left.head for left in facts.heads]  # what became of one that left in the last second is not known
    assert seen == heads[: len(seen)]
    assert len(seen) >= 1
    assert not any(left.trouble for left in facts.heads)
