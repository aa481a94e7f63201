"""The base of the object store: the stream of a bucket, and views of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.cipher import Key
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import check_bucket_name, check_object_name
from jetstow.errors import InvalidOptionError

if TYPE_CHECKING:
    from nats.js.client import JetStreamContext
    from typing_extensions import Buffer


class BucketBase(_NatsObjectStore):
    """The part that all groups of verbs share: the bucket's stream."""

    def __init__(self, js: JetStreamContext, stream: Stream) -> None:
        super().__init__(stream.bucket, stream.name, js)
        self._bucket = stream
        self._context = js

    def __repr__(self) -> str:
        view = "" if self._bucket.key is None else " encrypted"
        view = " as stored" if self._bucket.is_as_stored else view
        return f"<jetstow.ObjectStore {self.bucket!r}{view}>"

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket.bucket

    @property
    def _refuses_plain(self) -> bool:
        """Whether objects that are not encrypted cannot be read through this view."""
        return self._bucket.key is not None and not self._bucket.allow_plain

    def encrypted(
        self, key: Buffer, *, allow_plain: bool = False, original_bucket: str | None = None
    ) -> Self:
        """Return a view of the bucket that encrypts objects on put and decrypts them on get.

        `key` has 32 bytes. Each chunk is encrypted and authenticated with AES-256-GCM, with a key
        derived for each object, and so are the object's size, name and bucket. Descriptions,
        headers and metadata are neither encrypted nor authenticated: every user who can read the
        bucket can read them. The key is not stored; without it, the objects are lost. Needs
        `jetstow[encryption]`.

        An object that is not encrypted may have been put in the place of an encrypted one, so the
        view refuses to read it. `allow_plain` reads it as it is. `original_bucket` also reads
        objects that were encrypted in the bucket of that name: pass it for a mirror, or for a
        backup that was restored under another name.

        The sizes that the view reports are those of the plaintext. Digests are those of the
        stored bytes.

        Raises: `InvalidOptionError` (the key does not have 32 bytes, or the package is not
        installed), `InvalidBucketNameError`. Reading raises `ObjectEncryptedError` (the object has
        a different key) and `TamperedError` (it is not what was encrypted under its name).
        """
        if original_bucket is not None:
            check_bucket_name(original_bucket)
        view = self._bucket.view(
            key=Key(key), allow_plain=allow_plain, original_bucket=original_bucket
        )
        return self._view(view)

    def as_stored(self) -> Self:
        """Return a view of the bucket that reads and writes encrypted objects as they are stored.

        Other NATS clients read the same bytes, sizes and digests. Use it to copy or verify
        encrypted objects without their key.
        """
        return self._view(self._bucket.view(as_stored=True))

    def _context_of(self, name: str, version: object = None) -> ErrorContext:
        """Check an object's name and the id of a version. Return the context for reading it."""
        context = self._bucket.error_context(check_object_name(self._bucket.bucket, name))
        if version is None:
            return context
        if not isinstance(version, str) or not version or "/" in version:
            raise context.error(
                InvalidOptionError,
                f"version of {context} must be an id, as info.version has it, not {version!r}",
            )
        return ErrorContext(context.bucket, context.name, version)

    def _view(self, stream: Stream) -> Self:
        return type(self)(self._context, stream)
