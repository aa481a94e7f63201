"""Whether bytes that were read in order, a few at a time, are those that were put."""

from __future__ import annotations

import base64
import hashlib

from jetstow.errors import DigestMismatchError
from jetstow.models import ObjectInfo


class Checksum:
    """The digest of an object's bytes, from the first one on, as far as nothing was left out."""

    def __init__(self, info: ObjectInfo) -> None:
        self._info = info
        self._size = info.size or 0
        self._done = 0
        # An encrypted object's digest is that of what is stored. Each of its chunks has a seal.
        self._sha = hashlib.sha256() if info.digest and not info.encrypted else None

    def add(self, start: int, data: bytes) -> None:
        """Bytes from an offset on. The last ones raise `DigestMismatchError` if they are others."""
        stop = start + len(data)
        # What came in one piece has been verified where it came from.
        if self._sha is None or not start <= self._done < stop or stop - start == self._size:
            return
        rest = memoryview(data)[self._done - start :]
        if stop < self._size:
            self._sha.update(rest)
            self._done = stop
            return
        whole = self._sha.copy()  # whoever reads the end once more hears the same
        whole.update(rest)
        if not self._is_right(whole.digest()):
            info = self._info
            raise DigestMismatchError(
                f"object {info.name!r} in bucket {info.bucket!r} is damaged: its bytes have "
                "another digest than its metadata says",
                bucket=info.bucket,
                name=info.name,
            )

    def _is_right(self, digest: bytes) -> bool:
        kind, _, said = (self._info.digest or "").partition("=")
        # Clients write the same digest in several ways.
        said = said.rstrip("=").replace("+", "-").replace("/", "_")
        found = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return kind.upper() != "SHA-256" or said == found
