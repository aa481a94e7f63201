"""The exceptions of jetstow: subclasses of `JetstowError`, with the bucket and the object.

Each class also derives from the corresponding nats-py error and Python builtin, if there is one:
`BucketNotFoundError` is a `nats.js.errors.BucketNotFoundError` and a `FileNotFoundError`.
"""

from __future__ import annotations

import builtins
import datetime
import errno

import nats.errors
import nats.js.errors as nats_js


class JetstowError(nats_js.Error):
    """The base class of all jetstow errors.

    `message` is one sentence. `bucket` and `name` are those concerned, or None. `code` and
    `err_code` are the server's status and JetStream error code, as in nats-py's `APIError`.
    """

    # The fields of nats-py's APIError, which some subclasses also derive from.
    code: int | None = None
    err_code: int | None = None
    stream: str | None = None
    seq: int | None = None

    def __init__(
        self, message: str = "", *, bucket: str | None = None, name: str | None = None
    ) -> None:
        self.message = self.description = message
        self.bucket, self.name = bucket, name
        self.args = (message,)

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    # nats-py's APIError is a dataclass with __eq__, which makes exceptions unhashable.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[object, ...]:
        return (_unpickle, (type(self), dict(self.__dict__)))


def _unpickle(cls: type[JetstowError], state: dict[str, object]) -> JetstowError:
    error = cls.__new__(cls)
    JetstowError.__init__(error, str(state.get("message", "")))
    error.__dict__.update(state)
    return error


# -- invalid arguments -------------------------------------------------------------------


class InvalidBucketNameError(JetstowError, nats_js.InvalidBucketNameError, ValueError):
    """The bucket name is not one or more of A-Z, a-z, 0-9, `_` and `-` (ADR-20)."""


class InvalidObjectNameError(
    JetstowError, nats_js.InvalidObjectNameError, nats_js.NotFoundError, ValueError
):
    """The object name is empty, not valid Unicode text, or too long for a NATS subject."""


class InvalidOptionError(JetstowError, ValueError):
    """An option has an invalid value, for example a chunk size, a header or a bucket limit."""


class InvalidRangeError(JetstowError, ValueError):
    """The range starts or ends outside the object. `size` is the object's size in bytes."""

    size: int | None = None


class InvalidDataError(JetstowError, TypeError):
    """The data is not bytes, text, a file or an iterable of bytes."""


class LinkError(JetstowError, ValueError):
    """The link refers to a link or a deleted object, was passed to `put`, or is in a cycle."""


class LinkIsABucketError(JetstowError, nats_js.LinkIsABucketError, IsADirectoryError):
    """The name is a link to a bucket, so it has no bytes. Open the bucket instead."""

    errno = errno.EISDIR


# -- the state of buckets and objects ----------------------------------------------------


class BucketNotFoundError(JetstowError, nats_js.BucketNotFoundError, FileNotFoundError):
    """The bucket does not exist. `create_object_store` creates it."""

    errno = errno.ENOENT


class BucketExistsError(JetstowError, nats_js.BadRequestError, FileExistsError):
    """The bucket exists with a different configuration. `object_store` opens it as it is."""

    errno = errno.EEXIST


class BucketSealedError(JetstowError, nats_js.BadRequestError, PermissionError):
    """The bucket is read-only: sealed, or a mirror. `mirror` copies it to another bucket."""

    errno = errno.EROFS


class BucketFullError(JetstowError, nats_js.APIError, OSError):
    """A limit of the bucket, the account or the server is reached, or the server's disk is full."""

    errno = errno.ENOSPC


class ObjectNotFoundError(JetstowError, nats_js.ObjectNotFoundError, FileNotFoundError):
    """The bucket does not have the object."""

    errno = errno.ENOENT


class ObjectDeletedError(ObjectNotFoundError, nats_js.ObjectDeletedError):
    """The object was deleted; its delete marker is still in the bucket."""


class ObjectAlreadyExists(JetstowError, nats_js.ObjectAlreadyExists, FileExistsError):  # noqa: N818
    """An object with the name exists. The class name is nats-py's."""

    errno = errno.EEXIST


class ObjectLockedError(JetstowError, PermissionError):
    """The version has a legal hold, or a retention that lasts until `until`."""

    until: datetime.datetime | None = None


