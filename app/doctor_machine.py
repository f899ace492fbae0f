"""What `doctor` looks at outside the program: directories, disk, limits, processors, what a logout ends."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import subprocess
from pathlib import Path

from app.findings import Finding, Level
from pipeline.runtime.places import HOME_VARIABLE, PlacesError, config_dir, home_dir

LITTLE_DISK = 2 << 30
NO_DISK = 256 << 20
"""Four segments of a journal; below this a session with a journal soon stops taking new orders."""

FEW_FILES = 1024
TOO_FEW_FILES = 256

_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs")
_OTHERS_WRITE = 0o022
_ASK_S = 2.0


def places() -> list[Finding]:
    """Look at the state directory, its disk, and the configuration's directory."""
    try:
        home = home_dir()
    except PlacesError as problem:
        mend = f"mend it, or set {HOME_VARIABLE} to a directory of your own"
        return [Finding(Level.FAIL, "home", str(problem), mend)]
    chosen = f"by {HOME_VARIABLE}" if os.environ.get(HOME_VARIABLE) else f"{HOME_VARIABLE} would move it"
    found = [Finding(Level.OK, "home", f"{home}, private to this user ({chosen})"), _disk(home)]
    return [*found, *_remote(home), *_config_dir()]


def disk_finding(free: int, where: Path) -> Finding:
    """Judge the bytes free below a directory."""
    text = f"{free / 1e9:.1f} GB free below {where}"
    if free >= LITTLE_DISK:
        return Finding(Level.OK, "disk", text)
    level = Level.WARN if free >= NO_DISK else Level.FAIL
    return Finding(level, "disk", text, "remove old sessions there; a full disk stops new orders")


def limits() -> list[Finding]:
    """Look at the limits on open files and locked memory."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    locked, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    size = "unlimited" if locked == resource.RLIM_INFINITY else f"{locked // 1024} kB"
    return [files_finding(files), Finding(Level.OK, "locked", f"memory limit {size}; nothing is locked")]


def files_finding(files: int) -> Finding:
    """Judge the limit on open files; below 0 is none."""
    text = "open files unlimited" if files < 0 else f"{files} open files allowed"
    if files < 0 or files >= FEW_FILES:
        return Finding(Level.OK, "files", text)
    level = Level.WARN if files >= TOO_FEW_FILES else Level.FAIL
    return Finding(level, "files", text, f"`ulimit -n {FEW_FILES}` before the start")


def processors() -> list[Finding]:
    """Count the processors this process may use."""
    count = len(os.sched_getaffinity(0))
    if count >= 2:
        return [Finding(Level.OK, "processors", f"{count} for this process")]
    mend = "give it two: the engine and a worker otherwise take turns"
    return [Finding(Level.WARN, "processors", "one for this process", mend)]


def logout() -> list[Finding]:
    """Say whether a session left running outlives the end of the login."""
    if not Path("/run/systemd/system").is_dir():
        return [Finding(Level.OK, "logout", "no systemd here; a session outlives the end of a login")]
    user = pwd.getpwuid(os.geteuid()).pw_name
    lingers = _ask("loginctl", "show-user", user, "--property=Linger", "--value") == "yes"
    manager = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
    kills = _ask("busctl", "get-property", *manager, "KillUserProcesses")
    unit = "user@" in Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="replace")
    return [logout_finding(user, kills=kills, lingers=lingers, in_unit=unit)]


def logout_finding(user: str, *, kills: str, lingers: bool, in_unit: bool) -> Finding:
    """Judge what logind does at a logout; `kills` is `b true`, `b false` or empty where unknown."""
    if kills == "b false" and not in_unit:
        return Finding(Level.OK, "logout", "a session outlives the end of a login (KillUserProcesses=no)")
    if in_unit and lingers:
        return Finding(Level.OK, "logout", f"runs in a unit of {user}, who lingers: outlives a logout")
    said = {"b true": "KillUserProcesses=yes", "b false": f"runs in a unit of {user}"}.get(kills, "unknown")
    mend = f"`loginctl enable-linger {user}`, then start as `systemd-run --user --scope lobdeck …`"
    return Finding(Level.WARN, "logout", f"the end of the login may end a detached session ({said})", mend)


def _disk(home: Path) -> Finding:
    return disk_finding(shutil.disk_usage(home).free, home)


def _remote(home: Path) -> list[Finding]:
    kind = filesystem_of(home, Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace"))
    if kind not in _REMOTE:
        return []
    mend = f"set {HOME_VARIABLE} to a directory on a disk of this machine"
    return [Finding(Level.FAIL, "disk", f"{home} is on {kind}: gate and locks need a local disk", mend)]


def filesystem_of(path: Path, mounts: str) -> str:
    """Give the type of the filesystem a path is on, from the text of /proc/self/mounts."""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        mounted = fields[1].replace("\\040", " ")
        inside = mounted == "/" or path == Path(mounted) or Path(mounted) in path.parents
        if inside and len(mounted) >= len(best):
            best, kind = mounted, fields[2]
    return kind


def _config_dir() -> list[Finding]:
    folder = config_dir()
    if not folder.is_dir():
        return []
    mode = folder.stat().st_mode
    if mode & _OTHERS_WRITE:
        return [Finding(Level.WARN, "config", f"others may write to {folder}", f"`chmod 700 {folder}`")]
    return [Finding(Level.OK, "config", f"{folder} is written by this user alone")]


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
