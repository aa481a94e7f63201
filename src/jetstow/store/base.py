"""A bucket, and the ways to look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.cipher import Key

if TYPE_CHECKING:
    from nats.js.client import JetStreamContext
    from typing_extensions import Buffer


class BucketBase(_NatsObjectStore):
    """What every part of an object store's face has: the bucket's stream."""

    def __init__(self, js: JetStreamContext, stream: Stream) -> None:
        super().__init__(stream.bucket, stream.name, js)
        self._bucket = stream
        self._context = js

    def __repr__(self) -> str:
        how = "" if self._bucket.key is None else " encrypted"
        how = " as stored" if self._bucket.shows_stored else how
        return f"<jetstow.ObjectStore {self.bucket!r}{how}>"

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket.bucket

    def encrypted(self, key: Buffer) -> Self:
        """The same bucket, seen with a key of 32 bytes: what is put is encrypted, and what is
        encrypted is decrypted when it is read. Objects that are not are read as they are.

        Each chunk is authenticated (AES-256-GCM, under a key made for each object). Names,
        descriptions, headers, metadata and sizes stay readable for everybody. The key is stored
        nowhere: whoever loses it has lost the objects. Needs `jetstow[encryption]`.

        Sizes are those of the plain bytes, digests those of what is stored. Raises
        `InvalidOptionError` for anything but 32 bytes; reading raises `ObjectEncryptedError`
        for another key, and `TamperedError` for bytes that were changed without it.
        """
        return self._seen(self._bucket.view(key=Key(key)))

    def as_stored(self) -> Self:
        """The same bucket, as clients see it that know nothing of encryption: to copy encrypted
        objects, or to look at them, without their key.
        """
        return self._seen(self._bucket.view(as_stored=True))

    def _seen(self, stream: Stream) -> Self:
        return type(self)(self._context, stream)
