"""`lobdeck doctor`: each finding judged by what was found, and strange modules in front of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import doctor_machine
from app.doctor import python_finding, report
from app.doctor_clock import kept_finding, speed_finding, wall_finding
from app.doctor_machine import disk_finding, files_finding, filesystem_of, logout_finding
from app.doctor_terminal import (
    KillKeys,
    kill_key_finding,
    kill_keys_here,
    kind_finding,
    size_finding,
    taken_in_screen,
    taken_in_tmux,
)
from app.findings import Finding, Level, findings_text, is_sound
from pipeline.runtime.ntp import KernelClock

ROOT = Path(__file__).resolve().parents[2]
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


def run_app(
    tmp_path: Path, *arguments: str, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "LOBDECK_HOME": str(tmp_path / "home"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def stranger(folder: Path, name: str) -> Path:
    """Plant a package of a name of ours."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("raise SystemExit('a stranger ran')\n")
    return folder


def test_report_is_a_line_for_each_finding_with_its_mend() -> None:
    findings = [Finding(OK, "python", "3.11.7"), Finding(FAIL, "disk", "0.1 GB free", "remove something")]
    assert findings_text(findings).splitlines() == [
        "ok    python       3.11.7",
        "FAIL  disk         0.1 GB free -> remove something",
    ]
    assert not is_sound(findings)
    assert is_sound([Finding(WARN, "disk", "1 GB free")])


def test_this_machine_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "home"))
    text, sound = report()
    assert sound, text
    topics = {line[6:18].strip() for line in text.splitlines()}
    assert topics == {
        *("python", "modules", "home", "disk", "config", "files", "locked", "processors", "clock"),
        *("terminal", "kill key", "logout", "onnxruntime", "model"),
    }
    assert f"{tmp_path}/home, private to this user" in text


def test_home_others_can_write_to_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    monkeypatch.setenv("LOBDECK_HOME", str(home))
    (finding,) = doctor_machine.places()
    assert finding.level is FAIL
    assert "run chmod 700 on it" in finding.found


@pytest.mark.parametrize(
    ("finding", "level"),
    [
        (python_finding((3, 11, 7)), OK),
        (python_finding((3, 10, 1)), FAIL),
        (python_finding((3, 14, 0)), FAIL),
        (disk_finding(3 << 30, Path("/x")), OK),
        (disk_finding(1 << 30, Path("/x")), WARN),
        (disk_finding(1 << 20, Path("/x")), FAIL),
        (files_finding(-1), OK),
        (files_finding(1024), OK),
        (files_finding(256), WARN),
        (files_finding(64), FAIL),
        (wall_finding(0.0), FAIL),
        (wall_finding(1_800_000_000.0), OK),
        (kept_finding(KernelClock(False, 0, 16_000_000)), WARN),
        (kept_finding(KernelClock(True, 0, 2_000)), OK),
        (speed_finding(60.0, "tsc"), OK),
        (speed_finding(4_000.0, "acpi_pm"), WARN),
        (size_finding(80, 24), OK),
        (size_finding(79, 24), WARN),
        (kind_finding({"TERM": "xterm-256color", "LANG": "C.UTF-8"}), OK),
        (kind_finding({"TERM": "dumb"}), WARN),
        (kind_finding({}), WARN),
        (kind_finding({"TERM": "xterm", "LC_ALL": "C"}), WARN),
        (logout_finding("ann", kills="b false", lingers=False, in_unit=False), OK),
        (logout_finding("ann", kills="b true", lingers=True, in_unit=True), OK),
        (logout_finding("ann", kills="b true", lingers=True, in_unit=False), WARN),
        (logout_finding("ann", kills="b true", lingers=False, in_unit=False), WARN),
        (logout_finding("ann", kills="b false", lingers=False, in_unit=True), WARN),
        (logout_finding("ann", kills="", lingers=False, in_unit=False), WARN),
    ],
    ids=lambda value: value.found if isinstance(value, Finding) else value.name,
)
def test_what_is_found_is_judged_and_what_is_bad_has_a_mend(finding: Finding, level: Level) -> None:
    assert finding.level is level
    assert bool(finding.mend) == (level is not OK)


def test_a_session_that_may_end_at_logout_is_told_both_commands() -> None:
    mend = logout_finding("ann", kills="b true", lingers=False, in_unit=False).mend
    assert "loginctl enable-linger ann" in mend
    assert "systemd-run --user --scope lobdeck" in mend


