"""Change the key file: one writer at a time, and complete at every instant.

The comments before the first key stay; others are lost.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, TypeVar

from jetstow._core.aio.locked_file import locked_file
from jetstow.s3.auth.keys import KeyFileError, parse_keys

T = TypeVar("T")

# A key as the file has it.
Entry = dict[str, Any]

# How long a change waits for another one, and the pause between two attempts, in seconds.
_LOCK_TIMEOUT: Final = 5.0
_LOCK_PAUSE: Final = 0.02


def is_writable(path: Path) -> bool:
    """Return whether `change_keys` can replace the file."""
    real = path.resolve()
    return os.access(real, os.W_OK) and os.access(real.parent, os.W_OK)


def change_keys(path: Path, change: Callable[[list[Entry]], T]) -> T:
    """Let `change` edit the keys of the file, store them, and return what it returns.

    It blocks. If `change` raises, nothing is stored.

    Raises: `KeyFileError` (the file is not valid, or would not be), `BlockingIOError` (another
    change takes too long), `OSError`, what `change` raises.
    """
    real = path.resolve()
    with _locked(real):
        content = _read(path)
        parse_keys(content, path)
        entries: list[Entry] = tomllib.loads(content)["key"]
        result = change(entries)
        changed = _head(content) + "\n".join(map(_format_entry, entries))
        parse_keys(changed, path)
        _replace(real, changed)
        return result


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait for the lock of a file. It is another file: this one is replaced by each change."""
    lock, deadline = path.with_name(f".{path.name}.lock"), time.monotonic() + _LOCK_TIMEOUT
    while True:
        held = locked_file(lock, f"key file {str(path)!r} is being changed")
        try:
            held.__enter__()
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOCK_PAUSE)
            continue
        break
    try:
        yield
    finally:
        held.__exit__(None, None, None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except ValueError as error:
        raise KeyFileError(f"key file {str(path)!r}: {error}") from error


def _head(content: str) -> str:
    """Return the comments and blank lines before the first key."""
    lines = content.splitlines(keepends=True)
    return "".join(takewhile(lambda line: line.lstrip()[:1] in ("", "#"), lines))


def _format_entry(entry: Entry) -> str:
    fields = "".join(f"{name} = {_format_value(value)}\n" for name, value in entry.items())
    return f"[[key]]\n{fields}"


def _format_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_format_value, value))}]"
    # JSON and TOML write strings alike, except for the control character DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _replace(path: Path, content: str) -> None:
    """Store a new version of a file, with the mode and, if possible, the owner of the last one."""
    status = path.stat()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if hasattr(os, "chown"):
            with suppress(PermissionError):
                os.chown(temporary, status.st_uid, status.st_gid)
        temporary.chmod(stat.S_IMODE(status.st_mode))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
