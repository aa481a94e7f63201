"""The errors: one tree, in which nats-py's and Python's own names for them are found too."""

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

EVERY: list[type[JetstowError]] = [getattr(errors, name) for name in errors.__all__]

# What a program may catch already: nats-py's class, and Python's.
CAUGHT_AS: dict[str, tuple[type[BaseException], ...]] = {
    "JetstowError": (nats_js.Error, nats.errors.Error),
    "InvalidBucketNameError": (nats_js.InvalidBucketNameError, ValueError),
    "InvalidObjectNameError": (nats_js.InvalidObjectNameError, ValueError),
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
}  # fmt: skip

every = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)


def test_every_error_is_public_and_has_its_place_here() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, JetstowError)
    }
    assert defined == set(errors.__all__) == set(CAUGHT_AS)


@every
def test_an_error_is_caught_by_the_names_that_programs_know(kind: type[JetstowError]) -> None:
    assert issubclass(kind, JetstowError)
    for known in CAUGHT_AS[kind.__name__]:
        with pytest.raises(known):
            raise kind("message", bucket="b", name="n")


@every
def test_an_error_carries_bucket_and_name_and_says_its_sentence_only(
    kind: type[JetstowError],
) -> None:
    error = kind("it went wrong", bucket="b", name="n")
    assert (error.message, error.bucket, error.name) == ("it went wrong", "b", "n")
    assert str(error) == "it went wrong"
    assert repr(error) == f"{kind.__name__}('it went wrong')"
    assert error.args == ("it went wrong",)
    assert error.description == "it went wrong"
    bare = kind()
    assert (str(bare), bare.bucket, bare.name) == ("", None, None)


@every
def test_an_error_crosses_processes(kind: type[JetstowError]) -> None:
    error: Any = kind("it went wrong", bucket="b", name="n")
    error.code, error.err_code, error.expected = 400, 10071, 7
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert str(again) == "it went wrong"
        assert again.args == error.args
        assert vars(again) == vars(error)
        assert (again.bucket, again.name, again.err_code) == ("b", "n", 10071)


@every
def test_an_error_has_the_fields_of_nats_pys_api_errors(kind: type[JetstowError]) -> None:
    error = kind("message")
    assert (error.code, error.err_code, error.stream, error.seq) == (None, None, None, None)


@every
def test_an_error_is_itself_and_can_be_kept_in_sets(kind: type[JetstowError]) -> None:
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
def test_an_error_that_the_system_knows_has_its_number(
    kind: type[JetstowError], number: int
) -> None:
    error = kind("message")
    assert isinstance(error, OSError)
    assert error.errno == number


@every
def test_an_error_says_what_it_means(kind: type[JetstowError]) -> None:
    assert kind.__doc__
    assert kind.__doc__.strip()
    assert kind.__doc__ not in {base.__doc__ for base in kind.__mro__[1:]}
