"""The key file of an account: a secret only its owner can read, or a refusal of one line.

`keys/ALIAS.toml` holds `api_key` and `secret`. It must be a plain file of this user that nobody else can read
or write; it is opened without following links and checked on the descriptor, so that nothing is swapped in
after the check.
"""

from __future__ import annotations

import os
import resource
import stat
import tomllib
from pathlib import Path

import msgspec

from pipeline.runtime.places import check_name, config_dir
from pipeline.wire.binance_requests import ApiKey

KEY_FILE_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 4_096
_MOST_TEXT = 512


class KeyFileError(Exception):
    """A key file cannot be used; one line says which, what is wrong, what to do. It never holds a secret."""


class _Keys(msgspec.Struct, forbid_unknown_fields=True):
    api_key: str
    secret: str


def key_path(alias: str) -> Path:
    """Give where the key of an account is looked for.

    Raises:
        PlacesError: the alias is no name.
    """
    return config_dir() / "keys" / f"{check_name(alias, 'account alias')}.toml"


def read_keys(path: Path) -> ApiKey:
    """Read a key file; the process leaves no core file from then on, nor do those it starts.

    Raises:
        KeyFileError: it is missing, not private, or not such a file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as problem:
        link = "it is a symbolic link; " if path.is_symlink() else ""
        raise KeyFileError(
            f"key file {path}: {link}{problem.strerror}; wanted a file of yours with api_key and secret, 0600"
        ) from problem
    try:
        trouble = _trouble(os.fstat(descriptor))
        if trouble:
            raise KeyFileError(f"key file {path}: {trouble}")
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))
        text = os.read(descriptor, _MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    return _parsed(path, text)


def write_keys(path: Path, key: ApiKey) -> None:
    """Write a key file of mode 0600, for a venue that hands out its key, such as `lobdeck sim`.

    Raises:
        OSError: it exists already, or cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, KEY_FILE_MODE)
    with open(descriptor, "w") as file:
        os.fchmod(descriptor, KEY_FILE_MODE)
        file.write(f"api_key = {_quoted(key.api_key)}\nsecret = {_quoted(key.secret)}\n")


def _trouble(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "it is no plain file"
    if status.st_uid != os.geteuid():
        return f"it belongs to uid {status.st_uid}, wanted uid {os.geteuid()}"
    if status.st_mode & _OTHERS:
        return f"found mode {stat.S_IMODE(status.st_mode):04o}, wanted 0600; run chmod 600 on it"
    return ""


def _parsed(path: Path, text: bytes) -> ApiKey:
    wanted = 'wanted two lines: api_key = "..." and secret = "..."'
    if len(text) > _MOST_BYTES:
        raise KeyFileError(f"key file {path}: longer than {_MOST_BYTES} bytes; {wanted}")
    try:
        keys = msgspec.convert(tomllib.loads(text.decode()), _Keys)
    except (ValueError, RecursionError):
        # The parsers' own words may quote the file, and with it the secret.
        raise KeyFileError(f"key file {path}: cannot be read; {wanted}") from None
    for name, value in (("api_key", keys.api_key), ("secret", keys.secret)):
        if not 1 <= len(value) <= _MOST_TEXT or not value.isascii() or not value.isprintable():
            raise KeyFileError(f"key file {path}: {name} is empty or no key; {wanted}")
    return ApiKey(keys.api_key, keys.secret)


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
