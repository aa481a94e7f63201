"""Everything that jetstow raises: one tree, each error naming the bucket and the object.

Each class is also the nats-py error and the Python builtin that a user may already
catch: `BucketNotFoundError` is `nats.js.errors.BucketNotFoundError` and
`FileNotFoundError`. What a caller's own source or callback raises passes through as it is.
"""

from __future__ import annotations

import builtins
import errno

import nats.errors
import nats.js.errors as nats_js


class JetstowError(nats_js.Error):
    """Base of every error of jetstow.

    Attributes: `message`, one sentence; `bucket` and `name`, the bucket and the object
    concerned, where there is one.
    """

    # nats-py's APIError carries these; ours have them where the server sent them.
    code: int | None = None
    err_code: int | None = None
    stream: str | None = None
    seq: int | None = None

    def __init__(
        self, message: str = "", *, bucket: str | None = None, name: str | None = None
    ) -> None:
        self.message = message
        self.description = message
        self.bucket = bucket
        self.name = name
        self.args = (message,)

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    # nats-py's APIError is a dataclass, which takes hashing away from exceptions.
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), dict(self.__dict__)))


def _rebuild(cls: type[JetstowError], state: dict[str, object]) -> JetstowError:
    error = cls.__new__(cls)
    JetstowError.__init__(error, str(state.get("message", "")))
    error.__dict__.update(state)
    return error


# -- what the caller asked for ---------------------------------------------------------


class InvalidBucketNameError(JetstowError, nats_js.InvalidBucketNameError, ValueError):
    """A bucket's name is one or more of A-Z, a-z, 0-9, `_` and `-`."""


class InvalidObjectNameError(JetstowError, nats_js.InvalidObjectNameError, ValueError):
    """An object's name is empty, not UTF-8, or its subject would not fit the server's line."""


class InvalidOptionError(JetstowError, ValueError):
    """An option has a value that it cannot have: a chunk size, a header, a configuration."""


class InvalidRangeError(JetstowError, ValueError):
    """A range begins or ends outside the object. `size` is the object's, in bytes."""

    size: int | None = None


class InvalidDataError(JetstowError, TypeError):
    """The data handed over is not bytes and cannot become bytes."""


class LinkError(JetstowError, ValueError):
    """A link that cannot be: to a link, to a deleted object, in a `put`, or in a circle."""


class LinkIsABucketError(JetstowError, nats_js.LinkIsABucketError, IsADirectoryError):
    """The name is a link to a whole bucket and has no bytes of its own."""

    errno = errno.EISDIR


# -- what is, or is not, in the store ---------------------------------------------------


class BucketNotFoundError(JetstowError, nats_js.BucketNotFoundError, FileNotFoundError):
    """There is no such bucket."""

    errno = errno.ENOENT


class BucketExistsError(JetstowError, nats_js.BadRequestError, FileExistsError):
    """The bucket exists already, with another configuration."""

    errno = errno.EEXIST


class BucketSealedError(JetstowError, nats_js.BadRequestError, PermissionError):
    """The bucket is sealed: it can be read, and nothing in it can change any more."""

    errno = errno.EROFS


class BucketFullError(JetstowError, nats_js.APIError, OSError):
    """The bucket's, the account's or the server's storage limit is reached."""

    errno = errno.ENOSPC


class ObjectNotFoundError(JetstowError, nats_js.ObjectNotFoundError, FileNotFoundError):
    """There is no such object in the bucket."""

    errno = errno.ENOENT


class ObjectDeletedError(ObjectNotFoundError, nats_js.ObjectDeletedError):
    """The object was deleted."""


class ObjectAlreadyExists(JetstowError, nats_js.ObjectAlreadyExists, FileExistsError):  # noqa: N818
    """A live object has that name already. (The class has nats-py's name.)"""

    errno = errno.EEXIST


class RevisionMismatchError(JetstowError, nats_js.BadRequestError):
    """The object is not at the revision expected.

    Attributes: `expected` and `actual`, revisions; 0 stands for a name never used.
    """

    expected: int | None = None
    actual: int | None = None