class RevisionMismatchError(JetstowError, nats_js.BadRequestError):
    """The object is not at the expected revision: another client changed it.

    `expected` and `actual` are revisions; 0 means that no object has the name. Read the object
    again and retry with its current revision.
    """

    expected: int | None = None
    actual: int | None = None


class ObjectUnchangedError(JetstowError):
    """The object has not changed since `if_changed_since`. `revision` is its current revision."""

    revision: int = 0


class ObjectEncryptedError(JetstowError, PermissionError):
    """The object is encrypted, and the key is missing or wrong (see `ObjectStore.encrypted`)."""

    errno = errno.EACCES


# -- damaged data ------------------------------------------------------------------------


class IntegrityError(JetstowError, OSError):
    """The stored data does not match its metadata."""

    errno = errno.EIO


class BadObjectMetaError(IntegrityError, nats_js.BadObjectMetaError, ValueError):
    """The object's metadata is not valid according to ADR-20."""


class DigestMismatchError(IntegrityError, nats_js.DigestMismatchError):
    """The SHA-256 digest of the bytes differs from the one in the metadata."""


class SizeMismatchError(IntegrityError):
    """The number of bytes or chunks differs from the one in the metadata."""


class ChunksLostError(IntegrityError):
    """Chunks of the object are missing from the stream."""


class TamperedError(IntegrityError):
    """An object is not what was encrypted under its name: it was changed without the key."""


class BadArchiveError(IntegrityError, ValueError):
    """The backup archive is damaged, truncated, or not an archive that jetstow wrote."""


class ObjectChangedError(JetstowError, OSError):
    """The object was replaced or deleted, or the file to store changed. Read it again."""

    errno = errno.ESTALE


# -- the server and the connection -------------------------------------------------------


class ServerError(JetstowError, nats_js.APIError):
    """The server returned an error without a class of its own. See `code` and `err_code`."""


class WrongStreamError(ServerError):
    """The bucket's stream would lose bytes, or a stream of another domain has its subjects, too."""


class PermissionDeniedError(JetstowError, PermissionError):
    """The user is not permitted to publish or subscribe to a subject.

    `subject` is that subject. Change the user's permissions on the server.
    """

    errno = errno.EACCES
    subject: str | None = None


class TimeoutError(JetstowError, nats.errors.TimeoutError):
    """The server did not reply within the timeout."""

    errno = errno.ETIMEDOUT


class ConnectionLostError(JetstowError, nats.errors.ConnectionClosedError, ConnectionError):
    """The connection is closed or could not be opened."""


class NoServersError(ConnectionLostError, nats.errors.NoServersError):
    """None of the servers could be reached."""


class AuthorizationError(ConnectionLostError, nats.errors.AuthorizationError, PermissionError):
    """The server rejected the credentials."""

    errno = errno.EACCES


class WrongEventLoopError(JetstowError, RuntimeError):
    """The connection was made in another event loop."""


class WatcherStoppedError(JetstowError):
    """The watcher was stopped, so it delivers no further changes."""


class JetStreamUnavailableError(JetstowError, nats_js.ServiceUnavailableError, ConnectionError):
    """JetStream is not enabled on the server or for the account, or has no leader at present."""


class EmbeddedServerError(JetstowError, builtins.OSError):
    """The embedded server could not be started, reached or stopped."""


class ContextError(JetstowError, ValueError):
    """The selected context of the `nats` command line could not be loaded."""


__all__ = [
    "AuthorizationError", "BadArchiveError", "BadObjectMetaError", "BucketExistsError",
    "BucketFullError", "BucketNotFoundError", "BucketSealedError", "ChunksLostError",
    "ConnectionLostError", "ContextError", "DigestMismatchError", "EmbeddedServerError",
    "IntegrityError", "InvalidBucketNameError", "InvalidDataError", "InvalidObjectNameError",
    "InvalidOptionError", "InvalidRangeError", "JetStreamUnavailableError", "JetstowError",
    "LinkError", "LinkIsABucketError", "NoServersError", "ObjectAlreadyExists",
    "ObjectChangedError", "ObjectDeletedError", "ObjectEncryptedError", "ObjectLockedError",
    "ObjectNotFoundError", "ObjectUnchangedError", "PermissionDeniedError",
    "RevisionMismatchError", "ServerError", "SizeMismatchError", "TamperedError", "TimeoutError",
    "WatcherStoppedError", "WrongEventLoopError", "WrongStreamError",
]  # fmt: skip
