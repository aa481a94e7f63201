"""Read the key file again when it has changed, without a restart."""

from __future__ import annotations

import logging
import os
import time
from typing import Final

from jetstow.s3.auth.keys import KeyFileError, Keys, load_keys

_log = logging.getLogger("jetstow.s3")

# How often the file is looked at, in seconds.
_INTERVAL: Final = 1.0


class KeyReload:
    """Keeps the keys of a gateway equal to those of their file, if they have one.

    A file that is not valid, or is missing, changes nothing: the gateway logs that once, and uses
    the keys that it has. `has_connect` is whether the gateway can serve keys with `creds`.
    """

    def __init__(self, keys: Keys, *, has_connect: bool) -> None:
        self._keys = keys
        self._has_connect = has_connect
        self._checked_at = float("-inf")
        # The file may have changed since the keys were read: the first check reads it.
        self._state: tuple[int, ...] | None = None

    def check(self) -> None:
        """Read the file if it has changed. It is looked at once a second at most."""
        now = time.monotonic()
        if self._keys.path is not None and now - self._checked_at >= _INTERVAL:
            self._checked_at = now
            self.check_now()

    def check_now(self) -> None:
        """Read the file if it has changed."""
        if self._keys.path is None:
            return
        try:
            status = os.stat(self._keys.path)  # noqa: PTH116 - a third of the time of Path.stat
            state: tuple[int, ...] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            state = ()
        if state == self._state:
            return
        self._state = state  # from before the read: what is written during it is read again
        try:
            keys = load_keys(self._keys.path)
        except KeyFileError as error:
            _log.error("%s; the gateway uses the keys from before", error)
            return
        if not self._has_connect and any(key.creds is not None for key in keys):
            _log.error("a key has creds, which this gateway does not support: keys not reloaded")
            return
        self._keys.replace(keys)
