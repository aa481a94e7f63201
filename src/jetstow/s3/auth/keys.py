"""The access keys of the gateway: the key file (TOML), and the generated key."""

from __future__ import annotations

import json
import os
import secrets
import string
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal, get_args

Allow = Literal["full", "read", "write"]

_FIELDS: Final = {
    "access_key", "secret_key", "user", "name", "allow", "buckets", "creds", "admin",
}  # fmt: skip
_ACCESS_KEY_CHARACTERS: Final = string.ascii_uppercase + string.digits


class KeyFileError(ValueError):
    """The key file cannot be read, or an entry is not valid. The message names the file."""


@dataclass(frozen=True, slots=True)
class Key:
    """An access key: who it belongs to, and what it allows.

    `user` is the owner of the buckets that the key creates, and `name` is how the user is shown;
    both are the access key by default. `buckets` are patterns of bucket names. With `creds`, the
    requests of the key go over a NATS connection with that credentials file. `admin`: the key may
    manage the keys in the console.
    """

    access_key: str
    secret_key: str = field(repr=False)
    user: str = ""
    name: str = ""
    allow: Allow = "full"
    buckets: tuple[str, ...] = ("*",)
    creds: Path | None = None
    admin: bool = False

    @property
    def owner(self) -> str:
        """The id of the user in S3's XML."""
        return self.user or self.access_key

    @property
    def display_name(self) -> str:
        """The name of the user in S3's XML."""
        return self.name or self.owner

    def covers(self, bucket: str) -> bool:
        """Return whether the key may be used for a bucket, by its patterns."""
        return any(fnmatchcase(bucket, pattern) for pattern in self.buckets)


class Keys:
    """The keys of a gateway, by access key. `path` is the key file with them, if there is one."""

    def __init__(self, keys: Iterable[Key], path: Path | None = None) -> None:
        self._keys = {key.access_key: key for key in keys}
        self.path = path

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def replace(self, keys: Iterable[Key]) -> None:
        """Use other keys from now on."""
        self._keys = {key.access_key: key for key in keys}

    def find(self, access_key: str) -> Key | None:
        """Return a key, or None."""
        return self._keys.get(access_key)

    def has_owner(self, owner: str) -> bool:
        """Return whether a user has a key."""
        return any(key.owner == owner for key in self)

    def display_name(self, owner: str) -> str:
        """Return how a user is shown: the name of the first of their keys, or the id."""
        return next((key.display_name for key in self if key.owner == owner), owner)


def load_keys(path: Path) -> Keys:
    """Read a key file.

    Raises: `KeyFileError`.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise KeyFileError(f"key file {str(path)!r}: {error.strerror or error}") from error
    except ValueError as error:  # not UTF-8
        raise KeyFileError(f"key file {str(path)!r}: {error}") from error
    return parse_keys(content, path)


def parse_keys(content: str, path: Path) -> Keys:
    """Parse the content of the key file at `path`.

    Raises: `KeyFileError`.
    """
    try:
        document = tomllib.loads(content)
    except ValueError as error:
        raise KeyFileError(f"key file {str(path)!r}: {error}") from error
    entries = document.get("key")
    if not isinstance(entries, list) or not entries or document.keys() != {"key"}:
        raise KeyFileError(f"key file {str(path)!r} must consist of one or more [[key]] tables")
    keys: dict[str, Key] = {}
    for number, entry in enumerate(entries, 1):
        try:
            key = _parse_key(entry, path.parent)
        except ValueError as error:
            raise KeyFileError(f"key file {str(path)!r}, key {number}: {error}") from None
        if key.access_key in keys:
            raise KeyFileError(f"key file {str(path)!r}: {key.access_key!r} is there twice")
        keys[key.access_key] = key
    return Keys(keys.values(), path)


def _parse_key(entry: dict[str, Any], folder: Path) -> Key:
    if unknown := sorted(entry.keys() - _FIELDS):
        raise ValueError(f"there is no field {unknown[0]!r}")
    texts = {}
    for name in ("access_key", "secret_key", "user", "name", "creds"):
        value = entry.get(name, "")
        if not isinstance(value, str):
            raise ValueError(f"{name} must be a string")  # noqa: TRY004 - the value of a file
        texts[name] = value
    for name in ("access_key", "secret_key"):
        if not texts[name]:
            raise ValueError(f"{name} is missing or empty")
    if not texts["access_key"].isascii() or set(texts["access_key"]) & set("/, \t\r\n"):
        raise ValueError("access_key must be ASCII without blanks, slashes and commas")
    allow = entry.get("allow", "full")
    if allow not in get_args(Allow):
        raise ValueError(f"allow must be 'full', 'read' or 'write', not {allow!r}")
    buckets = entry.get("buckets", ["*"])
    if not isinstance(buckets, list) or not all(isinstance(item, str) for item in buckets):
        raise ValueError("buckets must be a list of patterns")
    admin = entry.get("admin", False)
    if not isinstance(admin, bool):
        raise ValueError("admin must be true or false")  # noqa: TRY004 - the value of a file
    creds = folder / Path(texts["creds"]).expanduser() if texts["creds"] else None
    if creds is not None and not creds.is_file():
        raise ValueError(f"there is no creds file {str(creds)!r}")
    return Key(
        texts["access_key"], texts["secret_key"], texts["user"], texts["name"],
        allow, tuple(buckets), creds, admin,
    )  # fmt: skip


def generate_pair() -> tuple[str, str]:
    """Return a random access key and its secret."""
    access_key = "JS" + "".join(secrets.choice(_ACCESS_KEY_CHARACTERS) for _ in range(18))
    return access_key, secrets.token_urlsafe(30)


def load_or_generate_key(path: Path) -> tuple[Keys, bool]:
    """Read the key file at `path`; write one with a random key if there is none.

    Return the keys, and whether the file is new. Only its owner can read it.

    Raises: `KeyFileError`, `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    access_key, secret_key = generate_pair()
    content = (
        "# The key of the S3 gateway, made by `jetstow serve`. Other fields: see the guide.\n"
        "[[key]]\n"
        f"access_key = {json.dumps(access_key)}\n"
        f"secret_key = {json.dumps(secret_key)}\n"
        "admin = true\n"
    )
    # Linked when it is complete: another process that starts now reads all of it, or has made it.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        os.link(temporary, path)
    except FileExistsError:
        return load_keys(path), False
    finally:
        temporary.unlink()
    return load_keys(path), True
