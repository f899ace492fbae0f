"""The groups of `[access]` as the system knows them, checked before a session is started."""

from __future__ import annotations

from app.config import ConfigError
from pipeline.runtime.places import PlacesError, home_dir
from pipeline.runtime.stop_door import closed_to, group_id

NOBODY = -1


def door_group(name: str, setting: str) -> int:
    """Give the id of a group that shall come by the stop door; -1 for an empty name.

    Raises:
        ConfigError: there is no such group, its door is not ours to open, or its members cannot reach it.
    """
    if not name:
        return NOBODY
    try:
        gid, home = group_id(name), home_dir()
    except PlacesError as problem:
        raise ConfigError(f"{setting}: {problem}") from None
    closed = closed_to(home, gid)
    if closed is not None:
        raise ConfigError(
            f"{setting}: members of {name!r} cannot enter {closed}, so not reach {home}; set LOBDECK_HOME "
            "to a directory below one they can"
        )
    return gid
