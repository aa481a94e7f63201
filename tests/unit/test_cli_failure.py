"""Exit codes and sentences."""

from __future__ import annotations

import builtins

import nats.errors
import pytest

from jetstow import errors
from jetstow.cli import failure

CODES = {
    errors.AuthorizationError: failure.REFUSED,
    errors.BadObjectMetaError: failure.DAMAGED,
    errors.BucketExistsError: failure.CONFLICT,
    errors.BucketFullError: failure.ERROR,
    errors.BucketNotFoundError: failure.NOT_FOUND,
    errors.BucketSealedError: failure.CONFLICT,
    errors.ChunksLostError: failure.DAMAGED,
    errors.ConnectionLostError: failure.UNREACHABLE,
    errors.ContextError: failure.ERROR,
    errors.DigestMismatchError: failure.DAMAGED,
    errors.EmbeddedServerError: failure.UNREACHABLE,
    errors.InvalidBucketNameError: failure.USAGE,
    errors.InvalidObjectNameError: failure.USAGE,
    errors.InvalidOptionError: failure.USAGE,
    errors.JetStreamUnavailableError: failure.UNREACHABLE,
    errors.LinkError: failure.ERROR,
    errors.LinkIsABucketError: failure.ERROR,
    errors.NoServersError: failure.UNREACHABLE,
    errors.ObjectAlreadyExists: failure.CONFLICT,
    errors.ObjectChangedError: failure.CONFLICT,
    errors.ObjectDeletedError: failure.NOT_FOUND,
    errors.ObjectNotFoundError: failure.NOT_FOUND,
    errors.PermissionDeniedError: failure.REFUSED,
    errors.RevisionMismatchError: failure.CONFLICT,
    errors.ServerError: failure.ERROR,
    errors.SizeMismatchError: failure.DAMAGED,
    errors.TimeoutError: failure.UNREACHABLE,
}


@pytest.mark.parametrize(("kind", "code"), CODES.items(), ids=str)
def test_each_error_has_its_exit_code(kind: type[errors.JetstowError], code: int) -> None:
    error = kind("it is so", bucket="b", name="n")
    assert failure.code(error) == code
    assert failure.sentence(error) == "it is so"


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (failure.WrongUsage("no"), failure.USAGE, "no"),
        (failure.Told("nothing was changed"), failure.ERROR, "nothing was changed"),
        (FileNotFoundError(2, "No", "a.txt"), failure.NOT_FOUND, "there is no file 'a.txt'"),
        (PermissionError(13, "Permission denied", "a"), failure.REFUSED, "'a': Permission denied"),
        (OSError(28, "No space left"), failure.ERROR, "No space left"),
        (builtins.TimeoutError(), failure.UNREACHABLE, "there was no answer in time"),
        (nats.errors.TimeoutError(), failure.UNREACHABLE, "NATS: timeout"),
        (ValueError("a\nb\x1b"), failure.ERROR, r"ValueError: a b\x1b (--verbose tells where)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_every_failure_is_one_sentence(error: Exception, code: int, sentence: str) -> None:
    assert (failure.code(error), failure.sentence(error)) == (code, sentence)


def test_every_code_has_a_meaning() -> None:
    assert {*CODES.values(), failure.OK, failure.INTERRUPTED} == set(failure.MEANINGS)