class ObjectUnchangedError(JetstowError):
    """The object has not changed since the moment or the revision that a read named.

    `revision` is the one that it is at.
    """

    revision: int = 0


class ObjectEncryptedError(JetstowError, PermissionError):
    """The object is encrypted and there is no key, or the key is another one's."""

    errno = errno.EACCES


# -- bytes that are not what they should be ----------------------------------------------


class IntegrityError(JetstowError, OSError):
    """What is stored does not agree with its own metadata."""

    errno = errno.EIO


class BadObjectMetaError(IntegrityError, nats_js.BadObjectMetaError, ValueError):
    """The object's metadata is not what ADR-20 describes."""


class DigestMismatchError(IntegrityError, nats_js.DigestMismatchError):
    """The bytes read have another SHA-256 digest than the metadata says."""


class SizeMismatchError(IntegrityError):
    """The bytes or chunks read are more or fewer than the metadata says."""


class ChunksLostError(IntegrityError):
    """Chunks that the metadata counts are not in the stream."""


class TamperedError(IntegrityError):
    """Encrypted bytes that were changed, cut off or put together by somebody without the key."""


class BadArchiveError(IntegrityError, ValueError):
    """A backup that cannot be read: no archive of jetstow's, damaged, or only a part of one."""


class ObjectChangedError(JetstowError, OSError):
    """The object was replaced or deleted while it was being read."""

    errno = errno.ESTALE


# -- the server and the way to it --------------------------------------------------------


class ServerError(JetstowError, nats_js.APIError):
    """The server refused a request for a reason of its own; `code` and `err_code` are its."""


class PermissionDeniedError(JetstowError, PermissionError):
    """The user may not publish or subscribe to a subject. `subject` is the one refused."""

    errno = errno.EACCES
    subject: str | None = None


class TimeoutError(JetstowError, nats.errors.TimeoutError):
    """The server was silent for longer than the timeout."""

    errno = errno.ETIMEDOUT


class ConnectionLostError(JetstowError, nats.errors.ConnectionClosedError, ConnectionError):
    """The connection is closed, or could not be made."""


class NoServersError(ConnectionLostError, nats.errors.NoServersError):
    """No server answered at any of the addresses given."""


class AuthorizationError(ConnectionLostError, nats.errors.AuthorizationError, PermissionError):
    """The server refused the credentials."""

    errno = errno.EACCES


class WatcherStoppedError(JetstowError):
    """The watcher was stopped: it has nothing more to tell."""


class JetStreamUnavailableError(JetstowError, nats_js.ServiceUnavailableError, ConnectionError):
    """The server has no JetStream, the account may not use it, or no leader answers."""


class EmbeddedServerError(JetstowError, builtins.OSError):
    """The embedded server cannot be started, reached or stopped."""


class ContextError(JetstowError, ValueError):
    """The selected `nats` CLI context cannot be read."""


__all__ = [
    "AuthorizationError",
    "BadArchiveError",
    "BadObjectMetaError",
    "BucketExistsError",
    "BucketFullError",
    "BucketNotFoundError",
    "BucketSealedError",
    "ChunksLostError",
    "ConnectionLostError",
    "ContextError",
    "DigestMismatchError",
    "EmbeddedServerError",
    "IntegrityError",
    "InvalidBucketNameError",
    "InvalidDataError",
    "InvalidObjectNameError",
    "InvalidOptionError",
    "InvalidRangeError",
    "JetStreamUnavailableError",
    "JetstowError",
    "LinkError",
    "LinkIsABucketError",
    "NoServersError",
    "ObjectAlreadyExists",
    "ObjectChangedError",
    "ObjectDeletedError",
    "ObjectEncryptedError",
    "ObjectNotFoundError",
    "ObjectUnchangedError",
    "PermissionDeniedError",
    "RevisionMismatchError",
    "ServerError",
    "SizeMismatchError",
    "TamperedError",
    "TimeoutError",
    "WatcherStoppedError",
]