def test_the_longest_mount_point_counts() -> None:
    mounts = "a / ext4 rw 0 0\nb /home nfs4 rw 0 0\nc /home/ann/my\\040disk xfs rw 0 0\nd /ho tmpfs rw 0 0"
    assert filesystem_of(Path("/home/ann"), mounts) == "nfs4"
    assert filesystem_of(Path("/home/ann/my disk/x"), mounts) == "xfs"
    assert filesystem_of(Path("/var"), mounts) == "ext4"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"TERM": "xterm", "NO_COLOR": "1"}, "no colours (NO_COLOR)"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "16 million colours"),
        ({"TERM": "tmux-256color"}, "256 colours"),
        ({"TERM": "linux"}, "16 colours"),
    ],
)
def test_colours_are_named(environment: dict[str, str], words: str) -> None:
    assert words in kind_finding(environment).found


TMUX_DEFAULTS = """\
bind-key -T root MouseDown1Pane    select-pane -t = \\; send-keys -M
bind-key -T root WheelUpStatus     previous-window
"""


@pytest.mark.parametrize(
    ("bindings", "options", "taken"),
    [
        (TMUX_DEFAULTS, "prefix C-b\nprefix2 None\n", ()),
        ("bind-key    -T root         C-k              select-pane -U\n", "", ("Ctrl+K",)),
        ('bind-key -T root C-k if-shell "$is_vim" "send-keys C-k" "select-pane -U"', "", ("Ctrl+K",)),
        ("bind-key -T root C-k send-keys C-k\n", "", ()),
        ("bind-key -r -T root F9 new-window\n", "", ("F9",)),
        ("bind-key -T prefix F9 new-window\n", "", ()),
        ("", "status on\nprefix C-k\n", ("Ctrl+K",)),
        ("bind-key -T root F9 new-window", "prefix2 C-k\n", ("Ctrl+K", "F9")),
    ],
)
def test_keys_tmux_keeps(bindings: str, options: str, taken: tuple[str, ...]) -> None:
    assert taken_in_tmux(bindings, options) == taken


@pytest.mark.parametrize(
    ("settings", "taken"),
    [
        ("", ()),
        ("escape ^Aa\n", ()),
        ("escape ^Kk\n", ("Ctrl+K",)),
        ("bindkey -k k9 next\nbindkey '^K' prev\n", ("Ctrl+K", "F9")),
        ("# escape ^Kk\n", ()),
    ],
)
def test_keys_screen_keeps(settings: str, taken: tuple[str, ...]) -> None:
    assert taken_in_screen(settings) == taken


def test_a_kill_key_that_works_is_named() -> None:
    both, one, none = ("Ctrl+K", "F9"), ("F9",), ()
    assert kill_key_finding(KillKeys(both, none, "")) == Finding(OK, "kill key", "Ctrl+K and F9 kill")
    partly = kill_key_finding(KillKeys(one, ("Ctrl+K",), "tmux"))
    assert (partly.level, partly.mend) == (WARN, "use F9")
    assert kill_key_finding(KillKeys(none, both, "tmux")).level is FAIL
    assert kill_key_finding(KillKeys(both, none, "", "it is unknown")).level is WARN


def test_a_tmux_that_does_not_answer_leaves_it_unsure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    keys = kill_keys_here({"TMUX": "/none,1,0"})
    assert (keys.by, keys.unsure) == ("tmux", "tmux does not answer")


def test_a_terminal_multiplexer_elsewhere_leaves_it_unsure() -> None:
    assert kill_keys_here({"TERM": "screen-256color"}).unsure
    assert not kill_keys_here({"TERM": "xterm"}).unsure


@pytest.mark.parametrize("name", ["pipeline", "themes", "widgets"])
def test_strange_module_in_the_current_directory_stops_the_start(tmp_path: Path, name: str) -> None:
    folder = stranger(tmp_path / "elsewhere", name)
    done = run_app(tmp_path, "-m", "app", "sessions", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith(f"lobdeck: module {name} is {folder}/{name}/__init__.py, ours is ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_strange_module_on_the_path_fails_in_the_report(tmp_path: Path) -> None:
    folder = stranger(tmp_path / "elsewhere", "pipeline")
    done = run_app(tmp_path, "-P", "-m", "app", "doctor", PYTHONPATH=str(folder))
    assert done.returncode == 2
    assert f"FAIL  modules      module pipeline is {folder}/pipeline/__init__.py" in done.stdout
    assert "a stranger ran" not in done.stdout + done.stderr
