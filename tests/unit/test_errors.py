"""The exceptions: base classes of nats-py and Python, fields, pickling and errno."""

from __future__ import annotations

import builtins
import copy
import errno
import pickle
from typing import Any

import nats.errors
import nats.js.errors as nats_js
import pytest

from jetstow import errors
from jetstow.errors import JetstowError

ALL_ERRORS: list[type[JetstowError]] = [getattr(errors, name) for name in errors.__all__]

# The classes of nats-py and Python that a program may already catch.
BASES: dict[str, tuple[type[BaseException], ...]] = {
    "JetstowError": (nats_js.Error, nats.errors.Error),
    "InvalidBucketNameError": (nats_js.InvalidBucketNameError, ValueError),
    "InvalidObjectNameError": (
        nats_js.InvalidObjectNameError, nats_js.NotFoundError, ValueError,
    ),
    "InvalidOptionError": (ValueError,),
    "InvalidRangeError": (ValueError,),
    "InvalidDataError": (TypeError,),
    "LinkError": (ValueError,),
    "LinkIsABucketError": (nats_js.LinkIsABucketError, IsADirectoryError),
    "BucketNotFoundError": (
        nats_js.BucketNotFoundError, nats_js.NotFoundError, FileNotFoundError,
    ),
    "BucketExistsError": (nats_js.BadRequestError, nats_js.APIError, FileExistsError),
    "BucketSealedError": (nats_js.BadRequestError, PermissionError),
    "BucketFullError": (nats_js.APIError, OSError),
    "ObjectNotFoundError": (
        nats_js.ObjectNotFoundError, nats_js.NotFoundError, FileNotFoundError,
    ),
    "ObjectDeletedError": (
        nats_js.ObjectDeletedError, nats_js.ObjectNotFoundError, nats_js.NotFoundError,
        FileNotFoundError, errors.ObjectNotFoundError,
    ),
    "ObjectAlreadyExists": (nats_js.ObjectAlreadyExists, FileExistsError),
    "RevisionMismatchError": (nats_js.BadRequestError, nats_js.APIError),
    "ObjectUnchangedError": (JetstowError,),
    "ObjectEncryptedError": (PermissionError,),
    "ObjectLockedError": (PermissionError,),
    "TamperedError": (errors.IntegrityError, OSError),
    "IntegrityError": (OSError,),
    "BadObjectMetaError": (nats_js.BadObjectMetaError, ValueError, errors.IntegrityError),
    "DigestMismatchError": (nats_js.DigestMismatchError, errors.IntegrityError),
    "SizeMismatchError": (errors.IntegrityError,),
    "ChunksLostError": (errors.IntegrityError,),
    "BadArchiveError": (ValueError, errors.IntegrityError),
    "ObjectChangedError": (OSError,),
    "ServerError": (nats_js.APIError,),
    "PermissionDeniedError": (PermissionError,),
    "TimeoutError": (nats.errors.TimeoutError, builtins.TimeoutError),
    "ConnectionLostError": (nats.errors.ConnectionClosedError, ConnectionError),
    "NoServersError": (
        nats.errors.NoServersError, errors.ConnectionLostError, ConnectionError,
    ),
    "AuthorizationError": (
        nats.errors.AuthorizationError, errors.ConnectionLostError, PermissionError,
    ),
    "JetStreamUnavailableError": (nats_js.ServiceUnavailableError, ConnectionError),
    "EmbeddedServerError": (OSError,),
    "ContextError": (ValueError,),
    "WatcherStoppedError": (),
    "WrongEventLoopError": (RuntimeError,),
    "WrongStreamError": (nats_js.APIError,),
}  # fmt: skip

each_error = pytest.mark.parametrize("kind", ALL_ERRORS, ids=lambda kind: kind.__name__)


def test_all_errors_are_exported_and_tested() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, JetstowError)
    }
    assert defined == set(errors.__all__) == set(BASES)


@each_error
def test_bases_of_nats_py_and_python(kind: type[JetstowError]) -> None:
    assert issubclass(kind, JetstowError)
    for base in BASES[kind.__name__]:
        with pytest.raises(base):
            raise kind("message", bucket="b", name="n")


@each_error
def test_message_bucket_and_name(kind: type[JetstowError]) -> None:
    error = kind("the message", bucket="b", name="n")
    assert (error.message, error.bucket, error.name) == ("the message", "b", "n")
    assert str(error) == "the message"
    assert repr(error) == f"{kind.__name__}('the message')"
    assert error.args == ("the message",)
    assert error.description == "the message"
    empty = kind()
    assert (str(empty), empty.bucket, empty.name) == ("", None, None)


@each_error
def test_pickled_and_copied_errors(kind: type[JetstowError]) -> None:
    error: Any = kind("the message", bucket="b", name="n")
    error.code, error.err_code, error.expected = 400, 10071, 7
    for duplicate in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(duplicate) is kind
        assert str(duplicate) == "the message"
        assert duplicate.args == error.args
        assert vars(duplicate) == vars(error)
        assert (duplicate.bucket, duplicate.name, duplicate.err_code) == ("b", "n", 10071)


@each_error
def test_fields_of_nats_py_api_errors(kind: type[JetstowError]) -> None:
    error = kind("message")
    assert (error.code, error.err_code, error.stream, error.seq) == (None, None, None, None)


@each_error
def test_errors_compare_by_identity(kind: type[JetstowError]) -> None:
    one, other = kind("same"), kind("same")
    assert one == one  # noqa: PLR0124
    assert one != other
    assert len({one, other}) == 2


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (errors.LinkIsABucketError, errno.EISDIR),
        (errors.BucketNotFoundError, errno.ENOENT),
        (errors.ObjectNotFoundError, errno.ENOENT),
        (errors.ObjectDeletedError, errno.ENOENT),
        (errors.BucketExistsError, errno.EEXIST),
        (errors.ObjectAlreadyExists, errno.EEXIST),
        (errors.BucketSealedError, errno.EROFS),
        (errors.BucketFullError, errno.ENOSPC),
        (errors.DigestMismatchError, errno.EIO),
        (errors.ChunksLostError, errno.EIO),
        (errors.ObjectChangedError, errno.ESTALE),
        (errors.PermissionDeniedError, errno.EACCES),
        (errors.AuthorizationError, errno.EACCES),
        (errors.TimeoutError, errno.ETIMEDOUT),
    ],
)
def test_errno_of_os_errors(kind: type[JetstowError], number: int) -> None:
    error = kind("message")
    assert isinstance(error, OSError)
    assert error.errno == number


@each_error
def test_errors_have_their_own_docstring(kind: type[JetstowError]) -> None:
    assert kind.__doc__
    assert kind.__doc__.strip()
    assert kind.__doc__ not in {base.__doc__ for base in kind.__mro__[1:]}
